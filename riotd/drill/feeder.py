"""Feeds a system at a rate; what the broker has acknowledged is owed from then on."""

import asyncio
from collections.abc import Iterator

from riotd.clock import Clock
from riotd.drill.client import Client
from riotd.drill.judge import Judge
from riotd.drill.subject import Item

_WINDOW = 5_000
"""Messages the broker has not acknowledged, at most."""
_TURN = 0.004
"""Seconds between two looks at the clock."""
_LARGEST = 0.25
"""Seconds of feed that are made up for after a hold-up; what is more is not sent later."""


class Feeder:
    """Sends messages in order, and tells the judge.

    Args:
        items: what to send.
        judge: told of each message when it is sent, and when it is acknowledged.
        rate: messages a second.
        most: how many; None is until `stop`.

    Attributes:
        sent, acknowledged: so far.
        over: set when it has sent all.
        pause: seconds, the longest it did not send although it should have.
        limit: it does not send more before this is raised; None for none.
    """

    def __init__(self, items: Iterator[Item], judge: Judge, *, rate: float, most: int | None, clock: Clock) -> None:
        self._items, self._judge, self._rate, self._most, self._clock = items, judge, rate, most, clock
        self._open = asyncio.Event()
        self._open.set()
        self._settled = asyncio.Event()
        self._owed: dict[int, tuple[str, int] | None] = {}
        self.sent = self.acknowledged = 0
        self.over = asyncio.Event()
        self.pause = 0.0
        self.limit: int | None = None

    def note(self, token: int) -> None:
        """The broker has acknowledged a message."""
        self.acknowledged += 1
        if (place := self._owed.pop(token)) is not None:
            self._judge.oblige(*place)
        if not self._owed:
            self._settled.set()

    async def run(self, client: Client) -> None:
        """Send, until there is no more or `stop` was called; return when all is acknowledged."""
        await client.ready.wait()
        now, due = self._clock.monotonic(), 0.0
        while not self.over.is_set():
            before, now = now, self._clock.monotonic()
            if self._open.is_set():
                self.pause = max(self.pause, now - before)
            due = min(due + (now - before) * self._rate, max(_LARGEST * self._rate, 1.0))
            due -= self._send(client, int(due))
            await client.drain()
            await asyncio.sleep(_TURN)
            if not self._open.is_set():
                await self._open.wait()
                now, due = self._clock.monotonic(), 0.0
        await self._quiet()

    def stop(self) -> None:
        """Send no more."""
        self.over.set()
        self._open.set()

    async def hold(self) -> None:
        """Send nothing; return when all that was sent is acknowledged."""
        self._open.clear()
        await self._quiet()

    def go_on(self) -> None:
        """Send again."""
        self._open.set()

    async def _quiet(self) -> None:
        while self._owed:
            self._settled.clear()
            await self._settled.wait()

    def _send(self, client: Client, count: int) -> int:
        """As many as are due, and may be; how many."""
        if not self._open.is_set():
            return 0
        bounds = [bound - self.sent for bound in (self._most, self.limit) if bound is not None]
        count = max(0, min(count, _WINDOW - client.unacknowledged, *bounds))
        for _, item in zip(range(count), self._items, strict=False):
            found = item.finding
            self._owed[self.sent] = found and (found.stream, self._judge.expect(*found))
            client.publish(item.topic, item.payload, self.sent)
            self.sent += 1
        if self._most is not None and self.sent >= self._most:
            self.over.set()
        return count
