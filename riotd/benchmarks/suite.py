"""Many tasks measured one after the other, some of them several times."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec

from riotd.benchmarks import brokered
from riotd.benchmarks.measuring import Setting, Throughput, latency, throughput
from riotd.benchmarks.published import PEAKS
from riotd.benchmarks.stability import peak
from riotd.benchmarks.workloads import WORKLOADS, workload
from riotd.catalog import RIOTBENCH
from riotd.clock import Clock
from riotd.errors import RiotdError

KNOWN = tuple(name for name in RIOTBENCH if name in WORKLOADS or name in brokered.TASKS)
"""Tasks that can be measured, in RIoTBench's order."""


class Line(msgspec.Struct, frozen=True):
    """One task's figures.

    Attributes:
        task: its name.
        code: RIoTBench's, or "".
        rate: messages a second: the median of the runs, or the highest stable rate.
        spread: the lowest and the highest of the runs.
        cpu: microseconds of CPU a message, median.
        busy: microseconds a record in the task alone, median.
        published: RIoTBench's peak rate, if there is one.
        note: what a reader must know.
        problem: why there are no figures, or why they are not worth much; else "".
    """

    task: str
    code: str
    rate: float = 0.0
    spread: tuple[float, float] = (0.0, 0.0)
    cpu: float = 0.0
    busy: float = 0.0
    published: float | None = None
    note: str = ""
    problem: str = ""

    @property
    def ratio(self) -> float | None:
        """Measured over published."""
        return self.rate / self.published if self.published and self.rate else None


class Suite:
    """How a selection of tasks is measured.

    Args:
        setting: of each run.
        clock: to measure by.
        repetitions: runs of each task; their median counts.
        live: search for the highest stable rate instead of taking what full load gives.
        url: a broker for the tasks that need one, or None.
    """

    def __init__(self, setting: Setting, clock: Clock, *, repetitions: int, live: bool, url: str | None) -> None:
        self._setting, self._clock, self._repetitions = setting, clock, repetitions
        self._live, self._url = live, url

    async def run(self, tasks: Sequence[str]) -> AsyncIterator[Line]:
        """The lines of the tasks, in order, as they are done."""
        for task in tasks:
            with TemporaryDirectory(prefix="riotd-bench-") as folder:
                yield await self._line(task, Path(folder))

    async def _line(self, task: str, folder: Path) -> Line:
        line = Line(task, RIOTBENCH[task][0], published=PEAKS.get(task))
        if task in brokered.TASKS and self._url is None:
            return msgspec.structs.replace(line, problem="needs a broker: install mosquitto, or give --url")
        try:
            runs = [await self._once(task, folder) for _ in range(self._repetitions)]
            note = "" if task in brokered.TASKS else workload(task, folder).note
            rate = await self._stable(task, folder, runs) if self._live and task in WORKLOADS else None
        except (RiotdError, ValueError, ImportError) as error:
            return msgspec.structs.replace(line, problem=str(error))
        rates = [run.rate for run in runs]
        rejected = next((f"{run.rejected} dead letters, such as: {run.reason}" for run in runs if run.rejected), "")
        return msgspec.structs.replace(
            line,
            rate=median(rates) if rate is None else rate,
            spread=(min(rates), max(rates)),
            cpu=median(run.cpu for run in runs),
            busy=median(run.task for run in runs),
            note=note,
            problem=rejected,
        )

    async def _once(self, task: str, folder: Path) -> Throughput:
        if task in brokered.TASKS:
            return await brokered.measure(task, self._setting, self._clock, url=self._url or "", folder=folder)
        return await throughput(workload(task, folder), self._setting, self._clock)

    async def _stable(self, task: str, folder: Path, runs: Sequence[Throughput]) -> float:
        """The highest stable rate; the search begins at a quarter of what full load gave."""
        load, best = workload(task, folder), 0.0
        start = max(median(run.rate for run in runs) / 4, 1.0)
        async for trial in peak(lambda rate: latency(load, self._setting, self._clock, rate=rate), start=start):
            best = max(best, trial.rate) if trial.stable else best
        return best


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process, and what it starts, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
