"""Timers as a source, as the config says them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from riotd import timetables
from riotd.config.connection import Block, Duration
from riotd.errors import Mistake
from riotd.schedules import Cron

_KINDS = {
    "every": ("align", "window", "at_start", "missed"),
    "cron": ("timezone", "window", "at_start", "missed"),
    "file": ("speed", "repeat"),
}
"""Keys that say when, and those that go with each."""

_SHOWN = 10
"""Wrong rows of a file that are named one by one."""


def _milliseconds(value: float) -> float:
    if value < 0.01 or abs(value * 1000 - round(value * 1000)) > 1e-6:
        raise ValueError(f"must be a whole number of milliseconds, and at least 10ms (is {value:g}s)")
    return value


_Interval = Annotated[Duration, AfterValidator(_milliseconds)]


class TimerSource(Block):
    """Ticks, each a message that says which stretch of time has just ended; exactly one of every, cron, file.

    Attributes:
        type: `timer`.
        every: interval, counted from the start.
        align: with every: at the multiples of the interval since 1970 (UTC), so that 1h is on the hour.
        cron: minute, hour, day of the month, month, day of the week; six fields begin with the seconds.
        timezone: with cron: the line's time zone, such as Europe/Berlin; default UTC.
        file: RIoTBench's timer file, rows of msgId,timestamp,rowstart,rowend; its first row is due at the start.
        speed: with file: 10 is ten times as fast as its timestamps say.
        repeat: with file: begin again behind its end; else the source ends there.
        window: how far back a tick's stretch of time goes; default to the tick before.
        at_start: one tick at once, for the latest stretch that has ended; else the first when the next one has.
        missed: what ended while the daemon was down: `skip` leaves it out; `once` makes up for it by one tick at the
            start, whose stretch begins where that of the last tick ended, which is kept in the state folder.
    """

    type: Literal["timer"]
    every: _Interval | None = None
    align: bool = False
    cron: str | None = None
    timezone: str | None = None
    file: str | None = None
    speed: float = Field(default=1.0, gt=0, le=1e6)
    repeat: bool = False
    window: _Interval | None = None
    at_start: bool = False
    missed: Literal["skip", "once"] = "skip"

    @model_validator(mode="after")
    def _one(self) -> "TimerSource":
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of every, cron, file")
        fit = _KINDS[given[0]]
        strays = {key for keys in _KINDS.values() for key in keys if key not in fit and self._differs(key)}
        if strays:
            raise ValueError(f"{min(strays)} does not go with {given[0]}, with which go {', '.join(fit)}")
        if self.cron is not None:
            Cron(self.cron, self.timezone or "UTC")
        return self

    def _differs(self, key: str) -> bool:
        """Whether a key says more than its default, which is in every dump of the settings."""
        return bool(getattr(self, key) != type(self).model_fields[key].default)


def timer_mistakes(where: str, block: TimerSource) -> Iterator[Mistake]:
    """What is wrong with the file that a timer source reads: that it is not there, or which of its rows.

    Args:
        where: path of the block in the file, `source` or `sources.<name>`.
        block: right in itself.
    """
    if block.file is None:
        return
    try:
        found = timetables.read(Path(block.file))
    except ValueError as error:
        yield Mistake(f"{where}.file", str(error), f"rows are {timetables.HEADER}")
        return
    wrong = [row for row in found if isinstance(row, timetables.WrongRow)]
    for row in wrong[:_SHOWN]:
        yield Mistake(f"{where}.file", f"{block.file}, line {row.line}: {row.reason}")
    if len(wrong) > _SHOWN:
        yield Mistake(f"{where}.file", f"{block.file}: {len(wrong) - _SHOWN} more of its rows are wrong")
    right = [row for row in found if isinstance(row, timetables.Row)]
    if not right:
        yield Mistake(f"{where}.file", f"{block.file} has no right row", f"rows are {timetables.HEADER}")
    elif block.repeat and right[0].time == right[-1].time:
        yield Mistake(f"{where}.repeat", f"all rows of {block.file} are at the same time", "say every: instead")
