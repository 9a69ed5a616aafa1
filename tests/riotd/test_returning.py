"""The way back to where an earlier life was, while others ask for this and that."""

import asyncio
from collections.abc import Sequence

from riotd.batching import Batcher, Limits
from riotd.clock import SystemClock
from riotd.dataflow import Outlet, Plan, Stage
from riotd.engines.inline import InlineEngine
from riotd.messages import Message, Past
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.pump import Before, Books, Ends, Pump
from riotd.stats import Stats
from riotd.testing import EOF, ListRejects, ListSink, ListSource


class Over(ListSource):
    """A source that gives nothing more, and does not mind what is done again."""

    async def ack(self, messages: Sequence[Message]) -> None:
        """They were an earlier life's."""


def pump_to(sink: ListSink, engine: InlineEngine) -> Pump:
    """A pump with nothing to do but what an earlier life did."""
    clock = SystemClock()
    books = Books(
        Batcher(Limits(5, 10**6, 0.0)),
        Partitioner(Keying(by_topic_level(0)), shards=1),
        Stats(["n"], shards=1, now=clock.monotonic()),
        10**6,
    )
    return Pump(Ends(Over([EOF]), engine, [sink], ListRejects()), books, clock=clock)


async def test_suspects_are_behind_a_snapshot_that_is_asked_for_while_they_wait() -> None:
    """Until a message that is done alone is under way, a snapshot is of all before it, and says so."""
    plan = Plan((Stage("n", "tests.sample_tasks:Counter"),), (Outlet("out", ("n",), "json"),))
    engine, sink, told = InlineEngine(plan), ListSink(), asyncio.Event()
    pump = pump_to(sink, engine)
    past = [Past(1.0, 7, (Message("a", b"1", 0.0),)), Past(1.0, 8, (Message("a", b"2", 0.0),), alone=True)]
    sink.stall()
    async with engine:
        running = asyncio.create_task(pump.run(Before(past=past, received=9, doing=lambda _: told.set())))
        while pump.ledger.dispatched < 1 or pump.in_engine:  # noqa: ASYNC110 - only a test asks
            await asyncio.sleep(0)
        await asyncio.to_thread(lambda: None)  # behind the reading of what is to be done next
        cut = asyncio.create_task(pump.cut())
        await asyncio.sleep(0)
        assert not told.is_set()
        sink.resume()
        await running
    assert (await cut).sequence == 8
    assert pump.ledger.settled == 2
