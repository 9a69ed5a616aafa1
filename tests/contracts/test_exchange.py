"""Records that pass on between keys: the same results on any number of shards, on both engines."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riotd.batching import Batcher, Limits
from riotd.clock import SystemClock
from riotd.dataflow import Outlet, Plan, Stage
from riotd.engines.inline import InlineEngine
from riotd.engines.ray_actors import RayEngine
from riotd.messages import Message
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.ports import Engine
from riotd.pump import Books, Ends, Pump
from riotd.segments import passes
from riotd.stats import Stats
from riotd.testing import PAUSE, Cue, ListRejects, ListSink, ListSource
from tests.contracts.conftest import MakeEngine
from tests.contracts.feeds import ROOT

FIELDS, TRACE, SORTER, SLEEPER, MODEL, DEADLY = (
    f"tests.exchange_tasks:{name}" for name in ("Fields", "Trace", "Sorter", "Sleeper", "Model", "Deadly")
)
PARSE = Stage("parse", FIELDS)


def plan(*stages: Stage, results: Sequence[str] = (), shards: int, sources: Sequence[str] = ()) -> Plan:
    outlet = Outlet("out", tuple(results) or (stages[-1].id,), "json", topics=True)
    return Plan((PARSE, *stages), (outlet,), path=(ROOT,), shards=shards, sources=tuple(sources))


class Bench:
    """A pump with an engine between doubles."""

    def __init__(
        self,
        of: Plan,
        engine: AbstractAsyncContextManager[Engine],
        items: Sequence[Message | Cue],
        *,
        keyings: Sequence[Keying] = (),
    ) -> None:
        clock = SystemClock()
        self.sink, self.rejects = ListSink(), ListRejects()
        self.source = ListSource(items, at_once=7, clock=clock)
        self.books = Books(
            Batcher(Limits(5, 10**6, 0.0)),
            Partitioner(*(keyings or [Keying(by_topic_level(0))]), shards=of.shards, topics=True),
            Stats([stage.id for stage in of.stages], shards=of.shards, now=clock.monotonic()),
            10**6,
            passes(of),
        )
        self.clock, self.engine = clock, engine

    async def run(self) -> None:
        """Until the pump ends."""
        async with self.engine as engine:
            self.pump = Pump(Ends(self.source, engine, [self.sink], self.rejects), self.books, clock=self.clock)
            await self.pump.run()

    @property
    def results(self) -> list[dict[str, Any]]:
        """What the sink has, read."""
        return [json.loads(result.payload) for result in self.sink.results]


async def through(of: Plan, items: Sequence[Message | Cue]) -> Bench:
    """Run it inline."""
    bench = Bench(of, InlineEngine(of, shards=of.shards), items)
    await bench.run()
    return bench


def feed(*payloads: str, devices: int = 5) -> list[Message]:
    return [Message(f"dev{number * 7 % devices}", payload.encode(), 0.0) for number, payload in enumerate(payloads)]


def shown(bench: Bench, key: str) -> list[tuple[str, list[str]]]:
    """By what the records are kept by, what the last stage said of each, in order: what must not depend on shards."""

    def kept(result: dict[str, Any]) -> str:
        return str(result["source"] if key == "source" else sorted(result["values"]))

    ordered = sorted(bench.results, key=kept)
    return [(name, [str(sorted(each["meta"].items())) for each in group]) for name, group in groupby(ordered, key=kept)]


PAYLOADS = st.lists(
    st.lists(st.sampled_from(["temp", "hum", "dust", "air"]), unique=True, max_size=4).map(
        lambda names: " ".join(f"{name}={number}" for number, name in enumerate(names))
    ),
    max_size=40,
)


class TestResults:
    @given(payloads=PAYLOADS, shards=st.integers(2, 9))
    @settings(max_examples=40, deadline=None)
    def test_are_those_of_one_shard(self, payloads: list[str], shards: int) -> None:
        """Over any number of shards each key sees the same records in the same order as in a single one."""
        stages = (
            Stage("own", TRACE, {"name": "own"}, ("parse",)),
            Stage("name", TRACE, {"name": "name"}, ("own",), ("name",)),
        )
        single, several = (asyncio.run(through(plan(*stages, shards=count), feed(*payloads))) for count in (1, shards))
        assert shown(several, "name") == shown(single, "name")
        assert several.pump.ledger.received == several.pump.ledger.settled == len(payloads)

    @given(payloads=PAYLOADS, shards=st.integers(2, 9))
    @settings(max_examples=40, deadline=None)
    def test_are_those_of_one_shard_behind_two_exchanges(self, payloads: list[str], shards: int) -> None:
        """Back by source, and all at one place: records of one message that come from several shards keep one order."""
        stages = (
            Stage("name", TRACE, {"name": "name"}, ("parse",), ("name",)),
            Stage("back", TRACE, {"name": "back"}, ("name", "parse"), ("source",)),
            Stage("all", TRACE, {"name": "all"}, ("back", "name"), ("one",)),
        )
        single, several = (asyncio.run(through(plan(*stages, shards=count), feed(*payloads))) for count in (1, shards))
        assert [result["meta"] for result in several.results] == [result["meta"] for result in single.results]

    async def test_are_the_same_on_every_engine(self, make_engine: MakeEngine) -> None:
        """Two shards of an engine give what one shard gives, results and refusals."""
        payloads = [f"temp={number} hum=1" if number % 9 else "bad" for number in range(120)]
        stages = (
            Stage("name", TRACE, {}, ("parse",), ("name",)),
            Stage("one", TRACE, {"name": "one"}, ("name",), ("one",)),
        )
        single = await through(plan(*stages, shards=1), feed(*payloads))
        of = plan(*stages, shards=2)
        bench = Bench(of, make_engine(of, 2), feed(*payloads))
        await bench.run()
        assert [(each["id"], each["values"], each["meta"]) for each in bench.results] == [
            (each["id"], each["values"], each["meta"]) for each in single.results
        ]

    async def test_carry_the_topic_of_their_message(self) -> None:
        """A result of a later pass knows its message's topic, for sinks whose topics are made of it."""
        bench = await through(plan(Stage("all", TRACE, {}, ("parse",), ("one",)), shards=4), feed("x=1", "x=2", "x=3"))
        assert [result.topic for result in bench.sink.results if result.id < 3] == ["dev0", "dev2", "dev4"]

    async def test_of_a_refined_key_have_an_instance_for_each(self) -> None:
        """`[source, name]` keeps an instance for each device's each field, on any number of shards."""
        payloads = ["x=1 y=2"] * 20
        for shards in (1, 4):
            bench = await through(
                plan(Stage("pair", TRACE, {}, ("parse",), ("source", "name")), shards=shards), feed(*payloads)
            )
            counts = [result["meta"]["trace"].split()[0] for result in bench.results if result["source"] != "end"]
            assert sorted(map(int, counts)) == sorted([1, 2, 3, 4] * 10)

    async def test_of_a_field_it_lacks_are_dead_letters(self) -> None:
        """A record without the field that its key asks for is refused in the name of that stage; neighbours go on."""
        for shards in (1, 3):
            bench = await through(
                plan(Stage("by", TRACE, {}, ("parse",), (".x",)), shards=shards), feed("x=1", "y=1", "x=1")
            )
            (letter,) = bench.rejects.letters
            assert (letter.stage, letter.payload, letter.reason[:2]) == ("by", b"y=1", "x:")
            assert len([result for result in bench.results if result["source"] != "end"]) == 2
            figures = bench.pump.report()["stages"][1]
            assert (figures["in"], figures["out"], figures["rejected"]) == (3, 2, 1)


class TestOutputs:
    async def test_go_where_they_are_taken(self) -> None:
        """What a task gives aside is taken by its name, and only there; what it counts is in the statistics."""
        stages = (
            Stage("sort", SORTER, {}, ("parse",)),
            Stage("even", TRACE, {"name": "even"}, ("sort",)),
            Stage("odd", TRACE, {"name": "odd"}, ("sort/odd",), ("one",)),
        )
        bench = await through(
            plan(*stages, results=("even", "odd", "sort/odd"), shards=3), feed(*(f"x={number}" for number in range(9)))
        )
        said = [(result.stage, json.loads(result.payload)["values"]) for result in bench.sink.results if result.id < 9]
        assert [values["x"] % 2 for stage, values in said if stage == "even"] == [0.0] * 5
        assert [values["x"] for stage, values in said if stage == "odd"] == [1.0, 3.0, 5.0, 7.0]
        assert len([stage for stage, _ in said if stage == "sort/odd"]) == 4
        assert bench.pump.report()["stages"][1]["counts"] == {"odd": 4}


class TestSources:
    async def test_of_which_one_is_everybodys(self, make_engine: MakeEngine) -> None:
        """A message that all shards get changes all of them at its place; what follows of it is heard once."""
        of = plan(Stage("model", MODEL, {}, ("parse",)), shards=2, sources=("feed", "models"))
        items = [Message(f"dev{number % 4}", b"x=1", 0.0) for number in range(40)]
        items[20:20] = [Message("models", b"model=3", 0.0, origin=1)]
        bench = Bench(of, make_engine(of, 2), items, keyings=[Keying(by_topic_level(0)), Keying(None)])
        await bench.run()
        values = {result.id: json.loads(result.payload)["values"] for result in bench.sink.results}
        assert values == {
            number: {"before": 1.0} if number == 20 else {"x": 1.0 if number < 20 else 3.0} for number in range(41)
        }
        assert len(bench.sink.results) == 41
        assert len(bench.source.acked) == 41

    async def test_are_taken_by_name(self) -> None:
        """A stage that names a source gets that source's messages only."""
        of = plan(Stage("mine", FIELDS, {}, ("second",)), results=("mine",), shards=2, sources=("first", "second"))
        items = [Message(f"d{number}", f"x={number}".encode(), 0.0, origin=number % 2) for number in range(10)]
        keying = Keying(by_topic_level(0))
        bench = Bench(of, InlineEngine(of, shards=2), items, keyings=[keying, keying])
        await bench.run()
        assert sorted(result["values"]["x"] for result in bench.results) == [1, 3, 5, 7, 9]


class TestTime:
    async def test_passes_without_messages(self, make_engine: MakeEngine) -> None:
        """Tasks that wait for time to pass are told although no message comes, behind an exchange too."""
        of = plan(Stage("sleep", SLEEPER, {"idle_timeout": 0.5}, ("parse",), ("name",)), shards=2)
        bench = Bench(of, make_engine(of, 2), [*feed("x=1", "y=1", "x=2"), PAUSE])
        running = asyncio.create_task(bench.run())
        await bench.source.paused()
        await bench.sink.until(2)
        assert sorted(result["id"] for result in bench.results) == [1, 2]
        bench.source.resume()
        await running


class TestDeaths:
    @pytest.mark.ray
    @pytest.mark.usefixtures("ray_pool")
    async def test_behind_an_exchange_cost_one_message(self) -> None:
        """A record that kills its worker behind an exchange is found and refused; all others give their results."""
        payloads = [f"temp={number} hum={number}" for number in range(60)]
        stages = (Stage("name", DEADLY, {}, ("parse",), ("name",)),)
        expected = await through(plan(*stages, shards=1), feed(*payloads))
        payloads[30] += " kill=1"
        of = plan(*stages, shards=2)
        bench = Bench(of, RayEngine(of, shards=2), feed(*payloads))
        await bench.run()
        (letter,) = bench.rejects.letters
        assert (letter.id, letter.stage) == (30, "engine")
        assert len(bench.source.acked) == 60
        without = [result["meta"] for result in expected.results if result["id"] not in {30, 2**40}]
        assert len([result for result in bench.results if result["id"] not in {30, 2**40}]) == len(without)
