"""What is done again after the daemon's end: nothing is lost, and state is as if it had never ended."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from riotd.batching import Batcher, Limits
from riotd.clock import SystemClock
from riotd.dataflow import Outlet, Plan, Stage
from riotd.engines.inline import InlineEngine
from riotd.keeping import Keeper
from riotd.messages import Message
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.pump import Books, Ends, Pump
from riotd.segments import passes
from riotd.sources.journaled import Journaled
from riotd.stats import Stats
from riotd.testing import EOF, ListRejects, ListSink, ListSource
from tests.contracts.feeds import ROOT

FIELDS, TRACE = "tests.exchange_tasks:Fields", "tests.exchange_tasks:Trace"
STAGES = (
    Stage("parse", FIELDS),
    Stage("own", TRACE, {"name": "own"}, ("parse",)),
    Stage("name", TRACE, {"name": "name"}, ("own",), ("name",)),
)


def plan(shards: int) -> Plan:
    return Plan(STAGES, (Outlet("out", ("own", "name"), "json"),), path=(ROOT,), shards=shards)


def feed(count: int, *, seed: int = 1) -> list[Message]:
    random = Random(seed)
    fields = ["temp", "hum", "dust"]
    return [
        Message(
            f"dev{random.randrange(6)}",
            " ".join(f"{name}={number}" for name in random.sample(fields, random.randint(0, 3))).encode(),
            0.0,
        )
        for number in range(count)
    ]


class Still(SystemClock):
    """A clock whose wall never moves, so that messages have the same numbers in each run."""

    def wall(self) -> float:
        """Always the same."""
        return 1.0


class Life:
    """A daemon's parts from a start to an end, on a state folder."""

    def __init__(
        self, source: ListSource, sink: ListSink, folder: Path, *, shards: int = 3, every: float = 0.002
    ) -> None:
        of, clock = plan(shards), Still()
        self.keeper = Keeper(folder, {"out": sink}, every=every, quota=10**8, clock=clock)
        self.source, self.sink, self.plan, self.clock = source, sink, of, clock
        self.engine = InlineEngine(of, shards=shards)
        self.rejects = ListRejects()

    async def live(self) -> None:
        """Until the source ends; cancelled, it is a kill."""
        keeper, shards = self.keeper, self.plan.shards
        journaled = Journaled(self.source, keeper.writer, self.clock, room=keeper.room)
        batcher = Batcher(Limits(5, 10**6, 0.0), first_id=keeper.first)
        journaled.go_on(
            next_number=keeper.log.next,
            first=keeper.first,
            marked=keeper.log.settled,
            history=keeper.history,
            tail=keeper.log.tail,
        )
        books = Books(
            batcher,
            Partitioner(Keying(by_topic_level(0)), shards=shards),
            Stats([stage.id for stage in STAGES], shards=shards, now=self.clock.monotonic()),
            10**6,
            passes(self.plan),
            journaled,
        )
        async with self.engine, journaled:
            self.pump = Pump(Ends(journaled, self.engine, [self.sink], self.rejects), books, clock=self.clock)
            saving = asyncio.create_task(keeper.run(self.pump))
            try:
                await self.pump.run(keeper.before(await keeper.rewind()))
            finally:
                saving.cancel()

    async def die(self) -> None:
        """What the kernel does: what was given to the journal is in the page cache, or was promised to nobody."""
        await self.keeper.writer.stop()
        self.keeper._folder.close()


def said(sink: ListSink) -> dict[tuple[int, str, str], str]:
    """What was said last of each record: message, stage and field to what its tasks had seen."""
    found = {}
    for result in sink.results:
        record = json.loads(result.payload)
        if result.source != "end":
            fields = ",".join(record["values"])
            found[result.id, result.stage, fields] = str(sorted(record["meta"].items()))
    return found


async def straight(messages: Sequence[Message], folder: Path) -> ListSink:
    """One life without an end, on one shard."""
    sink = ListSink()
    life = Life(ListSource(messages, at_once=7), sink, folder, shards=1, every=100)
    await life.keeper.open()
    await life.live()
    await life.die()
    return sink


class TestKills:
    @pytest.mark.parametrize("seed", range(4))
    async def test_at_any_instant_change_nothing(self, seed: int, tmp_path: Path) -> None:
        """Ended again and again, the daemon says of each record what it says when it is left alone."""
        random, messages = Random(seed), feed(300, seed=seed)
        source, sink = ListSource([*messages, EOF], at_once=7), ListSink()
        expected = await straight(messages, tmp_path / "straight")
        for kills in range(200):
            life = Life(source, sink, tmp_path / "state", shards=random.choice([1, 2, 3]))
            await life.keeper.open()
            living = asyncio.create_task(life.live())
            await asyncio.wait({living}, timeout=0.003 * random.random() * (1 + kills / 10))
            over = living.done()
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living
            await life.die()
            if over:
                break
        assert said(sink) == said(expected)
        assert len(said(sink)) > 300
