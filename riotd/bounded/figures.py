"""What a run has done so far, by shard and by stage, and what of it is told in the end."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import msgspec

from riotd.bounded.cutting import Cut
from riotd.bounded.places import Done
from riotd.dataflow import Plan
from riotd.errors import RiotdError
from riotd.messages import Outcome, Reject, Tally
from riotd.stats import Sketch

SCHEMA = 1
"""Version of the report's shape; a member is never renamed or removed within one."""
SHOWN = 5
"""Refused lines that are kept for the summary."""


class InputRefused(RiotdError):  # noqa: N818 - it names what happened
    """A line, or an item, was refused in a strict run.

    Attributes:
        number: of the line or item, from 1.
        stage: which stage refused it.
        reason: why.
    """

    def __init__(self, what: str, reject: Reject) -> None:
        super().__init__(f"{what} {reject.id}: {reject.stage}: {reject.reason}")
        self.number, self.stage, self.reason = reject.id, reject.stage, reject.reason


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from when a line had been read until its results were there; 0 where nothing was counted."""

    count: int = 0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0


class ShardFigures(msgspec.Struct, frozen=True):
    """One shard's part.

    Attributes:
        shard: its number; -1 where the engine does not tell.
        records: lines it was given.
        results: records it gave.
        errors: refusals.
        filtered: records that gave nothing, in any stage.
        devices: task instances alive at the end.
        busy_s: seconds of work in the tasks.
        throughput: lines per second of work.
        latency_ms: of its lines.
    """

    shard: int
    records: int
    results: int
    errors: int
    filtered: int
    devices: int
    busy_s: float
    throughput: float
    latency_ms: Latency


class StageFigures(msgspec.Struct, frozen=True):
    """One stage's part: `received = passed + filtered + errors`, and how many records it emitted."""

    id: str
    received: int
    passed: int
    filtered: int
    errors: int
    emitted: int
    busy_s: float


class About(msgspec.Struct, frozen=True):
    """Which run it is.

    Attributes:
        task: what was run: a task, or a configuration's name.
        input: path of what was read.
        output: path of what was written.
        form: of the input.
        engine: where it ran.
        shards: on how many.
    """

    task: str
    input: str
    output: str
    form: str
    engine: str
    shards: int


class Report(msgspec.Struct, frozen=True):
    """What became of one input.

    Attributes:
        about: which run it is.
        records: lines that were not blank.
        results: records written.
        errors: refusals; a line that is several records may have several.
        filtered: records that gave nothing, in any stage.
        unnamed: lines that did not say which device they are of, and so share one state; refused ones left out.
        bytes: of the lines.
        seconds: from the first line read until the last result was written.
        throughput: lines per second.
        latency_ms: of all lines.
        stages: in the order of the flow.
        per_shard: in their order.
        refused: the first few refusals, by line.
        failure: why it came to no end, or "".
    """

    about: About
    records: int
    results: int
    errors: int
    filtered: int
    unnamed: int
    bytes: int
    seconds: float
    throughput: float
    latency_ms: Latency
    stages: list[StageFigures]
    per_shard: list[ShardFigures]
    refused: list[Reject]
    failure: str = ""

    def plain(self) -> dict[str, Any]:
        """The same as plain data, for JSON: flat, but for what there are several of."""
        refused = [{"line": each.id, "stage": each.stage, "reason": each.reason} for each in self.refused]
        plain = msgspec.to_builtins(self)
        return {"schema": SCHEMA, **plain.pop("about"), **plain, "refused": refused}


class Figures:
    """Counts while a run goes on.

    Attributes:
        records: lines done with.
        results: records that came of them.
        errors: refusals.
    """

    def __init__(self, plan: Plan) -> None:
        self.records = self.results = self.errors = self.bytes = self.unnamed = 0
        self.refused: list[Reject] = []
        self._began = perf_counter()
        self._order = [stage.id for stage in plan.stages]
        self._shards: dict[int, _Part] = {}

    def count(self, done: Done) -> None:
        """Outcomes have come."""
        now = perf_counter()
        for shard, outcome in done.outcomes:
            part = self._part(shard)
            part.add(outcome)
            self.results += len(outcome.results)
            self.errors += len(outcome.rejects)
        if done.cut is not None:
            self._settle(done.cut, now)

    def read(self, cut: Cut) -> None:
        """Lines have been read."""
        self.records += cut.messages
        self.bytes += cut.bytes

    def refuse(self, rejects: Sequence[Reject], *, early: int = 0) -> None:
        """Keep the first few; so many of them, refused before any shard, are in no outcome."""
        self.errors += early
        self.refused += rejects[: max(0, SHOWN - len(self.refused))]

    def report(self, about: About, failure: str = "") -> Report:
        """The end."""
        seconds = perf_counter() - self._began
        if -1 in self._shards:
            self._shards[-1].records = self.records
        parts = [self._shards[shard] for shard in sorted(self._shards)]
        tallies = [_total(column) for column in zip(*(part.stages for part in parts if part.stages), strict=True)]
        latency = Sketch()
        for part in parts:
            latency.merge(part.latency)
        return Report(
            about=about,
            records=self.records,
            results=self.results,
            errors=self.errors,
            filtered=sum(tally.filtered for tally in tallies),
            unnamed=self.unnamed,
            bytes=self.bytes,
            seconds=round(seconds, 6),
            throughput=round(self.records / max(seconds, 1e-9), 1),
            latency_ms=_quantiles(latency),
            stages=[_stage(name, tally) for name, tally in zip(self._order, tallies, strict=False)],
            per_shard=[self._shards[shard].figures(shard) for shard in sorted(self._shards)],
            refused=self.refused,
            failure=failure,
        )

    def _part(self, shard: int | None) -> "_Part":
        number = -1 if shard is None else shard
        if number not in self._shards:
            self._shards[number] = _Part()
        return self._shards[number]

    def _settle(self, cut: Cut, now: float) -> None:
        for shard, portion in cut.portions:
            part = self._part(shard)
            part.records += len(portion.ids)
            part.latency.add(now - cut.began, len(portion.ids))


class _Part:
    """One shard's counts."""

    def __init__(self) -> None:
        self.records = self.results = self.errors = self.devices = 0
        self.stages: list[Tally] = []
        self.latency = Sketch()

    def add(self, outcome: Outcome) -> None:
        self.results += len(outcome.results)
        self.errors += len(outcome.rejects)
        self.devices = outcome.keys
        if outcome.tallies:
            pairs = zip(self.stages or [Tally()] * len(outcome.tallies), outcome.tallies, strict=True)
            self.stages = [_total(pair) for pair in pairs]

    def figures(self, shard: int) -> ShardFigures:
        busy = sum(tally.busy for tally in self.stages)
        return ShardFigures(
            shard,
            self.records,
            self.results,
            self.errors,
            sum(tally.filtered for tally in self.stages),
            self.devices,
            round(busy, 6),
            round(self.records / busy, 1) if busy else 0.0,
            _quantiles(self.latency),
        )


def _total(tallies: Sequence[Tally]) -> Tally:
    columns = zip(*(msgspec.structs.astuple(tally) for tally in tallies), strict=True)
    return Tally(*(sum(column) for column in columns))


def _stage(name: str, tally: Tally) -> StageFigures:
    return StageFigures(
        name, tally.received, tally.passed, tally.filtered, tally.rejected, tally.emitted, round(tally.busy, 6)
    )


def _quantiles(sketch: Sketch) -> Latency:
    p50, p95, p99 = (round(sketch.quantile(share) * 1e3, 3) for share in (0.5, 0.95, 0.99))
    return Latency(sketch.count, p50, p95, p99, round(sketch.max * 1e3, 3))
