"""One drill: a scratch system, fed, hurt and judged."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path

import msgspec
import yaml

from riotd.clock import Clock
from riotd.drill import flow, processes, skewed
from riotd.drill.broker import Broker
from riotd.drill.client import Client
from riotd.drill.daemon import Daemon
from riotd.drill.faults import FAULTS, Planned, schedule
from riotd.drill.feeder import Feeder
from riotd.drill.judge import Judge
from riotd.drill.proxy import Proxy
from riotd.drill.report import Episode, Report
from riotd.drill.strikes import Strikes, System

_LOOK = 0.02
"""Seconds between two looks whether the daemon has caught up."""
_SETTLES = 0.5
"""Seconds after a fault before it can be said to have caught up: what is on its way still comes."""
_RECOVERS_WITHIN = 60.0
_BEHIND = 0.25
"""Seconds of feed that are always on their way."""
_ENDS_WITHIN = 90.0
"""Seconds for what is owed at the end."""
_LEAVES_WITHIN = 15.0
"""Seconds until what has outlived the daemon counts as left behind."""


class Options(msgspec.Struct, frozen=True):
    """What a person may choose.

    Attributes:
        settings: of the dataflow and its feed.
        faults: which, of `FAULTS`.
        messages: how many; None is by the time.
        seconds: for how long, unless it is by messages.
        every: seconds between faults.
        folder: for state, log, configuration.
        mosquitto: its program; else somebody's broker at `url`.
        url: host and port.
    """

    settings: flow.Settings
    faults: tuple[str, ...]
    messages: int | None
    seconds: float
    every: float
    folder: Path
    mosquitto: str | None
    url: tuple[str, int] | None = None


def skipped(options: Options) -> dict[str, str]:
    """Faults that can't be had here, and why."""
    reasons = {}
    if options.settings.engine == "inline":
        reasons["kill-actor"] = "the inline engine has no actors"
    if options.url is not None:
        reasons["restart-broker"] = "the broker is yours"
    return {fault: why for fault, why in reasons.items() if fault in options.faults}


class Drill:
    """Brings the parts together for a while.

    Args:
        options: what was asked for.
        clock: the machine's.
        tell: called with each fault that is over.

    Attributes:
        judge, feeder: for who wants to watch.
        episodes: the faults so far.
        doing: what is being done.
    """

    def __init__(self, options: Options, *, clock: Clock, tell: Callable[[Episode], None]) -> None:
        self._options, self._clock, self._tell = options, clock, tell
        self._skipped = skipped(options)
        self._mark = secrets.token_hex(8)
        self._system: System
        self.judge = Judge()
        items: Iterable[flow.Item] = flow.feed(options.settings)
        if options.messages is not None:
            items = islice(items, options.messages)
        self.feeder = Feeder(iter(items), self.judge, rate=options.settings.rate, most=options.messages, clock=clock)
        self.episodes: list[Episode] = []
        self.doing = "starting broker and daemon"

    async def run(self) -> Report:
        """The whole drill.

        Raises:
            RiotdError: broker or daemon do not start, or the daemon does not stay alive.
        """
        async with self._laid_out() as (system, feeding, judging):
            self._system = system
            await judging.ready.wait()
            begun = self._clock.monotonic()
            feed = asyncio.create_task(self.feeder.run(feeding), name="feed")
            hurt = asyncio.create_task(self._hurt(begun), name="faults")
            try:
                await self._fed(feed, hurt)
                await self._complete()
            finally:
                for task in (feed, hurt):
                    task.cancel()
                await asyncio.gather(feed, hurt, return_exceptions=True)
            seconds = self._clock.monotonic() - begun
            self.doing = "the daemon's end"
            code = await system.daemon.stop()
        return await self._report(system.daemon, seconds, code)

    @asynccontextmanager
    async def _laid_out(self) -> AsyncIterator[tuple[System, Client, Client]]:
        options, folder = self._options, self._options.folder
        async with _broker(options) as (broker, host, port):
            inlet, outlet = Proxy(port, host=host), Proxy(port, host=host)
            async with inlet.listening(), outlet.listening():
                daemon = self._daemon(inlet.port, outlet.port)
                feeding = Client(host, port, f"drill-feed-{self._mark}", acknowledged=self.feeder.note)
                judging = Client(host, port, f"drill-judge-{self._mark}", filters=(flow.OUT + "/+",), hear=self._hear)
                async with daemon.running(), _running(feeding), _running(judging):
                    yield System(daemon, inlet, outlet, broker, self.feeder, folder), feeding, judging

    def _daemon(self, inlet: int, outlet: int) -> Daemon:
        options, folder = self._options, self._options.folder
        file, skew = folder / "drill.yaml", folder / "skew"
        config = flow.config(options.settings, folder, inlet=inlet, outlet=outlet)
        file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        skewed.write(skew, 0.0)
        return Daemon([str(file)], folder, mark=self._mark, skew=skew if "skew-clock" in options.faults else None)

    def _hear(self, topic: str, payload: bytes) -> None:
        stream, key, content = flow.read(topic, payload)
        self.judge.hear(stream, key, content, now=self._clock.monotonic())

    async def _fed(self, feed: "asyncio.Task[None]", hurt: "asyncio.Task[None]") -> None:
        """Until the feed is over, and the fault that was under way then."""
        limit = None if self._options.messages is not None else self._options.seconds
        await asyncio.wait({feed, hurt}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        self.feeder.stop()
        if hurt.done():
            hurt.result()  # it ends before the feed only by an error
        await feed
        await hurt

    async def _hurt(self, begun: float) -> None:
        """One fault after the other, until the feed is over."""
        strikes = Strikes(self._system)
        faults = [fault for fault in FAULTS if fault in self._options.faults and fault not in self._skipped]
        hurry: float | None = None
        for planned in schedule(faults, every=self._options.every, seed=self._options.settings.seed):
            self.doing = "feeding"
            if await self._over_within(planned.pause if hurry is None else hurry):
                return
            hurry = None if planned.patient else planned.chance
            self.doing = planned.fault
            await self._episode(strikes, planned, begun)

    async def _over_within(self, pause: float) -> bool:
        try:
            async with asyncio.timeout(pause):
                await self.feeder.over.wait()
        except TimeoutError:
            return False
        return True

    async def _episode(self, strikes: Strikes, planned: Planned, begun: float) -> None:
        at, doubled = self._clock.monotonic(), self.judge.counts.doubled
        self.judge.mark()
        await strikes.strike(planned)
        recovered = await self._recovered() if planned.patient else None
        self.episodes.append(
            Episode(
                planned.fault,
                round(at - begun, 3),
                round(self._clock.monotonic() - at, 3),
                round(self.judge.silence, 3),
                self.judge.counts.doubled - doubled,
                recovered,
            )
        )
        self._tell(self.episodes[-1])

    async def _recovered(self) -> bool:
        """Whether the daemon catches up."""
        await asyncio.sleep(_SETTLES)
        limit = max(50.0, _BEHIND * self._options.settings.rate)
        return await self._owing_at_most(limit, within=_RECOVERS_WITHIN)

    async def _complete(self) -> None:
        """Until nothing is owed, or nothing more is to be hoped for."""
        self.doing = "waiting for what is owed"
        await self._system.daemon.ready()
        await self._owing_at_most(0, within=_ENDS_WITHIN)
        await asyncio.sleep(_SETTLES)  # for what comes twice

    async def _owing_at_most(self, limit: float, *, within: float) -> bool:
        deadline = self._clock.monotonic() + within
        while self.judge.outstanding > limit:
            if self._clock.monotonic() > deadline:
                return False
            await asyncio.sleep(_LOOK)
        return True

    async def _report(self, daemon: Daemon, seconds: float, code: int | None) -> Report:
        left = await self._left_behind()
        letters = self._options.folder / "rejects.jsonl"
        return Report(
            seed=self._options.settings.seed,
            seconds=round(seconds, 3),
            sent=self.feeder.sent,
            acknowledged=self.feeder.acknowledged,
            results=self.judge.counts,
            lost=self.judge.outstanding,
            longest=round(self.judge.longest, 3),
            feeder_pause=round(self.feeder.pause, 3),
            episodes=self.episodes,
            skipped=self._skipped,
            lives=daemon.lives,
            deaths=daemon.deaths,
            code=code,
            ledger=await asyncio.to_thread(daemon.ledger),
            dead_letters=await asyncio.to_thread(_lines, letters),
            left_behind=left,
            examples=self.judge.examples + self.judge.missing(),
        )

    async def _left_behind(self) -> int:
        """How many processes are still there although they should have ended; they are ended."""
        deadline = self._clock.monotonic() + _LEAVES_WITHIN
        left = await asyncio.to_thread(processes.marked, self._mark)
        while left and self._clock.monotonic() < deadline:
            await asyncio.sleep(_SETTLES)
            left = await asyncio.to_thread(processes.marked, self._mark)
        processes.end(left)
        return len(left)


@asynccontextmanager
async def _broker(options: Options) -> AsyncIterator[tuple[Broker | None, str, int]]:
    """Host and port of the broker, and itself if it is ours."""
    if options.url is not None or options.mosquitto is None:
        host, port = options.url or ("127.0.0.1", 1883)
        yield None, host, port
        return
    folder = options.folder / "broker"
    folder.mkdir(exist_ok=True)
    broker = Broker(options.mosquitto, folder)
    async with broker.running():
        yield broker, "127.0.0.1", broker.port


@asynccontextmanager
async def _running(client: Client) -> AsyncIterator[None]:
    task = asyncio.create_task(client.run(), name="client")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _lines(file: Path) -> int:
    return len(file.read_bytes().splitlines()) if file.exists() else 0
