"""A timer as a source: each tick is a message that says which stretch of time has just ended."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import orjson

from riotd import timetables
from riotd.clock import Clock
from riotd.config import timers as cfg
from riotd.errors import ConfigError, Mistake
from riotd.messages import Message
from riotd.schedules import Cron, Every, Schedule
from riotd.sources.remembering import Memory
from riotd.sources.ticking import Clockwork, Now, Tick, Ticking, Timetable
from riotd.timetables import WrongRow

LOOKS: Final = 1.0
"""Seconds between two looks at the clocks at most: nobody says when the wall clock is set or the machine was asleep."""

log = logging.getLogger(__name__)


class TimerSource:
    """A source of ticks.

    A message's topic is `timer/<name>`, its payload a JSON object: `n`, the tick's number, from 1; `time`, when it was
    due, in Unix seconds; `rowstart` and `rowend`, the stretch of time before it, in milliseconds since 1970, the second
    one not in it; `missed`, how many ticks before it are in it too. Of a timer file, `n` and the stretch are the row's.

    Nothing is kept ready: a tick is made when it is taken. What was due while nobody took any, because the pump had no
    credits or the machine was asleep, comes as one tick with the whole stretch; of a timer file, row by row. A wrong
    row comes as a message that is no JSON and says what is wrong, so that it ends as a dead letter.

    Args:
        config: the block.
        name: the source's, or the daemon's where a source has none.
        clock: both times.
        memory: where the end of the last tick is kept that was acknowledged; None if nobody asks for it. What ended
            since then is one tick at the start. It is kept before the next tick is given: a daemon that is killed
            between the two stands for the same time twice.
    """

    def __init__(self, config: cfg.TimerSource, *, name: str, clock: Clock, memory: Memory | None = None) -> None:
        self._config = config
        self._memory = memory
        self._ends: deque[int] = deque()  # of the ticks that are not acknowledged
        self._done: int | None = None
        self._topic = f"timer/{name}"
        self._clock = clock
        self._ticking: Ticking | None = None
        self._stopping = asyncio.Event()
        self._counts = {"received": 0, "bytes": 0, "missed": 0, "wrong": 0}

    async def __aenter__(self) -> Self:
        """Begin to count.

        Raises:
            ConfigError: the timer file can't be read, or not be repeated.
        """
        self._ticking = await self._begin(self._config)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep where it was."""
        await self.stop()
        if self._memory is not None:
            await self._memory.keep(self._done)

    async def receive(self) -> Sequence[Message]:
        """As `Source.receive`: one tick, or the rows of a timer file that are due. The end is behind its last one."""
        if self._memory is not None:
            await self._memory.keep(self._done)
        while self._ticking is not None and not self._stopping.is_set():
            now = self._now()
            if found := self._ticking.take(now):
                return self._messages(found)
            pause = self._ticking.wait(now)
            if pause is None:
                break
            await self._nap(min(pause / 1000, LOOKS))
        return []

    async def ack(self, messages: Sequence[Message]) -> None:
        """As `Source.ack`: where the last one ended is kept with the next `receive`."""
        for _ in range(min(len(messages), len(self._ends))):
            self._done = self._ends.popleft()

    async def stop(self) -> None:
        """As `Source.stop`: no tick was made that was not given."""
        self._stopping.set()

    def counters(self) -> Mapping[str, int]:
        """Ticks `received`, their `bytes`; ticks `missed`, `wrong` rows; how often the clock was `set_back`."""
        set_back = self._ticking.set_back if isinstance(self._ticking, Clockwork) else 0
        return {**self._counts, "set_back": set_back}

    async def _begin(self, config: cfg.TimerSource) -> Ticking:
        if config.file is not None:
            return await self._timetable(config.file)
        now = self._now()
        window = None if config.window is None else round(config.window * 1000)
        since = None if self._memory is None else await self._memory.recall()
        schedule = _schedule(config, now.wall if since is None else since)
        clockwork = Clockwork(schedule, now, window=window, at_start=config.at_start, since=since)
        self._done = clockwork.begins
        return clockwork

    async def _timetable(self, file: str) -> Timetable:
        try:
            rows = await asyncio.to_thread(timetables.read, Path(file))
            return Timetable(rows, self._now(), speed=self._config.speed, repeat=self._config.repeat)
        except ValueError as error:
            remedy = f"give a file with rows of {timetables.HEADER}"
            raise ConfigError([Mistake(self._topic, str(error), remedy)]) from error

    def _now(self) -> Now:
        return Now(int(self._clock.wall() * 1000), int(self._clock.monotonic() * 1000))

    async def _nap(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _messages(self, found: Sequence[Tick | WrongRow]) -> Sequence[Message]:
        received = self._clock.monotonic()
        payloads = [_payload(each) for each in found]
        self._count(found, payloads)
        if self._memory is not None:
            self._ends.extend(each.end for each in found if isinstance(each, Tick))
        return [Message(self._topic, payload, received) for payload in payloads]

    def _count(self, found: Sequence[Tick | WrongRow], payloads: Sequence[bytes]) -> None:
        counts = self._counts
        counts["received"] += len(found)
        counts["bytes"] += sum(map(len, payloads))
        for each in found:
            if isinstance(each, WrongRow):
                counts["wrong"] += 1
                log.warning("%s: line %d of the timer file will be refused: %s", self._topic, each.line, each.reason)
            elif each.missed:
                counts["missed"] += each.missed
                log.warning("%s: %d ticks missed; the next one stands for them too", self._topic, each.missed)


def _payload(each: Tick | WrongRow) -> bytes:
    if isinstance(each, WrongRow):
        return f"{each.text[:200]} ... [line {each.line} of the timer file: {each.reason}]".encode()
    return orjson.dumps({
        "n": each.n,
        "time": each.time / 1000,
        "rowstart": each.start,
        "rowend": each.end,
        "missed": each.missed,
    })


def _schedule(config: cfg.TimerSource, now: int) -> Schedule:
    if config.cron is not None:
        return Cron(config.cron, config.timezone or "UTC")
    assert config.every is not None  # noqa: S101 - for mypy; the block has exactly one of the three
    return Every(round(config.every * 1000), origin=0 if config.align else now)
