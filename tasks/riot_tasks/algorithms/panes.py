"""Tumbling and sliding windows, each made of panes.

A number is kept once, in the pane between two starts of windows, however many windows overlap there; a window's
summary is merged from its panes when it is due. Li et al., "No Pane, No Gain: Efficient Evaluation of Sliding-Window
Aggregates over Data Streams", SIGMOD Record 34 (2005).
"""

from collections.abc import Iterator, Mapping, Sequence
from math import floor, inf
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


class Panes(EventWindows):
    """Windows of `panes * every` seconds, one beginning every `every` seconds since 1970 plus `offset`.

    Pane n begins at n * every + offset. Window n ends with it, so it is panes n - panes + 1 to n.

    Args:
        panes: in a window; 1 is tumbling.
        every: seconds of a pane, at least 1 ms.
        offset: seconds.
        allowance, quantiles: as for `EventWindows`.

    State: up to panes + (delay + lateness) / every + 1 panes, rounded up.
    """

    def __init__(
        self,
        *,
        panes: int,
        every: float,
        offset: float = 0.0,
        allowance: Allowance = PUNCTUAL,
        quantiles: bool = False,
    ) -> None:
        super().__init__(allowance, quantiles=quantiles)
        self._number = panes
        self._every = every
        self._offset = offset
        self._whole = float(every).is_integer() and float(offset).is_integer()
        self._panes: dict[int, Cells] = {}
        self._past = 0  # windows before it are past, as of the last pane made or result given
        # the pane of the last number, as long as none of its windows is past: nearly always that of the next one too
        self._low, self._high = inf, -inf
        self._cells: Cells = {}

    def update(self, time: float, numbers: Mapping[str, float]) -> Sequence[Window]:
        """Take the numbers of an instant, at least one; the windows that are due then, in the order of their ends."""
        if not self._low <= time < self._high:
            pane = self._pane(time)
            if self._end(pane) <= self._watermark:
                self._fill(self._panes[pane], numbers)
                return self._corrected(pane)
            self._low, self._high, self._cells = self._bound(pane), self._end(pane), self._panes[pane]
        cells = self._cells
        for name, number in numbers.items():
            if name not in cells:
                cells[name] = self._fresh()
            cells[name].add(number)
        mark = time - self._delay
        if mark <= self._watermark:
            return ()
        return self._pass(mark)

    def finish(self) -> Sequence[Window]:
        """Let the watermark pass the end of every window; those that are due then."""
        last = self._end(max(self._panes) + self._number - 1) if self._panes else -inf
        return self._pass(last) if last > self._watermark else ()

    def _pane(self, time: float) -> int:
        """The pane of a time, which is there then."""
        pane = self._at(time)
        over = self._watermark - self._lateness - self._end(pane + self._number - 1)
        if over >= 0:
            raise TooLate(over)
        if pane not in self._panes:
            self._panes[pane] = {}
            self._look()
        return pane

    def _at(self, time: float) -> int:
        """Which pane a time is in: the last that does not begin after it."""
        pane = floor((time - self._offset) / self._every)
        if self._bound(pane) > time:
            return pane - 1
        return pane + (self._end(pane) <= time)

    def _bound(self, pane: int) -> float:
        bound = pane * self._every + self._offset
        return bound if self._whole else instant(bound)

    def _end(self, pane: int) -> float:
        return self._bound(pane + 1)

    def _due(self) -> Sequence[Window]:
        first = self._past
        now = self._look()
        found = [self._window(window, late=False) for window in self._filled(first, now)]
        if self._high <= self._watermark:
            self._low, self._high = inf, -inf
        over = self._at(self._watermark - self._lateness) if self._lateness else now
        for pane in [pane for pane in self._panes if pane + self._number <= over]:
            del self._panes[pane]
        return found

    def _look(self) -> int:
        """Which window is the first that is not past; sets the alarm to the end of the first of those with a pane."""
        now = self._at(self._watermark) if self._watermark > -inf else min(self._panes)
        ahead = [pane for pane in self._panes if pane + self._number > now]
        self._alarm = self._end(max(min(ahead), now)) if ahead else inf
        self._past = now
        return now

    def _filled(self, first: int, now: int) -> Iterator[int]:
        """The windows from `first` on before `now` that have a pane, in order."""
        for pane in sorted(self._panes):
            end = min(pane + self._number, now)
            yield from range(max(pane, first), end)
            first = max(first, end)

    def _corrected(self, pane: int) -> Sequence[Window]:
        """The windows of a pane that are past and still kept."""
        kept = self._watermark - self._lateness
        past = range(pane, min(pane + self._number, self._at(self._watermark)))
        return [self._window(window, late=True) for window in past if self._end(window) > kept]

    def _window(self, window: int, *, late: bool) -> Window:
        first = window - self._number + 1
        cells: Cells = self._panes[window] if self._number == 1 else {}
        for pane in range(first, window + 1) if self._number > 1 else ():
            self._merge(cells, self._panes.get(pane, {}))
        return Window(self._bound(first), self._end(window), late, cells)

    def state(self) -> dict[str, Any]:
        """The watermark, the panes as pairs of number and summaries."""
        panes = [[pane, saved(cells)] for pane, cells in self._panes.items()]
        return {"watermark": self._watermark, "panes": panes}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._watermark = state["watermark"]
        self._panes = {pane: self._loaded(cells) for pane, cells in state["panes"]}
        self._low, self._high = inf, -inf
        if self._panes:
            self._look()
