"""Windows of event time the slow way: every record is looked at again for each result."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple

LATE = "late"
Said = list[tuple[float, float, bool, list[float]]] | str
"""What a reading brings about: windows as start, end, whether late, and their readings in order; or that it is late."""


class Setting(NamedTuple):
    """How windows are, `gap` for sessions, else the others."""

    size: float = 0.0
    every: float = 0.0
    offset: float = 0.0
    gap: float = 0.0
    delay: float = 0.0
    lateness: float = 0.0


class Aligned:
    """Tumbling and sliding windows: each reading says which windows it is in, and counts where it is not too late."""

    def __init__(self, setting: Setting) -> None:
        self._of = setting
        self._kept: list[tuple[float, list[float]]] = []  # readings, and the starts of the windows they count in
        self._watermark = -inf

    def take(self, time: float, reading: float) -> Said:
        """What a reading brings about."""
        of, watermark = self._of, self._watermark
        starts = [start for start in self._starts(time) if start + of.size > watermark - of.lateness]
        if not starts:
            return LATE
        self._kept.append((reading, starts))
        corrected = [self._window(start, late=True) for start in starts if start + of.size <= watermark]
        return corrected + self.advance(time - of.delay)

    def advance(self, watermark: float) -> Said:
        """What ends until then."""
        of, before = self._of, self._watermark
        self._watermark = max(before, watermark)
        starts = sorted({start for _, starts in self._kept for start in starts})
        return [self._window(s, late=False) for s in starts if before < s + of.size <= self._watermark]

    def finish(self) -> Said:
        """What is open."""
        return self.advance(max((starts[-1] for _, starts in self._kept), default=-inf) + self._of.size)

    def _starts(self, time: float) -> list[float]:
        of = self._of
        near = int((time - of.offset) // of.every)
        around = range(near - round(of.size / of.every) - 2, near + 3)
        starts = [number * of.every + of.offset for number in around]
        return [start for start in starts if start <= time < start + of.size]

    def _window(self, start: float, *, late: bool) -> tuple[float, float, bool, list[float]]:
        readings = sorted(reading for reading, starts in self._kept if start in starts)
        return (start, start + self._of.size, late, readings)


class Grouped:
    """Sessions: all readings in order of time, cut where there is a gap."""

    def __init__(self, setting: Setting) -> None:
        self._of = setting
        self._kept: list[list[float]] = []  # time, reading, whether it is in a result
        self._watermark = -inf

    def take(self, time: float, reading: float) -> Said:
        """What a reading brings about."""
        row = [time, reading, False]
        self._kept.append(row)
        group = next(group for group in self._groups() if any(each is row for each in group))
        if self._end(group) <= self._watermark - self._of.lateness:
            self._kept.pop()
            return LATE
        if self._end(group) <= self._watermark:
            return [self._given(group, late=True)]
        return self.advance(time - self._of.delay)

    def advance(self, watermark: float) -> Said:
        """What ends until then."""
        self._watermark = max(self._watermark, watermark)
        ended = [group for group in self._groups() if self._end(group) <= self._watermark]
        said: Said = [
            self._given(group, late=any(row[2] for row in group)) for group in ended if not all(row[2] for row in group)
        ]
        over = [row for group in ended if self._end(group) <= self._watermark - self._of.lateness for row in group]
        self._kept = [row for row in self._kept if not any(row is each for each in over)]
        return said

    def finish(self) -> Said:
        """What is open."""
        return self.advance(max((row[0] for row in self._kept), default=-inf) + self._of.gap)

    def _groups(self) -> list[Sequence[list[float]]]:
        ordered = sorted(self._kept, key=lambda row: row[0])
        cuts = [at for at in range(1, len(ordered)) if ordered[at][0] - ordered[at - 1][0] >= self._of.gap]
        return [ordered[first:last] for first, last in pairwise([0, *cuts, len(ordered)]) if ordered]

    def _end(self, group: Sequence[list[float]]) -> float:
        return group[-1][0] + self._of.gap

    def _given(self, group: Sequence[list[float]], *, late: bool) -> tuple[float, float, bool, list[float]]:
        for row in group:
            row[2] = True
        return (group[0][0], self._end(group), late, sorted(row[1] for row in group))
