"""The dataflow and the messages of a state folder that is kept for upgrades; a life on such a folder."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import msgspec

from riotd.batching import Batcher, Limits
from riotd.clock import SystemClock
from riotd.dataflow import Outlet, Plan, Stage
from riotd.engines.inline import InlineEngine
from riotd.keeping import Keeper
from riotd.messages import Message, Result
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.pump import Books, Ends, Pump, Regime
from riotd.rescaling import Rescaler
from riotd.segments import entrances, passes
from riotd.sources.journaled import Journaled
from riotd.stats import Stats
from riotd.testing import Cue, ListRejects, ListSink, ListSource
from riotd.wiring import Service

_TWO = ["temperature", "humidity"]
_WINDOW = {"size": "1m", "aggregates": ["mean", "p95", "count"]}
_SESSION = {"kind": "session", "gap": 40, "fields": _TWO, "aggregates": ["max"]}
_SLIDING = {"kind": "sliding", "size": 90, "every": 30, "delay": 5, "lateness": 60}
_TRAINING = {"features": ["temperature", "light"], "target": "humidity", "window": 12}
_KEPT: tuple[tuple[str, str, dict[str, object], tuple[str, ...]], ...] = (
    ("kalman", "kalman_filter", {}, ()),
    ("regression", "sliding_regression", {"window": 5, "horizon": 3}, ()),
    ("mean", "average", {"fields": _TWO, "window": 3}, ()),
    ("sum", "accumulate", {"fields": _TWO, "window": 5}, ()),
    ("filled", "interpolate", {"fields": ["light"]}, ()),
    ("moment", "second_moment", {"fields": _TWO, "tracked": 5}, ()),
    ("tumbling", "window", _WINDOW, ()),
    ("session", "window", _SESSION, ("one",)),
    ("sliding", "window", _SLIDING, ()),
    ("distinct", "distinct_count", {"item": "humidity", "buckets": 5}, ("one",)),
    ("quantiles", "label_quantiles", {"field": "humidity", "window": 9}, ()),
    ("bloom", "bloom_train", {"field": "kind", "window": 7, "expected": 50}, ()),
    ("training", "linear_regression_train", _TRAINING, ("one",)),
)
"""Stages that keep state, of every kind that the shipped dataflows have."""


def plan() -> Plan:
    """Of one shard."""
    stages = (
        Stage("parse", "senml_parse", {}, ("feed",)),
        Stage("parts", "senml_parse", {"explode": True}, ("feed",)),
        Stage("orders", "senml_parse", {}, ("models",)),
        Stage("foretold", "linear_regression", {"updates": "model", "shadow": 50}, ("parse", "orders")),
        Stage("joined", "join", {"fields": [*_TWO, "light"], "on_expiry": "partial", "timeout": 30.0}, ("parts",)),
        *(Stage(name, task, params, ("parse",), key) for name, task, params, key in _KEPT),
    )
    told = tuple(stage.id for stage in stages if stage.id not in {"parse", "parts", "orders"})
    return Plan(stages, (Outlet("out", told, "json"),), sources=("feed", "models"))


def feed(count: int) -> list[Message]:
    """Packs of eight devices, and now and then a model."""
    random = Random(1)
    return [_model(number) if number % 40 == 20 else _pack(random, number) for number in range(count)]


def _pack(random: Random, number: int) -> Message:
    device = f"dev{random.randrange(8)}"
    entries = [
        {"bn": f"{device}:", "bt": 1.5e9 + 7 * number, "n": "temperature", "v": round(random.gauss(21, 3), 2)},
        {"n": "humidity", "v": random.randint(30, 60)},
        {"n": "kind", "vs": random.choice(("indoor", "outdoor", "roof"))},
        {"n": "light", "v": random.randrange(900)},
    ]
    kept = entries if random.random() < 0.8 else entries[:-1]
    return Message(f"feed/{device}", json.dumps(kept, separators=(",", ":")).encode(), 0.0)


def _model(number: int) -> Message:
    text = json.dumps({
        "kind": "linear_regression", "format": 1, "version": f"v{number}", "features": ["temperature", "light"],
        "target": "humidity", "coefficients": {"temperature": 1.0}, "intercept": float(number),
    })  # fmt: skip
    return Message("models", json.dumps([{"n": "model", "vs": text}]).encode(), 0.0, origin=1)


class Still(SystemClock):
    """A clock whose wall never moves, so that messages have the same numbers in every life."""

    def wall(self) -> float:
        """Always the same."""
        return 1.5e9


class Life(Service):
    """The daemon's parts on a state folder, without a config."""

    def __init__(self, of: Plan, items: Sequence[Message | Cue], folder: Path, *, shards: int) -> None:
        self.plan = msgspec.structs.replace(of, shards=shards)
        self._clock, self._resumable = Still(), frozenset()
        self.sink, self.given = ListSink(), ListSource(items, at_once=7)
        self.keeper = Keeper(folder, {"out": self.sink}, every=1e6, quota=10**8, clock=self._clock)
        self.source = Journaled(self.given, self.keeper.writer, self._clock, room=self.keeper.room)
        self.engine = InlineEngine(self.plan, shards=shards)
        stats = Stats([stage.id for stage in of.stages], shards=shards, now=0.0, entrances=entrances(self.plan))
        partitioner = Partitioner(Keying(by_topic_level(1)), Keying(None), shards=shards)
        books = Books(Batcher(Limits(5, 10**6, 0.0)), partitioner, stats, 10**8, passes(self.plan), self.source)
        self.pump = Pump(Ends(self.source, self.engine, [self.sink], ListRejects()), books, clock=self._clock)
        self.rescaler = Rescaler(self.pump, self.engine, self.regime)

    def regime(self, shards: int) -> Regime:
        """As `Rescaler` asks for it."""
        return Regime(msgspec.structs.replace(self.plan, shards=shards), Limits(5, 10**6, 0.0))

    async def _remember(self, shards: int) -> None:
        """As `Service` does."""
        assert self.keeper is not None
        await self.keeper.remember_shards(self.plan.shards, shards)

    async def live(self) -> None:
        """Until the source ends; cancelled, it is a kill."""
        keeper = self.keeper
        assert keeper is not None
        await keeper.open()
        try:
            async with self.engine:
                before = await self.resume()
                async with self.source:
                    await self.begin()
                    await self.pump.run(before)
        finally:
            await keeper.writer.stop()
            await asyncio.to_thread(keeper._folder.close)

    async def settled(self) -> None:
        """Return when the source waits, and all it gave is done with and noted down."""
        await self.given.paused()
        while self.pump.ledger.in_flight or self.pump.waiting:  # noqa: ASYNC110 - only this asks
            await asyncio.sleep(0)
        assert self.keeper is not None
        await self.keeper.writer.call(lambda _: None)

    async def save(self) -> None:
        """Make a snapshot."""
        assert self.keeper is not None
        await self.keeper.save(await self.pump.cut())


async def killed(living: "asyncio.Task[None]") -> None:
    """End a life where it is."""
    living.cancel()
    with suppress(asyncio.CancelledError):
        await living


def shown(results: Sequence[Result], *, since: int) -> list[tuple[int, str, bytes]]:
    """Results of messages from an id on, whatever shard said them first."""
    return sorted((each.id, each.stage, each.payload) for each in results if each.id >= since)
