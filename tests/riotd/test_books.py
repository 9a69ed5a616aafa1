"""The books of a running pump: closed whatever it does, and an alarm where an engine loses something."""

import logging
from collections.abc import Awaitable, Sequence

import msgspec
import pytest

from riotd.batching import Batcher, Limits
from riotd.channels import Channels
from riotd.clock import SystemClock
from riotd.dataflow import Outlet, Plan, Stage
from riotd.engines.inline import InlineEngine
from riotd.ledger import Ledger
from riotd.messages import Message, Outcome, Past, Portion
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.pump import Before, Books, Ends, Pump
from riotd.segments import entrances, passes
from riotd.stats import Stats
from riotd.testing import ListRejects, ListSink, ListSource

FIELDS, TRACE, MOODY = "tests.exchange_tasks:Fields", "tests.exchange_tasks:Trace", "tests.sample_tasks:Moody"
CHANNELS = {"feed": ["in/+/a", "in/+/b"], "models": ["models"]}


class Forgetful(InlineEngine):
    """An engine that loses, of each portion, what became of one record of the first stage."""

    def submit(self, shard: int, portion: Portion) -> Awaitable[Outcome]:
        """As `Engine.submit`."""
        return self._forgotten(super().submit(shard, portion))

    async def _forgotten(self, answer: Awaitable[Outcome]) -> Outcome:
        outcome = await answer
        first, *others = outcome.tallies
        short = msgspec.structs.replace(first, passed=max(first.passed - 1, 0))
        return msgspec.structs.replace(outcome, tallies=[short, *others])


class Silent(InlineEngine):
    """An engine that answers, but does not tell what became of anything."""

    def submit(self, shard: int, portion: Portion) -> Awaitable[Outcome]:
        """As `Engine.submit`."""
        return self._silenced(super().submit(shard, portion))

    async def _silenced(self, answer: Awaitable[Outcome]) -> Outcome:
        return msgspec.structs.replace(await answer, tallies=[])


class Kept(ListSource):
    """A source that, as the journal, takes acknowledgements of what an earlier life had received."""

    async def ack(self, messages: Sequence[Message]) -> None:
        """As `Source.ack`."""
        await super().ack([message for message in messages if message.token is not None])


def plan_of(*stages: Stage, shards: int) -> Plan:
    return Plan(stages, (Outlet("out", (stages[-1].id,), "json"),), shards=shards, sources=tuple(CHANNELS))


def pump_of(plan: Plan, items: Sequence[Message], engine: type[InlineEngine] = InlineEngine) -> tuple[Pump, Ends]:
    """A pump that was wired as the daemon's is, but for its ends."""
    clock, shards = SystemClock(), plan.shards
    source = Kept(items, at_once=7, clock=clock)
    ends = Ends(source, engine(plan, shards=shards), [ListSink()], ListRejects())
    stages = [stage.id for stage in plan.stages]
    books = Books(
        Batcher(Limits(5, 10**6, 0.0), first_id=100),
        Partitioner(Keying(by_topic_level(1)), Keying(None), shards=shards),
        Stats(stages, shards=shards, now=clock.monotonic(), entrances=entrances(plan)),
        10**6,
        passes(plan),
        ledger=Ledger(Channels(CHANNELS)),
    )
    return Pump(ends, books, clock=clock), ends


def feed(count: int) -> list[Message]:
    """Two filters' messages of four devices, every tenth a model for everybody, some of which a stage refuses."""
    return [
        Message("models", b"x=1", 0.0, origin=1)
        if number % 10 == 0
        else Message(f"in/dev{number % 4}/{'ab'[number % 3 == 0]}", b"bad" if number % 7 == 0 else b"x=1 y=2", 0.0)
        for number in range(count)
    ]


@pytest.mark.parametrize("shards", [1, 3])
async def test_they_are_closed_through_exchanges_and_refusals(shards: int) -> None:
    """Several sources, a source for every shard, refusals and exchanges leave no residue, in all and by filter."""
    stages = (
        Stage("moody", MOODY),
        Stage("parse", FIELDS, {}, ("moody",)),
        Stage("model", TRACE, {}, ("models",)),
        Stage("named", TRACE, {}, ("parse", "model"), ("name",)),
    )
    items = feed(200)
    pump, ends = pump_of(plan_of(*stages, shards=shards), items)
    async with ends.engine:
        await pump.run()
    report = pump.report()
    assert report["alarms"] == []
    ledger = report["ledger"]
    assert (ledger["received"], ledger["settled"], ledger["in_flight"], ledger["residue"]) == (200, 200, 0, 0)
    counts = {(row["source"], row["filter"]): row["received"] for row in ledger["sources"]}
    assert counts == {
        ("feed", "in/+/a"): sum(item.topic.endswith("/a") for item in items),
        ("feed", "in/+/b"): sum(item.topic.endswith("/b") for item in items),
        ("models", "models"): 20,
    }
    assert ledger["rejected"] == len(ends.rejects.letters) == sum(row["rejected"] for row in ledger["sources"])
    assert ledger["rejected"] > 0
    assert report["messages"]["received"] == 200


async def test_what_an_engine_loses_is_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    """An engine that loses the fate of a record is in the report with how many, and in the log as errors."""
    pump, ends = pump_of(plan_of(Stage("parse", FIELDS), shards=1), feed(40), Forgetful)
    async with ends.engine:
        await pump.run()
    with caplog.at_level(logging.ERROR, "riotd.pump"):
        (alarm,) = pump.report()["alarms"]
        pump.report()
    (stage,) = pump.report()["stages"]
    assert stage["residue"] == stage["in"] - stage["out"] - stage["filtered"] - stage["rejected"] > 0
    assert alarm.startswith(f"stage parse: in {stage['in']} ≠ out {stage['out']} + filtered")
    assert caplog.messages == [alarm]


async def test_an_engine_that_tells_nothing_is_an_alarm() -> None:
    """Messages that were answered for, but that no stage tells of, are missed by the stage that was to have them."""
    pump, ends = pump_of(plan_of(Stage("parse", FIELDS), shards=2), [Message("in/d/a", b"x=1", 0.0)] * 30, Silent)
    async with ends.engine:
        await pump.run()
    assert [(alarm.where, alarm.residue) for alarm in pump.audit()] == [("input of stage parse", 30)]


async def test_what_was_received_before_is_said() -> None:
    """Messages of an earlier life count as received in this one, and as replayed, also those it had not dispatched."""
    past = [Past(1.0, 50, tuple(feed(8)))]
    pump, ends = pump_of(plan_of(Stage("parse", FIELDS), shards=1), feed(10))
    async with ends.engine:
        await pump.run(Before(past=past, received=60))
    ledger = pump.report()["ledger"]
    assert (ledger["received"], ledger["replayed"], ledger["settled"]) == (18, 10, 18)
    assert pump.audit() == []
