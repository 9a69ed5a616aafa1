"""When something is due: every so often, or as a line of cron says.

Times are whole milliseconds since 1970 (UTC), so that sums are exact: a due time is always computed from the
schedule, never from the one before it, and what follows one is never it again.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

COUNTED: Final = 1000
"""Due times of a cron line that `count` counts at most: each takes some 20 µs to find."""

_SAMPLE: Final = 1_700_000_000_000
"""Whenever: to see whether a line is due at all."""


class Schedule(Protocol):
    """Due times, from for ever to for ever."""

    def after(self, moment: int) -> int:
        """The first one after it."""

    def last(self, moment: int) -> int:
        """The last one not after it."""

    def count(self, begin: int, end: int) -> int:
        """How many there are after `begin` and not after `end`; a few too few where they are very many."""


class Every:
    """Each `period` milliseconds, and at `origin`."""

    def __init__(self, period: int, *, origin: int = 0) -> None:
        """With origin 0: at the multiples of the period since 1970."""
        self._period = period
        self._origin = origin

    def after(self, moment: int) -> int:
        """As `Schedule.after`."""
        return self.last(moment) + self._period

    def last(self, moment: int) -> int:
        """As `Schedule.last`."""
        return moment - (moment - self._origin) % self._period

    def count(self, begin: int, end: int) -> int:
        """As `Schedule.count`; exact."""
        return max(self.last(end) - self.last(begin), 0) // self._period


class Cron:
    """As Debian's cron would do it, in a time zone.

    Five fields (minute, hour, day of the month, month, day of the week), or six with the seconds before them. Where
    the clocks go forward, what was to be in the hour that is left out comes right behind it. Where they go back, a
    line with fixed hours is due once in the hour that is there twice, one with `*` in the minute or the hour twice.
    """

    def __init__(self, line: str, zone: str = "UTC") -> None:
        """Neither is changed afterwards.

        Raises:
            ValueError: the line is none, or is never due, or there is no such time zone.
        """
        self._line = line
        self._zone = _zone(zone)
        try:
            self.after(_SAMPLE)
        except CronSimError as error:
            wrong = f"{line!r} is no line of cron: {_lowered(str(error))}"
            raise ValueError(f"{wrong}; write it like '*/5 * * * *'") from None
        except StopIteration:
            raise ValueError(f"{line!r} is never due: no month has such a day") from None

    def after(self, moment: int) -> int:
        """As `Schedule.after`."""
        # in the second of two equal hours cronsim gives times of the first, too
        return next(due for due in self._walk(moment // 1000) if due > moment)

    def last(self, moment: int) -> int:
        """As `Schedule.last`."""
        found = next(due for due in self._walk(moment // 1000 + 1, back=True) if due <= moment)
        while (following := self.after(found)) <= moment:  # walking back it passes over some beside a changed hour
            found = following
        return found

    def count(self, begin: int, end: int) -> int:
        """As `Schedule.count`: up to `COUNTED`."""
        found = 0
        while found < COUNTED and (begin := self.after(begin)) <= end:
            found += 1
        return found

    def _walk(self, second: int, *, back: bool = False) -> Iterator[int]:
        begin = datetime.fromtimestamp(second, self._zone)
        return (int(due.timestamp()) * 1000 for due in CronSim(self._line, begin, reverse=back))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # not there; no name at all; a folder of names
        remedy = "write it like Europe/Berlin; if it is one, install tzdata"
        raise ValueError(f"there is no time zone {name!r} on this machine; {remedy}") from None


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
