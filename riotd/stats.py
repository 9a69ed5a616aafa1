"""Figures of the running daemon: counters since start and per window, latency quantiles, load per stage and shard."""

from collections.abc import Mapping, Sequence
from typing import Any

from riotd.alarms import Alarm, residue
from riotd.messages import Batch, Outcome, Portion, Tally, added
from riotd.quantiles import Sketch

SCHEMA = 1
"""Version of the report's shape; a field is never renamed or removed within one."""
_NOTHING = Tally()


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

    __slots__ = ("busy", "evicted", "keys", "last_busy", "messages", "window_busy")

    def __init__(self) -> None:
        self.messages = self.keys = self.evicted = 0
        self.busy = self.window_busy = self.last_busy = 0.0


class Stats:
    """The pump tells it what happens; `report` tells everybody else.

    Args:
        stages: ids in the plan's order.
        shards: how many there are.
        now: monotonic seconds.
        entrances: stages that get every message of some sources, and those sources; () is all.
    """

    def __init__(
        self,
        stages: Sequence[str],
        *,
        shards: int,
        now: float,
        entrances: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self._started = self._reported = self._before = now
        self._total, self._last, self._window = _Counts(), _Counts(), _Counts()
        self._loads = [_Load() for _ in range(shards)]
        self._stages = {stage: Tally() for stage in stages}
        self._order = list(stages)
        self._entrances = entrances or {}
        self._untold: dict[str, int] = {}
        self._unsplit = 0

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
        self._unsplit += len(batch.messages)
        for shard, portion in portions.items():
            self._loads[shard].messages += len(portion.ids)
            self._unsplit -= len(portion.ids) - len(portion.mute)

    def handed(self, portion: Portion) -> list[int]:
        """How many messages of a portion each of the entrances gets; none in a later pass."""
        if portion.level or not portion.ids:
            return []
        origins = portion.origins
        return [
            sum(origins.count(one) for one in wanted) if origins and wanted else len(portion.ids)
            for wanted in self._entrances.values()
        ]

    def outcome(self, shard: int, outcome: Outcome, handed: Sequence[int] = ()) -> None:
        """A shard answered.

        Args:
            shard: which one.
            outcome: its answer.
            handed: for its portion, as `handed` said.
        """
        load = self._loads[shard]
        load.keys = outcome.keys
        load.evicted += outcome.evicted
        for stage, tally in zip(self._order, outcome.tallies, strict=False):
            self._stages[stage] = added(self._stages[stage], tally)
            load.busy += tally.busy
            load.window_busy += tally.busy
        self._compare(outcome, handed)

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

    def replan(self, stages: Sequence[str], entrances: Mapping[str, tuple[int, ...]] | None = None) -> None:
        """Other stages from now on; figures of those that stay are kept."""
        self._entrances = entrances or {}
        self._stages = {stage: self._stages.get(stage, Tally()) for stage in stages}
        self._order = list(stages)

    def resize(self, shards: int) -> None:
        """Another number of shards; the load of those that go is not told of any more."""
        self._loads = self._loads[:shards] + [_Load() for _ in range(len(self._loads), shards)]

    def alarms(self) -> list[Alarm]:
        """What does not add up: messages that went to no shard, or no stage tells of; records whose fate none tells."""
        found = []
        if self._unsplit:
            found.append(Alarm("shards", self._unsplit, "messages of batches are not those the shards were sent"))
        for stage, tally in self._stages.items():
            fates = {"out": tally.passed, "filtered": tally.filtered, "rejected": tally.rejected}
            found += residue(f"stage {stage}", tally.received, "in", **fates)
            if untold := self._untold.get(stage):
                found.append(
                    Alarm(f"input of stage {stage}", untold, "it was handed messages that it does not tell of")
                )
        return found

    def report(self, now: float, *, look: bool = False) -> dict[str, Any]:
        """Figures since start and since the last report, as plain data; begins a new window.

        Args:
            now: monotonic seconds.
            look: whether the windows are somebody else's: the present one goes on, and what is said is of it and of
                the one before, since it may have begun just now.
        """
        window, seconds = self._window, max(now - (self._before if look else self._reported), 1e-9)
        total = _sum(self._total, window)
        if look:
            window = _sum(self._last, window)
        shards = [_shard(load, load.window_busy + look * load.last_busy, seconds) for load in self._loads]
        if not look:
            self._total, self._last, self._window = total, window, _Counts()
            self._before, self._reported = self._reported, now
            for load in self._loads:
                load.last_busy, load.window_busy = load.window_busy, 0.0
        return {
            "schema": SCHEMA,
            "uptime_s": round(now - self._started, 3),
            "messages": _figures(total),
            "window": {"seconds": round(seconds, 3), **_figures(window), **_rates(window, seconds)},
            "batch": _batches(window),
            "latency_ms": _quantiles(window.latency),
            "latency_ms_since_start": _quantiles(total.latency),
            "stages": [_stage(stage, self._stages[stage]) for stage in self._order],
            "shards": shards,
        }

    def _compare(self, outcome: Outcome, handed: Sequence[int]) -> None:
        """See that the stages tell of all they were handed; not where the engine refused a message in their place."""
        if not handed or any(reject.stage not in self._stages for reject in outcome.rejects):
            return
        told = dict(zip(self._order, outcome.tallies, strict=False))
        for stage, count in zip(self._entrances, handed, strict=False):
            if rest := count - told.get(stage, _NOTHING).received:
                self._untold[stage] = self._untold.get(stage, 0) + rest


def _sum(*counts: _Counts) -> _Counts:
    whole = _Counts()
    for each in counts:
        whole.add(each)
    return whole


def _shard(load: _Load, busy: float, seconds: float) -> dict[str, Any]:
    return {
        "messages": load.messages,
        "busy_s": round(load.busy, 3),
        "load": round(busy / seconds, 4),
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
        "residue": tally.received - tally.passed - tally.filtered - tally.rejected,
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
