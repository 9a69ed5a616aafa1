"""One run of a dataflow, from an empty broker to its figures."""

import asyncio
import math
import os
import secrets
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import msgspec

from riotd.benchmarks.broker import mosquitto, private_broker
from riotd.benchmarks.flows import furnishing
from riotd.benchmarks.flows.daemon import check, running
from riotd.benchmarks.flows.ends import Case, Ends, Engine, Place, ends
from riotd.benchmarks.flows.figures import DAEMON, Figures, figures
from riotd.benchmarks.flows.listener import Listener
from riotd.benchmarks.flows.load import Began, Load
from riotd.benchmarks.flows.noted import Noted
from riotd.benchmarks.flows.prepared import Message, Prepared, Wanted, doubles, packs, ticks, written
from riotd.benchmarks.flows.usage import MARK, Sample, Usage
from riotd.benchmarks.stability import Trial
from riotd.clock import Clock
from riotd.errors import TransportError
from riotd.feeds import Arrivals

_BEYOND = 1.5
"""Seconds that the load goes on after the measured time, so that its end is not measured."""
_SAMPLES = 1.0
"""Seconds between two looks at the machine."""
_FIRST = 1_422_748_800_000
"""Number of the first message: 2015-02-01T00:00:00Z, where RIoTBench's sample of CITY begins, in milliseconds."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """How dataflows are run.

    Attributes:
        configs: folder of their files.
        engine: where tasks run.
        url: of a broker; None for a mosquitto of our own.
        warm_up, seconds: of the load, before it counts and while it does.
        arrivals: as in `feeds`.
        qos: of the load.
        sensors: devices; None for as many as the paper's streams have.
        seed: of the feed.
        settings: what else is set in the configurations, as `riotd run --set` has it.
    """

    configs: Path
    engine: Engine = Engine()
    url: str | None = None
    warm_up: float = 3.0
    seconds: float = 60.0
    arrivals: Arrivals = "constant"
    qos: Literal[0, 1] = 0
    sensors: int | None = None
    seed: int = 0
    settings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """In one line."""
        where = "inline" if self.engine.type == "inline" else f"on Ray, {self.engine.shards} shards"
        return (
            f"{where}; {self.seconds:g} s after {self.warm_up:g} s of warm-up; {self.arrivals} arrivals, QoS {self.qos}"
        )


class Measured(msgspec.Struct, frozen=True):
    """A run: its figures, what it says of stability, and the first dead letters, if there are any."""

    figures: Figures
    trial: Trial
    letters: list[str]


async def measure(case: Case, rate: float, setting: Setting, clock: Clock) -> Measured:
    """Run a case at a rate.

    Raises:
        ConfigError: its configuration is not there, or wrong.
        NotRunningError: the daemon does not start, or ends.
        TransportError: there is no broker, or load or listener failed.
    """
    marks = {name: secrets.token_hex(8) for name in (DAEMON, "broker", "load", "listener")}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="riotd-bench-")))
        url = setting.url
        if url is None:
            url = await stack.enter_async_context(_broker(folder, marks["broker"]))
        found, prepared = await asyncio.to_thread(_prepared, case, rate, setting, folder, url)
        listener = _listener(found, folder)
        hearing = await stack.enter_async_context(_part("listener", listener, marks["listener"]))
        await _said(hearing, "listener")
        daemon = await stack.enter_async_context(running(found.arguments, folder, marks[DAEMON]))
        load = Load(found.host, found.port, prepared, str(folder / "sent"))
        began, samples = await _loaded(load, marks, clock)
        await asyncio.to_thread(check, daemon, folder)
        await _closed(hearing)
        wall = clock.wall() - clock.monotonic()
        noted = await asyncio.to_thread(
            _noted, setting, load, listener, began=began, wall=wall, samples=samples, waiting=found.waiting
        )
        return Measured(*await asyncio.to_thread(figures, noted), _lines(listener.letters))


def _prepared(case: Case, rate: float, setting: Setting, folder: Path, url: str) -> tuple[Ends, Prepared]:
    """Make ready what the case runs on, in its folder: what it looks up, and the load."""
    wanted = Wanted(
        dataset=case.dataset,
        rate=rate,
        seconds=setting.warm_up + setting.seconds + _BEYOND,
        arrivals=setting.arrivals,
        form=case.form,
        sensors=setting.sensors,
        seed=setting.seed,
    )
    furnishing.annotations(wanted, folder)
    models = furnishing.models(case.dataset, folder) if case.flow == "pred" else {}
    found = ends(case, setting.configs, Place(folder, url, setting.engine, models, setting.settings))
    load = _ticks(found, wanted, folder) if case.flow == "train" else packs(wanted, found.topic, first=_FIRST)
    return found, written(load, folder, first=_FIRST, qos=setting.qos)


def _ticks(found: Ends, wanted: Wanted, folder: Path) -> Iterator[Message]:
    """Ticks that find as many rows each."""
    count = math.ceil(wanted.rate * wanted.seconds)
    with chdir(folder):
        for stage in found.config.stages:
            if stage.task == "table_range":
                furnishing.history(stage, wanted, until=_FIRST, spare=count)
    window = furnishing.ROWS * furnishing.SPACING
    return ticks(found.topic, rate=wanted.rate, seconds=wanted.seconds, window=window, first=_FIRST)


@asynccontextmanager
async def _broker(folder: Path, mark: str) -> AsyncIterator[str]:
    program = mosquitto()
    if program is None:
        raise TransportError("there is no mosquitto to start; install it, or give --url of a broker")
    async with private_broker(program, folder, environment=os.environ | {MARK: mark}) as url:
        yield url


def _listener(found: Ends, folder: Path) -> Listener:
    files = {name: str(folder / name) for name in ("heard", "reports", "letters")}
    return Listener(found.host, found.port, found.results, found.stats, found.rejects, **files)


@asynccontextmanager
async def _part(name: str, what: msgspec.Struct, mark: str) -> AsyncIterator["asyncio.subprocess.Process"]:
    """One of the two processes that are ours; it has said its first line.

    Raises:
        TransportError: it failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"riotd.benchmarks.flows.{name}", msgspec.json.encode(what).decode(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=os.environ | {MARK: mark},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _loaded(load: Load, marks: Mapping[str, str], clock: Clock) -> tuple[float, list[Sample]]:
    """Send the load while the machine is watched; when it began, and what was seen."""
    usage, samples = Usage(marks, clock), list[Sample]()
    async with _part("load", load, marks["load"]) as process:
        began = msgspec.json.decode(await _said(process, "load"), type=Began).at
        watching = asyncio.create_task(_watched(usage, samples))
        code = await process.wait()
        watching.cancel()
        samples += [sample for sample in (usage.sample(),) if sample]
    if code:
        raise TransportError("the load broke off; is the broker gone?")
    return began, samples


async def _said(process: asyncio.subprocess.Process, name: str) -> bytes:
    """Its first line.

    Raises:
        TransportError: it ended without one.
    """
    line = await process.stdout.readline() if process.stdout else b""
    if not line:
        raise TransportError(f"the {name} did not start; can the broker be reached?")
    return line


async def _watched(usage: Usage, samples: list[Sample]) -> None:
    while True:
        if (sample := usage.sample()) is not None:
            samples.append(sample)
        await asyncio.sleep(_SAMPLES)


async def _closed(listener: asyncio.subprocess.Process) -> None:
    """Wait until it has heard all, and written it down.

    Raises:
        TransportError: it failed.
    """
    if listener.stdin:
        listener.stdin.close()
    if await listener.wait():
        raise TransportError("the listener broke off; is the broker gone?")


def _noted(  # noqa: PLR0913 - all that was noted, from wherever
    setting: Setting,
    load: Load,
    listener: Listener,
    *,
    began: float,
    wall: float,
    samples: list[Sample],
    waiting: Collection[str],
) -> Noted:
    return Noted(
        began=began,
        since=setting.warm_up,
        until=setting.warm_up + setting.seconds,
        first=load.prepared.first,
        dues=doubles(load.prepared.dues),
        sent=doubles(load.sent),
        heard=doubles(listener.heard),
        reports=[msgspec.json.decode(line) for line in _lines(listener.reports)],
        wall=wall,
        samples=samples,
        waiting=waiting,
    )


def _lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
