"""One drill: a scratch system is fed, hurt and judged."""

import asyncio
import secrets
from collections.abc import Callable
from itertools import islice
from math import inf
from pathlib import Path

import msgspec

from riotd.clock import Clock
from riotd.drill import processes
from riotd.drill.daemon import Daemon
from riotd.drill.faults import FAULTS, Planned, schedule
from riotd.drill.feeder import Feeder
from riotd.drill.judge import Judge
from riotd.drill.report import Episode, Report
from riotd.drill.scratch import Options, Scratch, skipped
from riotd.drill.spread import Spread
from riotd.drill.strikes import Strikes, System
from riotd.drill.subject import Finding, Subject

_LOOK = 0.02
"""Seconds between two looks whether the daemon has caught up."""
_SETTLES = 0.5
"""Seconds after a fault before it can be said to have caught up: what is on its way still comes."""
_RECOVERS_WITHIN = 60.0
_BEHIND = 0.25
"""Seconds of feed that are always on their way."""
_QUIET = 3.0
"""Seconds without a result after which none is expected any more, where nobody knows how many there are."""
_ENDS_WITHIN = 90.0
"""Seconds for what is owed at the end."""
_LEAVES_WITHIN = 15.0
"""Seconds until what has outlived the daemon counts as left behind."""


class Drill:
    """Brings the parts together for a while.

    Args:
        options: what was asked for.
        subject: the dataflow.
        clock: the machine's.
        tell: called with each fault that is over.

    Attributes:
        judge, feeder: for who wants to watch.
        episodes: the faults so far.
        kills: how many of them killed a process.
        doing: what is being done.
        findings: if it is a list, results are put there, and not judged.
    """

    def __init__(
        self, options: Options, subject: Subject, *, clock: Clock, tell: Callable[[Episode], None] | None = None
    ) -> None:
        self._options, self._subject, self._clock, self._tell = options, subject, clock, tell
        self._skipped = skipped(options, subject.engine)
        self._mark = secrets.token_hex(8)
        self._system: System
        self.judge = Judge()
        items = islice(subject.items(), options.messages)
        self.feeder = Feeder(items, self.judge, rate=options.rate, most=options.messages, clock=clock)
        self.findings: list[Finding] | None = None
        self.episodes: list[Episode] = []
        self.kills = 0
        self._heard_at = 0.0
        self.doing = "starting broker and daemon"

    async def run(self) -> Report:
        """The whole drill.

        Raises:
            RiotdError: broker or daemon do not start, or the daemon does not stay alive.
        """
        scratch = Scratch(self._options, self._subject, self._mark)
        async with scratch.laid_out(self.feeder, self._hear) as (system, feeding, judging):
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

    def _hear(self, topic: str, payload: bytes) -> None:
        finding = self._subject.read(topic, payload)
        if finding is None:
            return
        self._heard_at = self._clock.monotonic()
        if self.findings is not None:
            self.findings.append(finding)
        else:
            self.judge.hear(*finding, now=self._heard_at)

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
        if self._options.kills is not None and self._options.messages is not None:
            await self._kill(strikes, faults, begun, kills=self._options.kills, messages=self._options.messages)
            return
        hurry: float | None = None
        for planned in schedule(faults, every=self._options.every, seed=self._options.seed):
            self.doing = "feeding"
            if await self._over_within(planned.pause if hurry is None else hurry):
                return
            hurry = None if planned.patient else planned.chance
            self.doing = planned.fault
            await self._episode(strikes, planned, begun)
        await self.feeder.over.wait()  # there are none

    async def _kill(self, strikes: Strikes, faults: list[str], begun: float, *, kills: int, messages: int) -> None:
        """So many kills, spread over the messages."""
        spread, feeder, hurry = Spread(kills, messages, seed=self._options.seed), self.feeder, 0.0
        for planned in schedule(faults, every=self._options.every, seed=self._options.seed):
            if strikes.kills >= kills:
                break
            feeder.limit, at = spread.limit(strikes.kills), spread.strikes_at(strikes.kills, feeder.sent)
            self.doing = f"feeding; {strikes.kills} of {kills} kills"
            if hurry:
                await asyncio.sleep(hurry)
            else:
                await self._until(lambda at=at: feeder.sent >= at or feeder.over.is_set(), within=inf)  # type: ignore[misc]  # of a loop's variable
            hurry = 0.0 if planned.patient else planned.chance
            self.doing = planned.fault
            await self._episode(strikes, planned, begun)
            self.kills = strikes.kills
        feeder.limit = None
        await feeder.over.wait()

    async def _over_within(self, pause: float) -> bool:
        try:
            async with asyncio.timeout(pause):
                await self.feeder.over.wait()
        except TimeoutError:
            return False
        return True

    async def _episode(self, strikes: Strikes, planned: Planned, begun: float) -> None:
        self._count_up()
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
        if self._tell is not None:
            self._tell(self.episodes[-1])

    def _count_up(self) -> None:
        """What has come again since the last fault is that one's."""
        if self.episodes:
            after = self.judge.counts.doubled - sum(each.doubled_after for each in self.episodes)
            self.episodes[-1] = msgspec.structs.replace(self.episodes[-1], doubled_after=after)

    async def _recovered(self) -> bool:
        """Whether the daemon catches up."""
        struck = self._clock.monotonic()
        await asyncio.sleep(_SETTLES)
        limit = max(50.0, _BEHIND * self._options.rate)

        def caught_up() -> bool:
            return self.judge.outstanding <= limit if self._subject.immediate else self._heard_at > struck

        return await self._until(caught_up, within=_RECOVERS_WITHIN)

    async def _complete(self) -> None:
        """Until nothing is owed, or nothing more is to be hoped for."""
        self.doing = "waiting for what is owed"
        await self._system.daemon.ready()
        if self._subject.immediate:
            await self._until(lambda: not self.judge.outstanding, within=_ENDS_WITHIN)
        else:
            await self._until(lambda: self._clock.monotonic() - self._heard_at > _QUIET, within=_ENDS_WITHIN)
        await asyncio.sleep(_SETTLES)  # for what comes twice

    async def _until(self, fulfilled: Callable[[], bool], *, within: float) -> bool:
        """Whether it is, in time."""
        deadline = self._clock.monotonic() + within
        while not fulfilled():
            if self._clock.monotonic() > deadline:
                return False
            await asyncio.sleep(_LOOK)
        return True

    async def _report(self, daemon: Daemon, seconds: float, code: int | None) -> Report:
        self._count_up()
        left = await self._left_behind()
        letters = self._options.folder / "rejects.jsonl"
        return Report(
            seed=self._options.seed,
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
            kills=self.kills,
            kills_asked=self._options.kills or 0,
            batch=self._subject.batch,
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


def _lines(file: Path) -> int:
    return len(file.read_bytes().splitlines()) if file.exists() else 0
