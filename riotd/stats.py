"""Figures of the running daemon: counters since start and per window, latency quantiles, load per stage and shard."""

import math
from collections.abc import Sequence
from typing import Any

from riotd.messages import Batch, Outcome, Portion, Tally, added

SCHEMA = 1
"""Version of the report's shape; a field is never renamed or removed within one."""
_ACCURACY = 0.01


class Sketch:
    """Quantiles of positive values within 1 %, mergeable, in bounded memory.

    DDSketch (Masson, Rim, Lee: A fast and fully-mergeable quantile sketch with relative-error guarantees, VLDB
    2019) without bucket collapse: from a microsecond to a day there are at most 1,260 buckets.
    """

    _gamma = (1 + _ACCURACY) / (1 - _ACCURACY)
    _factor = 1 / math.log(_gamma)
    _least, _most = 1e-6, 86_400.0

    def __init__(self) -> None:
        self.count = 0
        self.max = 0.0
        self._buckets: dict[int, int] = {}

    def add(self, value: float, count: int = 1) -> None:
        """Count a value; those outside a microsecond to a day are counted at the edge."""
        index = math.ceil(math.log(min(max(value, self._least), self._most)) * self._factor)
        self._buckets[index] = self._buckets.get(index, 0) + count
        self.count += count
        self.max = max(self.max, value)

    def merge(self, other: "Sketch") -> None:
        """Take in what another sketch has counted."""
        for index, count in other._buckets.items():  # noqa: SLF001 - its own class
            self._buckets[index] = self._buckets.get(index, 0) + count
        self.count += other.count
        self.max = max(self.max, other.max)

    def quantile(self, share: float) -> float:
        """The value below which this share of them lies, within 1 %; 0 when there are none."""
        rank = share * (self.count - 1)
        seen = 0
        for index in sorted(self._buckets):
            seen += self._buckets[index]
            if seen > rank:
                return min(2 * self._gamma**index / (self._gamma + 1), self.max)
        return 0.0


class _Counts:
    """What is counted twice: since start, and in the window since the last report."""

    __slots__ = ("batches", "bytes", "latency", "received", "rejected", "results", "settled", "waited")

    def __init__(self) -> None:
        self.received = self.settled = self.results = self.rejected = self.bytes = self.batches = 0
        self.waited = 0.0
        self.latency = Sketch()

    def add(self, other: "_Counts") -> None:
        for name in ("received", "settled", "results", "rejected", "bytes", "batches", "waited"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.latency.merge(other.latency)


class _Load:
    """One shard's work."""

    __slots__ = ("busy", "evicted", "keys", "messages", "window_busy")

    def __init__(self) -> None:
        self.messages = self.keys = self.evicted = 0
        self.busy = self.window_busy = 0.0


class Stats:
    """The pump tells it what happens; `report` tells everybody else.

    Args:
        stages: ids in the plan's order.
        shards: how many there are.
        now: monotonic seconds.
    """

    def __init__(self, stages: Sequence[str], *, shards: int, now: float) -> None:
        self._started = self._reported = now
        self._total, self._window = _Counts(), _Counts()
        self._loads = [_Load() for _ in range(shards)]
        self._stages = {stage: Tally() for stage in stages}
        self._order = list(stages)

    @property
    def settled(self) -> int:
        """Messages settled since start; grows as long as there is progress."""
        return self._total.settled + self._window.settled

    def dispatched(self, batch: Batch, portions: dict[int, Portion], now: float) -> None:
        """A batch went to the engine."""
        window = self._window
        window.received += len(batch.messages)
        window.bytes += sum([len(message.payload) for message in batch.messages])
        window.batches += 1
        window.waited += now - batch.messages[0].received
        for shard, portion in portions.items():
            self._loads[shard].messages += len(portion.ids)

    def outcome(self, shard: int, outcome: Outcome) -> None:
        """A shard answered."""
        load = self._loads[shard]
        load.keys = outcome.keys
        load.evicted += outcome.evicted
        for stage, tally in zip(self._order, outcome.tallies, strict=False):
            self._stages[stage] = added(self._stages[stage], tally)
            load.busy += tally.busy
            load.window_busy += tally.busy

    def settled_batch(self, batch: Batch, results: int, rejected: int, now: float) -> None:
        """A batch's results are with the sinks."""
        window = self._window
        window.settled += len(batch.messages)
        window.results += results
        window.rejected += rejected
        received, count = batch.messages[0].received, 0
        for message in batch.messages:  # messages of one read share their time: one entry for each run
            if message.received != received:
                window.latency.add(now - received, count)
                received, count = message.received, 0
            count += 1
        window.latency.add(now - received, count)

    def replan(self, stages: Sequence[str]) -> None:
        """Other stages from now on; figures of those that stay are kept."""
        self._stages = {stage: self._stages.get(stage, Tally()) for stage in stages}
        self._order = list(stages)

    def report(self, now: float) -> dict[str, Any]:
        """Figures since start and since the last report, as plain data; begins a new window."""
        window, self._window = self._window, _Counts()
        seconds, self._reported = max(now - self._reported, 1e-9), now
        self._total.add(window)
        return {
            "schema": SCHEMA,
            "uptime_s": round(now - self._started, 3),
            "messages": _figures(self._total),
            "window": {"seconds": round(seconds, 3), **_figures(window), **_rates(window, seconds)},
            "batch": _batches(window),
            "latency_ms": _quantiles(window.latency),
            "latency_ms_since_start": _quantiles(self._total.latency),
            "stages": [_stage(stage, self._stages[stage]) for stage in self._order],
            "shards": [self._shard(load, seconds) for load in self._loads],
        }

    def _shard(self, load: _Load, seconds: float) -> dict[str, Any]:
        share, load.window_busy = load.window_busy / seconds, 0.0
        return {
            "messages": load.messages,
            "busy_s": round(load.busy, 3),
            "load": round(share, 4),
            "tasks": load.keys,
            "evicted": load.evicted,
        }


def _stage(name: str, tally: Tally) -> dict[str, Any]:
    return {
        "id": name,
        "in": tally.received,
        "out": tally.passed,
        "filtered": tally.filtered,
        "rejected": tally.rejected,
        "emitted": tally.emitted,
        "busy_s": round(tally.busy, 3),
        **({"counts": tally.counts} if tally.counts else {}),
    }


def _figures(counts: _Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in ("received", "settled", "results", "rejected", "bytes")}


def _rates(window: _Counts, seconds: float) -> dict[str, float]:
    names = ("received", "settled", "results", "bytes")
    return {f"{name}_per_s": round(getattr(window, name) / seconds, 1) for name in names}


def _batches(window: _Counts) -> dict[str, float]:
    count = max(window.batches, 1)
    return {
        "count": window.batches,
        "mean_records": round(window.received / count, 1),
        "mean_wait_ms": round(window.waited / count * 1e3, 3),
    }


def _quantiles(sketch: Sketch) -> dict[str, float]:
    named = {f"p{share}": round(sketch.quantile(share / 100) * 1e3, 3) for share in (50, 95, 99)}
    return {"count": sketch.count, **named, "max": round(sketch.max * 1e3, 3)}
