"""Which ticks are due now: a schedule's, or a timetable's rows. Told the time, waits for nothing."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import msgspec

from riotd.schedules import Schedule
from riotd.timetables import Row, WrongRow

AT_ONCE: Final = 1000
"""Rows given in one go, when many are late."""

_SLEW: Final = 100
"""Milliseconds: a wall clock that lost less between two looks was not set, only slowed."""


class Now(msgspec.Struct, frozen=True):
    """One look at both clocks, in milliseconds.

    Attributes:
        wall: since 1970.
        monotonic: since whenever.
    """

    wall: int
    monotonic: int


class Tick(msgspec.Struct, frozen=True):
    """One tick.

    Attributes:
        n: its number, from 1; a row's `msgId`.
        time: when it was due, in milliseconds since 1970.
        start: first millisecond of the stretch of time it stands for.
        end: first one behind it.
        missed: ticks before it that are in it, too, because nobody took them in their time.
    """

    n: int
    time: int
    start: int
    end: int
    missed: int = 0


class Ticking(Protocol):
    """What gives ticks."""

    def take(self, now: Now) -> Sequence[Tick | WrongRow]:
        """Those that are due and were not given yet."""

    def wait(self, now: Now) -> int | None:
        """Milliseconds until there are more; None is never."""


class Clockwork:
    """Ticks of a schedule, by the wall clock.

    Due ticks that nobody took become one, whose stretch begins where the first one's would have. When the wall clock
    is set back, the next stretch begins where it was set to, so that what is measured then is in it; when it is set
    back by more than a tick, the schedule goes on from there, instead of waiting until the clock is where it was.

    Attributes:
        set_back: how often that happened.
    """

    def __init__(
        self,
        schedule: Schedule,
        now: Now,
        *,
        window: int | None = None,
        at_start: bool = False,
        since: int | None = None,
    ) -> None:
        """With `at_start` the latest tick that was due counts as due now, with `since` all that were after it."""
        self.set_back = 0
        self._schedule = schedule
        self._window = window
        self._since = since if since is not None and since <= now.wall else None
        self._next = schedule.last(now.wall) if at_start else schedule.after(now.wall)
        if self._since is not None:
            self._next = schedule.after(self._since)
        self._given = 0
        self._looked = now
        self._lowest: int | None = None

    @property
    def begins(self) -> int:
        """Where the stretch of the next tick begins, but for a window."""
        return self._schedule.last(self._next - 1) if self._since is None else self._since

    def take(self, now: Now) -> Sequence[Tick]:
        """As `Ticking.take`: one at most."""
        self._look(now)
        if now.wall < self._next:
            return []
        due = self._schedule.last(now.wall)
        self._given += 1
        tick = Tick(self._given, due, self._start(), due, self._schedule.count(self._next, due))
        self._next, self._lowest, self._since = self._schedule.after(due), None, None
        return [tick]

    def wait(self, now: Now) -> int:
        """As `Ticking.wait`."""
        return max(self._next - now.wall, 0)

    def _start(self) -> int:
        begin = self.begins if self._window is None else self._next - self._window
        return begin if self._lowest is None else min(begin, self._lowest)

    def _look(self, now: Now) -> None:
        before, self._looked = self._looked, now
        passed = now.monotonic - before.monotonic
        if now.wall - before.wall >= passed - _SLEW:
            return
        self.set_back += 1
        self._lowest = now.wall - passed if self._lowest is None else min(self._lowest, now.wall - passed)
        previous = self._schedule.last(self._next - 1)
        if now.wall < self._schedule.last(previous - 1):
            self._next = self._schedule.after(now.wall)


class Timetable:
    """The rows of a timer file, by the monotonic clock: what is replayed keeps its pace when the wall clock is set.

    Rows that are late come at once, each for itself, since their stretches need not be next to each other. A wrong
    row comes with the one above it.
    """

    def __init__(self, rows: Iterable[Row | WrongRow], now: Now, *, speed: float = 1.0, repeat: bool = False) -> None:
        """The first row is due now.

        Raises:
            ValueError: they are to be repeated, and all are at the same time.
        """
        self._rows = list(rows)
        times = [row.time for row in self._rows if isinstance(row, Row)]
        self._first = times[0] if times else 0
        self._begun = now.monotonic
        self._speed = speed
        self._lap = lap(times) if repeat else 0
        if repeat and not self._lap:
            raise ValueError("all rows are at the same time, so there is no time in which to repeat them")
        self._laps = 0
        self._at = 0
        self._offset = 0.0

    def take(self, now: Now) -> Sequence[Tick | WrongRow]:
        """As `Ticking.take`: `AT_ONCE` at most."""
        found: list[Tick | WrongRow] = []
        while len(found) < AT_ONCE and (late := self._late(now)) is not None and late >= 0:
            row = self._rows[self._at]
            found.append(row if isinstance(row, WrongRow) else Tick(row.id, now.wall - late, row.start, row.end))
            self._step()
        return found

    def wait(self, now: Now) -> int | None:
        """As `Ticking.wait`."""
        late = self._late(now)
        return None if late is None else max(-late, 0)

    def _late(self, now: Now) -> int | None:
        """Milliseconds since the next row was due; None behind the last one."""
        if self._at == len(self._rows):
            return None
        row = self._rows[self._at]
        if isinstance(row, Row):
            self._offset = (row.time - self._first + self._laps * self._lap) / self._speed
        return now.monotonic - self._begun - int(self._offset)

    def _step(self) -> None:
        self._at += 1
        if self._at == len(self._rows) and self._lap:
            self._at, self._laps = 0, self._laps + 1


def lap(times: Sequence[int]) -> int:
    """From the first of these to where the first one of a repetition is: as much behind the last as is before it."""
    if not times:
        return 0
    before = next((time for time in reversed(times) if time < times[-1]), times[-1])
    return times[-1] - times[0] + times[-1] - before
