"""More shards, or fewer, while everything runs: results and state are those of a single thread."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from riotd.batching import Batcher, Limits
from riotd.clock import SystemClock
from riotd.dataflow import Outlet, Plan, Stage
from riotd.engines.inline import InlineEngine
from riotd.messages import Message
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.ports import Engine
from riotd.pump import Books, Ends, Pump
from riotd.rescaling import Rescale, Rescaler
from riotd.segments import entrances, passes
from riotd.stats import Stats
from riotd.testing import PAUSE, Cue, ListRejects, ListSink, ListSource
from tests.contracts.feeds import ROOT

FIELDS, TRACE, MODEL = (f"tests.exchange_tasks:{name}" for name in ("Fields", "Trace", "Model"))
PARSE = Stage("parse", FIELDS, after=("feed",))
NOTICE = Stage("notice", FIELDS, after=("models",))
ONE_FOR_ALL = Stage("model", MODEL, {}, ("parse", "notice"))
OWN = Stage("own", TRACE, {"name": "own"}, ("parse",))
NAME = Stage("name", TRACE, {"name": "name"}, ("own",), ("name",))
PAIR = Stage("pair", TRACE, {"name": "pair"}, ("own",), ("source", "name"))
ALL = Stage("all", TRACE, {"name": "all"}, ("name", "own"), ("one",))


def plan(*stages: Stage, shards: int) -> Plan:
    """The messages of one source to these stages, beside one that hears those of the other in every shard."""
    outlet = Outlet("out", ("model", stages[-1].id), "json", topics=True)
    return Plan(
        (PARSE, NOTICE, ONE_FOR_ALL, *stages), (outlet,), path=(ROOT,), shards=shards, sources=("feed", "models")
    )


class Bench:
    """A pump with an engine between doubles, and who rescales it."""

    def __init__(self, of: Plan, items: Sequence[Message | Cue], *, at_once: int = 7, batch: int = 5) -> None:
        self.clock, self.of, self.batch = SystemClock(), of, batch
        self.sink, self.rejects = ListSink(), ListRejects()
        self.source = ListSource(items, at_once=at_once, clock=self.clock)
        stats = Stats(
            [stage.id for stage in of.stages],
            shards=of.shards,
            now=self.clock.monotonic(),
            entrances=entrances(of),
        )
        keying = Keying(by_topic_level(0))
        partitioner = Partitioner(keying, Keying(None), shards=of.shards, topics=True)
        self.books = Books(self.batcher(of.shards), partitioner, stats, 10**6, passes(of), kept=True)

    def batcher(self, shards: int) -> Batcher:
        """Of batches for so many shards."""
        return Batcher(self.limits(shards))

    def limits(self, shards: int) -> Limits:
        """Of a batch for so many shards."""
        return Limits(self.batch * shards, 10**6, 0.0)

    def regime(self, shards: int) -> tuple[Plan, Limits]:
        """As `Rescaler` asks for it."""
        return msgspec.structs.replace(self.of, shards=shards), self.limits(shards)

    async def run(self, engine: Engine, steps: Sequence[int] = ()) -> None:
        """Until the pump ends; a change to the next of so many shards begins wherever the source pauses."""
        self.pump = Pump(Ends(self.source, engine, [self.sink], self.rejects), self.books, clock=self.clock)
        self.rescaler = Rescaler(self.pump, engine, self.regime)
        self.done: list[Rescale] = []
        async with asyncio.TaskGroup() as group:
            running = group.create_task(self.pump.run())
            await self._follow(steps)
            await self.pump.stop()
            await running

    async def _follow(self, steps: Sequence[int]) -> None:
        changes: list[asyncio.Task[None]] = []
        for shards in steps:
            await self.source.paused()
            await asyncio.gather(*changes)
            self.done.append(self.rescaler.plan(shards))
            changes = [asyncio.create_task(self.rescaler.carry_out(self.done[-1]))]
            self.source.resume()
        await self.source.paused()
        await asyncio.gather(*changes)
        self.source.resume()

    def results(self, stage: str) -> list[tuple[int, dict[str, float], dict[str, str]]]:
        """Of what the sink has of a stage: id, values, meta."""
        read = [json.loads(result.payload) for result in self.sink.results if result.stage == stage]
        return [(result["id"], result["values"], result["meta"]) for result in read]

    @property
    def products(self) -> list[tuple[int, str]]:
        """What the instances that serve all keys said, by message: shards have no order among themselves."""
        return sorted((number, str(values)) for number, values, _ in self.results("model"))

    @property
    def state(self) -> dict[str, dict[str, Any]]:
        """By stage and key, the state of all tasks at the end, on whichever shard."""
        cut = self.pump.last_cut
        assert cut is not None
        found: dict[str, dict[str, Any]] = {}
        for state in cut.states:
            for stage, rows in msgspec.msgpack.decode(state)["stages"].items():
                for key, (_seen, data, _armed, _group) in rows["keys"].items():
                    assert key not in found.get(stage, {}) or stage == "model", "an instance is there twice"
                    found.setdefault(stage, {})[key] = data
        return found


async def inline(
    stages: Sequence[Stage], items: Sequence[Message | Cue], shards: Sequence[int], *, at_once: int = 7, batch: int = 5
) -> Bench:
    """Run them inline, on the first of so many shards, then on the others."""
    of = plan(*stages, shards=shards[0])
    bench = Bench(of, items, at_once=at_once, batch=batch)
    async with InlineEngine(of, shards=shards[0]) as engine:
        await bench.run(engine, shards[1:])
    return bench


def feed(payloads: Sequence[str], pauses: Sequence[int], *, devices: int = 40) -> list[Message | Cue]:
    """Messages of some devices, pauses between them, one at the end; every 17th is for everybody."""
    items: list[Message | Cue] = []
    for number, payload in enumerate(payloads):
        items += [PAUSE] * pauses.count(number)
        if number % 17 == 16:
            items.append(Message("models", b"model=%d" % number, 0.0, origin=1))
        else:
            items.append(Message(f"dev{number * 7 % devices}", payload.encode(), 0.0))
    return [*items, *[PAUSE] * len([pause for pause in pauses if pause >= len(payloads)]), PAUSE]


PAYLOADS = st.lists(
    st.lists(st.sampled_from(["temp", "hum", "dust", "air"]), unique=True, max_size=4).map(
        lambda names: " ".join(f"{name}={number}" for number, name in enumerate(names))
    ),
    min_size=1,
    max_size=120,
)
COUNTS = st.lists(st.integers(1, 9), min_size=2, max_size=4)


class TestResults:
    @given(payloads=PAYLOADS, shards=COUNTS, places=st.lists(st.integers(0, 120), min_size=3, max_size=3))
    @example(payloads=["temp=1 hum=2"] * 60, shards=[1, 128, 1], places=[10, 30, 50])
    @settings(max_examples=15, deadline=None)
    def test_and_state_are_those_of_one_thread(self, payloads: list[str], shards: list[int], places: list[int]) -> None:
        """Over any changes at any batches each key sees the same records in the same order, and ends the same."""
        items = feed(payloads, sorted(places[: len(shards) - 1]))
        stages = (OWN, NAME, PAIR, ALL)
        single = asyncio.run(inline(stages, feed(payloads, ()), [1]))
        several = asyncio.run(inline(stages, items, shards))
        assert several.results("all") == single.results("all")
        assert several.products == single.products
        assert several.state == single.state
        assert [change.phase for change in several.done] == ["done"] * (len(shards) - 1)
        assert several.pump.ledger.received == several.pump.ledger.settled == len(payloads)
        assert several.pump.report()["alarms"] == []
