"""What goes to a shard while it waits for state of another: held back, and sent on behind that state, in order."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from riotd.messages import Outcome, Portion

Send = Callable[[Portion], Awaitable[Outcome]]
"""Sends a portion to the shard; in the order of the calls."""


class Gate:
    """Holds portions for one shard at one level. Bounded by the pump's credits, as what is in the engine is.

    Args:
        since: when it was closed, by the clock of whoever measures.
    """

    def __init__(self, since: float) -> None:
        self.since = since
        self._held: list[tuple[Portion, asyncio.Future[Outcome]]] = []

    def hold(self, portion: Portion) -> "asyncio.Future[Outcome]":
        """Keep a portion; its outcome, once it has been sent on."""
        waiter: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._held.append((portion, waiter))
        return waiter

    def open(self, send: Send) -> None:
        """Send on what was held; from now on nothing is."""
        for portion, waiter in self._held:
            pass_on(send(portion), waiter)
        self._held = []


def pass_on(answer: "Awaitable[Outcome]", waiter: "asyncio.Future[Outcome]") -> None:
    """Give an answer, once it is there, to who waits for it."""
    asyncio.ensure_future(answer).add_done_callback(partial(_passed, waiter))


def _passed(waiter: "asyncio.Future[Outcome]", answer: "asyncio.Future[Outcome]") -> None:
    if waiter.done():
        return
    if answer.cancelled():
        waiter.cancel()
    elif error := answer.exception():
        waiter.set_exception(error)
    else:
        waiter.set_result(answer.result())
