"""More shards, or fewer, while everything runs: results and state are those of a single thread."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from riotd.batching import Batcher, Limits
from riotd.clock import SystemClock
from riotd.dataflow import Outlet, Plan, Stage
from riotd.engines.inline import InlineEngine
from riotd.engines.ray_actors import RayEngine
from riotd.messages import Cut, Message
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.placement import moves, placed
from riotd.ports import Engine
from riotd.pump import Books, Ends, Pump, Regime
from riotd.rescaling import Rescale, Rescaler
from riotd.segments import entrances, passes
from riotd.stats import Stats
from riotd.testing import PAUSE, Cue, ListRejects, ListSink, ListSource
from tests.contracts.conftest import MakeEngine
from tests.contracts.feeds import ROOT

FIELDS, TRACE, HEAVY, MODEL = (f"tests.exchange_tasks:{name}" for name in ("Fields", "Trace", "Heavy", "Model"))
PARSE = Stage("parse", FIELDS, after=("feed",))
NOTICE = Stage("notice", FIELDS, after=("models",))
ONE_FOR_ALL = Stage("model", MODEL, {}, ("parse", "notice"))
OWN = Stage("own", HEAVY, {"name": "own"}, ("parse",))
NAME = Stage("name", HEAVY, {"name": "name"}, ("own",), ("name",))
PAIR = Stage("pair", TRACE, {"name": "pair"}, ("own",), ("source", "name"))
ALL = Stage("all", TRACE, {"name": "all"}, ("name", "own"), ("one",))


def plan(*stages: Stage, shards: int) -> Plan:
    """The messages of one source to these stages, beside one that hears those of the other in every shard."""
    outlet = Outlet("out", ("model", stages[-1].id), "json", topics=True)
    return Plan(
        (PARSE, NOTICE, ONE_FOR_ALL, *stages), (outlet,), path=(ROOT,), shards=shards, sources=("feed", "models")
    )


Beside = Callable[[asyncio.Task[None]], Coroutine[Any, Any, None]]
"""What goes on beside a change, which it is given."""


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

    def regime(self, shards: int) -> Regime:
        """As `Rescaler` asks for it."""
        return Regime(msgspec.structs.replace(self.of, shards=shards), self.limits(shards))

    async def run(
        self, engine: Engine, steps: Sequence[int] = (), *, beside: Beside | None = None, early: bool = False
    ) -> None:
        """Until the pump ends; a change to the next of so many shards begins wherever the source pauses.

        Args:
            engine: entered.
            steps: the numbers of shards.
            beside: what goes on during each change.
            early: whether it is stopped in the midst of the last change.
        """
        self.pump = Pump(Ends(self.source, engine, [self.sink], self.rejects), self.books, clock=self.clock)
        self.rescaler = Rescaler(self.pump, engine, self.regime)
        self.done: list[Rescale] = []
        async with asyncio.TaskGroup() as group:
            running = group.create_task(self.pump.run())
            changes: list[asyncio.Task[None]] = []
            for shards in steps:
                await self.source.paused()
                await asyncio.gather(*changes)
                self.done.append(self.rescaler.plan(shards))
                changes = [group.create_task(self.rescaler.carry_out(self.done[-1]))]
                changes += [group.create_task(beside(changes[0]))] if beside else []
                self.source.resume()
            while early and not self.done[-1].gaps:  # noqa: ASYNC110 - nobody tells of each move
                await asyncio.sleep(0)
            if not early:
                await self.source.paused()
                await asyncio.gather(*changes)
            await self.pump.stop()
            await running

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
        return whole(cut.states)


def whole(states: Sequence[bytes]) -> dict[str, dict[str, Any]]:
    """By stage and key, the state in snapshots of all shards; each key must be on one of them."""
    found: dict[str, dict[str, Any]] = {}
    for state in states:
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
    @given(
        payloads=PAYLOADS,
        shards=COUNTS,
        places=st.lists(st.integers(0, 120), min_size=3, max_size=3),
        devices=st.sampled_from([2, 5, 40]),
    )
    @example(payloads=["temp=1 hum=2"] * 60, shards=[1, 128, 1], places=[10, 30, 50], devices=40)
    @example(payloads=["temp=1 hum=2"] * 400, shards=[2, 4, 1, 3], places=[10, 100, 200], devices=3)
    @settings(max_examples=15, deadline=None)
    def test_and_state_are_those_of_one_thread(
        self, payloads: list[str], shards: list[int], places: list[int], devices: int
    ) -> None:
        """Over any changes at any batches each key sees the same records in the same order, and ends the same."""
        items = feed(payloads, sorted(places[: len(shards) - 1]), devices=devices)
        stages = (OWN, NAME, PAIR, ALL)
        single = asyncio.run(inline(stages, feed(payloads, (), devices=devices), [1]))
        several = asyncio.run(inline(stages, items, shards, at_once=1, batch=1))
        assert several.results("all") == single.results("all")
        assert several.products == single.products
        assert several.state == single.state
        assert [change.phase for change in several.done] == ["done"] * (len(shards) - 1)
        assert several.pump.ledger.received == several.pump.ledger.settled == len(payloads)
        assert several.pump.report()["alarms"] == []

    async def test_are_the_same_on_every_engine(self, make_engine: MakeEngine) -> None:
        """2 → 4 → 1 shards of an engine, amid the stream, give results and state of one thread."""
        payloads = [f"temp={number} hum=1" for number in range(150)]
        stages = (OWN, NAME, ALL)
        single = await inline(stages, feed(payloads, ()), [1])
        of = plan(*stages, shards=2)
        bench = Bench(of, feed(payloads, (40, 90)))
        async with make_engine(of, 2) as engine:
            await bench.run(engine, [4, 1])
            assert engine.shards == 1
        assert bench.results("all") == single.results("all")
        assert bench.products == single.products
        assert bench.state == single.state

    async def test_go_on_where_each_shard_is_told_of(self) -> None:
        """Statistics have a row for each shard there is, with its key-groups; batches hold as much as their shards."""
        bench = await inline((OWN,), feed(["temp=1"] * 60, (10,)), [2, 5])
        report = bench.pump.report()
        assert [shard["groups"] for shard in report["shards"]] == [26, 26, 26, 25, 25]
        assert bench.books.batcher.limits.max_records == 25
        assert bench.done[0].report()["moved"] == len(moves(placed(2), 5)) == 76


class TestAmid:
    async def test_a_snapshot_has_every_instance_once(self) -> None:
        """Whatever moves: a cut has the state of just the messages below its number, each key on one shard."""
        of = plan(OWN, NAME, shards=3)
        bench = Bench(of, feed(["temp=1"] * 400, (100,)))
        cuts: list[Cut] = []

        async def cut(change: asyncio.Task[None]) -> None:
            while not change.done():
                cuts.append(await bench.pump.cut())

        async with InlineEngine(of, shards=3) as engine, asyncio.TaskGroup() as group:
            running = group.create_task(bench.run(engine, [8], beside=cut))
            await running
        assert len(cuts) > 5
        for each in cuts:
            messages = [number for number in range(each.sequence) if number % 17 != 16]
            assert sum(data["seen"] for data in whole(each.states)["own"].values()) == len(messages)
            assert sum(data["seen"] for data in whole(each.states)["name"].values()) == len(messages)

    async def test_a_stop_ends_where_it_is(self) -> None:
        """A drain while key-groups move: what is in flight is finished, the last cut is whole, the change stops."""
        of = plan(OWN, NAME, shards=2)
        bench = Bench(of, feed(["temp=1"] * 200, (150,)))
        async with InlineEngine(of, shards=2) as engine:
            await bench.run(engine, [64], early=True)
        assert bench.done[0].phase == "stopped"
        assert 0 < len(bench.done[0].gaps) < len(bench.done[0].moves)
        received = bench.pump.ledger.received
        assert received == bench.pump.ledger.settled
        told = sum(data["seen"] for data in bench.state["own"].values())
        assert told == len([number for number in range(received) if number % 17 != 16])

    async def test_another_plan_is_gone_over_to(self) -> None:
        """A swap while key-groups move: stages that stay keep their state, results after it are the new plan's."""
        of = plan(OWN, NAME, shards=2)
        bench = Bench(of, feed(["temp=1"] * 300, (100, 200)))  # some messages come behind the first swap surely
        other = plan(OWN, Stage("later", TRACE, {"name": "later"}, ("own",), ("name",)), shards=2)

        async def swap(_change: asyncio.Task[None]) -> None:
            async with bench.rescaler.resizing:
                bench.of = other
                regime = bench.regime(bench.pump.placement.shards)
                await bench.pump.swap(regime.plan, regime.limits, [bench.sink], bench.rejects)

        async with InlineEngine(of, shards=2) as engine:
            await bench.run(engine, [6, 3], beside=swap)
        assert [change.phase for change in bench.done] == ["done", "done"]
        seen = {key: data["seen"] for key, data in bench.state["own"].items()}
        expected = Counter(f"dev{number * 7 % 40}" for number in range(300) if number % 17 != 16)
        assert seen == expected
        assert set(bench.state) >= {"own", "later"}
        assert "name" not in bench.state

    @pytest.mark.ray
    @pytest.mark.usefixtures("ray_pool")
    async def test_a_worker_dies(self) -> None:
        """Killed while key-groups come to it, and while they leave it: results and state are those of one thread."""
        payloads = [f"temp={number} hum=1" for number in range(300)]
        stages = (OWN, NAME, ALL)
        single = await inline(stages, feed(payloads, ()), [1])
        of = plan(*stages, shards=2)
        bench = Bench(of, feed(payloads, (100, 200)))
        async with RayEngine(of, shards=2) as engine:

            async def kill(change: asyncio.Task[None]) -> None:
                while not bench.done[-1].gaps and not change.done():  # noqa: ASYNC110 - nobody tells of each move
                    await asyncio.sleep(0)
                os.kill(await engine.pid(1), signal.SIGKILL)

            await bench.run(engine, [3, 2], beside=kill)
            assert engine.counters()["restarts"] == 2
        assert [change.phase for change in bench.done] == ["done", "done"]
        assert bench.results("all") == single.results("all")
        assert bench.state == single.state
