"""What a run has done so far, by shard and by stage."""

from collections.abc import Iterable, Sequence
from functools import reduce
from time import perf_counter

from riotd.bounded.cutting import Cut
from riotd.bounded.places import Done
from riotd.bounded.report import About, Latency, Report, ShardFigures, StageFigures
from riotd.dataflow import Plan
from riotd.messages import Outcome, Reject, Tally, added
from riotd.quantiles import Sketch

SHOWN = 5
"""Refused lines that are kept for the summary."""


class Figures:
    """Counts while a run goes on.

    Attributes:
        records: lines that were taken in.
        results: records that have come of them.
        errors: refusals.
        bytes: of the lines.
        unnamed: lines without a device, set in the end.
        refused: the first few refusals.
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
            self.stages = [added(*pair) for pair in pairs]

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


def _total(tallies: Iterable[Tally]) -> Tally:
    return reduce(added, tallies, Tally())


def _stage(name: str, tally: Tally) -> StageFigures:
    return StageFigures(
        name, tally.received, tally.passed, tally.filtered, tally.rejected, tally.emitted, round(tally.busy, 6)
    )


def _quantiles(sketch: Sketch) -> Latency:
    p50, p95, p99 = (round(sketch.quantile(share) * 1e3, 3) for share in (0.5, 0.95, 0.99))
    return Latency(sketch.count, p50, p95, p99, round(sketch.max * 1e3, 3))
