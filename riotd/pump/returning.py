"""The way back after the daemon's end: the state of then, and what was done since once more."""

import asyncio
from collections.abc import Awaitable, Callable

from riotd.messages import Past
from riotd.pump.books import Before, Books
from riotd.pump.launching import Launches


async def go_back(before: Before, books: Books, launches: Launches, *, credit: Callable[[], Awaitable[None]]) -> None:
    """Be where the earlier life was; what it did since its snapshot is under way when this returns.

    Args:
        before: the earlier life.
        books: where what comes again is written.
        launches: how it is done again.
        credit: waits until one more batch may go.
    """
    launches.before = before
    if before.states:
        launches.restore(list(before.states))
    past = iter(before.past)
    while (done := await asyncio.to_thread(next, past, None)) is not None:
        await credit()
        if done.messages:
            books.ledger.receive(len(done.messages))
            await _again(done, books, launches)
        else:
            launches.everywhere({"tick": True}, done.now)


async def _again(done: Past, books: Books, launches: Launches) -> None:
    """Launch a batch of the earlier life; a message that may have ended that one, with nothing beside it."""
    at = None if done.fresh else done.now
    if not done.alone:
        launches.batch(books.batcher.again(done.first, done.messages), at, refusal=done.refusal)
        return
    await launches.quiet.wait()
    launches.before.doing(done.first)
    batch = books.batcher.again(done.first, done.messages)  # not sooner: a snapshot meanwhile is in front of it
    await launches.batch(batch, at).through
    launches.before.doing(0)
