"""Session windows: one lasts until nothing has come for a while.

As Akidau et al. have them, "The Dataflow Model", PVLDB 8 (2015), section 2.2: each number makes a window of the gap's
length, windows that overlap merge.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from riot_tasks.algorithms.event_windows import (
    PUNCTUAL,
    Allowance,
    Cells,
    EventWindows,
    TooLate,
    Window,
    instant,
    saved,
)


class _Session:
    """One session; `given` is whether its result is out, `late` whether one of it or of a part of it was before."""

    __slots__ = ("cells", "end", "given", "late", "start")

    def __init__(self, start: float, end: float, cells: Cells, *, late: bool, given: bool = False) -> None:
        self.start, self.end, self.cells, self.late, self.given = start, end, cells, late, given


class Sessions(EventWindows):
    """Windows from a first number to `gap` seconds after the last one; a pause of `gap` or more ends them.

    What is late may join sessions that are still kept. A session whose result is out is given once more then, as late:
    at once, or when the watermark passes its new end.

    Args:
        gap: seconds, at least 1 ms.
        allowance, quantiles: as for `EventWindows`.

    State: up to (delay + lateness) / gap + 1 sessions, rounded up.
    """

    def __init__(self, *, gap: float, allowance: Allowance = PUNCTUAL, quantiles: bool = False) -> None:
        super().__init__(allowance, quantiles=quantiles)
        self._gap = gap
        self._sessions: list[_Session] = []  # apart from each other, in the order of their times

    def update(self, time: float, numbers: Mapping[str, float]) -> Sequence[Window]:
        """Take the numbers of an instant, at least one; the windows that are due then, in the order of their ends."""
        session = self._sessions[-1] if self._sessions else None
        if session is not None and session.start <= time < session.end and not session.given:
            session.end = max(session.end, time + self._gap)
        else:
            session = self._joined(time)
        self._fill(session.cells, numbers)
        if session.end <= self._watermark:
            return (self._window(session, late=True),)
        mark = time - self._delay
        return self._pass(mark) if mark > self._watermark else ()

    def finish(self) -> Sequence[Window]:
        """Let the watermark pass the end of every window; those that are due then."""
        last = self._sessions[-1].end if self._sessions else -inf
        return self._pass(last) if last > self._watermark else ()

    def _joined(self, time: float) -> _Session:
        """The session that a time makes of those it overlaps; a new one if there are none."""
        start, end = time, time + self._gap
        near = [each for each in self._sessions if each.start < end and time < each.end]
        if near:
            start, end = min(start, near[0].start), max(end, near[-1].end)
        over = self._watermark - self._lateness - end
        if over >= 0:
            raise TooLate(over)
        cells = near[0].cells if near else {}
        for each in near[1:]:
            self._merge(cells, each.cells)
        session = _Session(start, end, cells, late=any(each.given or each.late for each in near))
        self._sessions = sorted([*(each for each in self._sessions if each not in near), session], key=_start)
        self._alarm = min(self._alarm, end)
        return session

    def _due(self) -> Sequence[Window]:
        now = self._watermark
        ended = [each for each in self._sessions if each.end <= now and not each.given]
        found = [self._window(each, late=each.late) for each in ended]
        self._sessions = [each for each in self._sessions if each.end > now - self._lateness]
        self._alarm = min((each.end + self._lateness * each.given for each in self._sessions), default=inf)
        return found

    def _window(self, session: _Session, *, late: bool) -> Window:
        session.given = True
        return Window(instant(session.start), instant(session.end), late, session.cells)

    def state(self) -> dict[str, Any]:
        """The watermark, and the sessions as rows of start, end, summaries, late and given."""
        rows = [[each.start, each.end, saved(each.cells), each.late, each.given] for each in self._sessions]
        return {"watermark": self._watermark, "sessions": rows}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._watermark = state["watermark"]
        self._sessions = [
            _Session(start, end, self._loaded(cells), late=late, given=given)
            for start, end, cells, late, given in state["sessions"]
        ]
        self._alarm = min((each.end for each in self._sessions), default=inf)  # early, at worst


def _start(session: _Session) -> float:
    return session.start
