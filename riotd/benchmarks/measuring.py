"""One plan's throughput through the daemon's pump, and its latency at a rate."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from time import process_time

import msgspec

from riotd.batching import Batcher, Limits
from riotd.benchmarks.memory import Cycle, Refusals, Void
from riotd.benchmarks.stability import Trial
from riotd.benchmarks.workload import Workload
from riotd.clock import Clock
from riotd.config import BatchLimits
from riotd.dataflow import Plan
from riotd.messages import Message
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.ports import Engine, Sink
from riotd.pump import Books, Ends, Pump
from riotd.stats import Stats

_TICKS = os.sysconf("SC_CLK_TCK")
_IN_FLIGHT = 16_000_000
"""Bytes, as the daemon's default."""

MakeEngine = Callable[[Plan, int], AbstractAsyncContextManager[Engine]]


class Setting(msgspec.Struct, frozen=True):
    """How plans are run.

    Attributes:
        make: gives the engine.
        wait: seconds that a batch's first message waits for company.
        shards: of the engine.
        warm_up: seconds of load before it counts.
        seconds: that count.
    """

    make: MakeEngine
    wait: float = 0.0
    shards: int = 1
    warm_up: float = 0.5
    seconds: float = 2.0


class Throughput(msgspec.Struct, frozen=True):
    """What was done at full load.

    Attributes:
        rate: messages settled a second.
        cpu: microseconds of CPU a message, of this process and the engine's workers.
        task: microseconds a record in the last stage alone.
        rejected: messages that became dead letters.
        reason: of the first of them, or "".
    """

    rate: float
    cpu: float
    task: float
    rejected: int
    reason: str


class _Mark(msgspec.Struct):
    """How far it had come at an instant."""

    at: float
    done: int
    cpu: float


class Progress:
    """Marks at the end of the warm-up and at the latest settling."""

    def __init__(self, clock: Clock, *, warm_up: float, workers: Sequence[int]) -> None:
        self._clock, self._warm_up, self._workers = clock, warm_up, workers
        self._done = 0
        self._first: float | None = None
        self._begun: _Mark | None = None
        self._latest: _Mark | None = None

    def settled(self, messages: Sequence[Message], now: float) -> None:
        """Take note of settled messages."""
        self._done += len(messages)
        if self._first is None:
            self._first = now
        if self._begun is None and now - self._first >= self._warm_up:
            self._begun = self._mark(now)
        elif self._begun is not None:
            self._latest = _Mark(now, self._done, 0.0)

    def figures(self) -> tuple[float, float]:
        """Messages a second, and microseconds of CPU a message, between the marks.

        Raises:
            ValueError: nothing was settled after the warm-up.
        """
        begun, latest = self._begun, self._latest
        if begun is None or latest is None or latest.at == begun.at:
            raise ValueError("nothing was settled after the warm-up: it takes longer than --seconds")
        done = latest.done - begun.done
        return done / (latest.at - begun.at), 1e6 * (self._cpu() - begun.cpu) / done

    def _mark(self, now: float) -> _Mark:
        return _Mark(now, self._done, self._cpu())

    def _cpu(self) -> float:
        return process_time() + sum(map(_cpu_of, self._workers))


class Latencies:
    """Seconds from due to settled, of messages settled after the warm-up."""

    def __init__(self, warm_up: float) -> None:
        self.seconds: list[float] = []
        self._warm_up = warm_up
        self._first: float | None = None

    def settled(self, messages: Sequence[Message], now: float) -> None:
        """Take note of settled messages."""
        if self._first is None:
            self._first = now
        if now - self._first >= self._warm_up:
            self.seconds += [now - message.received for message in messages]


def _cpu_of(pid: int) -> float:
    """CPU seconds of another process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def throughput(load: Workload, setting: Setting, clock: Clock, *, sink: Sink | None = None) -> Throughput:
    """Run a workload, round and round, as fast as it goes.

    Raises:
        ValueError: it takes longer than the time it has.
    """
    async with setting.make(load.plan, setting.shards) as engine:
        progress = Progress(clock, warm_up=setting.warm_up, workers=await workers(engine))
        seconds = setting.warm_up + setting.seconds
        source = Cycle(load, clock=clock, seconds=seconds, settled=progress.settled)
        rejects = Refusals()
        pump = pump_of(Ends(source, engine, [sink or Void()], rejects), load, setting, clock)
        await pump.run()
        rate, cpu = progress.figures()
    stage = pump.report()["stages"][-1]
    return Throughput(rate, cpu, 1e6 * stage["busy_s"] / max(stage["in"], 1), rejects.count, rejects.first)


async def latency(load: Workload, setting: Setting, clock: Clock, *, rate: float) -> Trial:
    """Offer a workload at a rate, warm-up included in the time but not in the latencies."""
    latencies = Latencies(setting.warm_up)
    seconds = setting.warm_up + setting.seconds
    async with setting.make(load.plan, setting.shards) as engine:
        source = Cycle(load, clock=clock, seconds=seconds, rate=rate, settled=latencies.settled)
        await pump_of(Ends(source, engine, [Void()], Refusals()), load, setting, clock).run()
    return Trial(rate, source.offered, source.offered - (source.behind or 0), latencies.seconds)


def pump_of(ends: Ends, load: Workload, setting: Setting, clock: Clock) -> Pump:
    """A pump as the daemon would have it by default."""
    batch, shards = BatchLimits(), setting.shards
    limits = Limits(load.batch * shards, batch.max_bytes * shards, setting.wait)
    stats = Stats([stage.id for stage in load.plan.stages], shards=shards, now=clock.monotonic())
    partitioner = Partitioner(Keying(by_topic_level(0)), shards=shards)
    return Pump(ends, Books(Batcher(limits), partitioner, stats, _IN_FLIGHT), clock=clock)


async def workers(engine: Engine) -> list[int]:
    """Process numbers of an engine's workers; none if they are threads of this process."""
    pid = getattr(engine, "pid", None)
    return [] if pid is None else [await pid(shard) for shard in range(engine.shards)]
