"""Least squares over the last points of an evenly spaced series.

The line is fitted as RIoTBench's SLR does (arXiv 1701.08530). The window never subtracts a point that leaves:
two runs of points are kept, one of which only loses at its front and one of which only gains at its end, each
with its moments about its own mean, joined by the pairwise update of Chan, Golub and LeVeque ("Updating
Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979). So no error gathers however long the
series is, an outlier leaves nothing behind, and the offset of the numbers does not matter.
"""

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec


class Moments(msgspec.Struct, frozen=True, gc=False):
    """Moments of a run of points (0, y0), (1, y1), ...: mergeable.

    Attributes:
        count: how many points.
        mean: of y.
        product: sum of (x - mean of x) * (y - mean of y).
    """

    count: int = 0
    mean: float = 0.0
    product: float = 0.0

    def then(self, later: "Moments") -> "Moments":
        """Moments of this run with `later` put at its end."""
        count = self.count + later.count
        if not self.count or not later.count:
            return self if self.count else later
        apart = later.mean - self.mean
        mean = self.mean + apart * (later.count / count)
        # the means of x are count / 2 apart; the weight of the distance is self.count * later.count / count
        return Moments(count, mean, self.product + later.product + apart * (self.count * later.count / 2))

    def then_point(self, y: float) -> "Moments":
        """Moments of this run with one point put at its end."""
        apart = y - self.mean
        count = self.count + 1
        return Moments(count, self.mean + apart / count, self.product + apart * (self.count / 2))

    def after_point(self, y: float) -> "Moments":
        """Moments of this run with one point put at its front."""
        apart = y - self.mean
        count = self.count + 1
        return Moments(count, self.mean + apart / count, self.product - apart * (self.count / 2))


class SlidingRegression:
    """The line of least squares through the last `window` points, and where it goes.

    One point a step, at x = 1, 2, 3, ...; an update takes constant time in the mean, `window` steps at worst.

    Args:
        window: points the line is fitted to, at least 2.
        horizon: how many steps ahead to forecast.
        mean: give the mean of the forecasts in place of them.
    """

    __slots__ = ("_distances", "_heads", "_points", "_spread", "_tail", "_window")

    def __init__(self, window: int, horizon: int, *, mean: bool = False) -> None:
        self._window = window
        self._distances = _distances(window, horizon, mean=mean)
        self._spread = window * (window * window - 1) / 12  # of x in a window
        self._points: deque[float] = deque(maxlen=window)
        self._heads: list[Moments] = []  # moments of the older run from each of its points on, the oldest last
        self._tail = Moments()  # moments of the newer run, the points after those

    def update(self, y: float) -> list[float] | None:
        """Take the next point; give the forecasts of the next `horizon` ones, None until more than `window` came.

        The first forecasts are made when the window first moves, at point `window` + 1, as RIoTBench does.
        """
        points, tail = self._points, self._tail
        full = len(points) == self._window
        if full:
            if not self._heads:  # the older run is empty, the newer one becomes it
                self._heads = _runs_to_the_end(points)
                tail = _NONE
            self._heads.pop()  # the oldest point goes
        points.append(y)
        count, apart = tail.count, y - tail.mean  # as `then_point`: a call costs as much as this
        self._tail = Moments(count + 1, tail.mean + apart / (count + 1), tail.product + apart * (count / 2))
        return self._forecasts() if full else None

    def _forecasts(self) -> list[float]:
        line = self._heads[-1].then(self._tail) if self._heads else self._tail
        mean, slope = line.mean, line.product / self._spread
        return [mean + slope * distance for distance in self._distances]

    def state(self) -> list[float]:
        """1 if the window is full, else 0; the number of points in the older run; the points, oldest first."""
        return [int(len(self._points) == self._window), len(self._heads), *self._points]

    def load(self, state: Sequence[float]) -> None:
        """Go on from what `state` gave."""
        _full, heads, *points = state
        older = int(heads)
        self._points = deque(points, maxlen=self._window)
        self._heads, self._tail = _runs_to_the_end(points[:older]), _NONE
        for y in points[older:]:
            self._tail = self._tail.then_point(y)


_NONE: Final = Moments()


@lru_cache
def _distances(window: int, horizon: int, *, mean: bool) -> tuple[float, ...]:
    """From the middle of the points to those that are forecast, or to the middle of these, at which their mean is."""
    middle = (window - 1) / 2
    return (middle + (horizon + 1) / 2,) if mean else tuple(middle + ahead for ahead in range(1, horizon + 1))


def _runs_to_the_end(points: Sequence[float]) -> list[Moments]:
    """Moments from each point to the last, the last point's first."""
    runs, run = [], Moments()
    for y in reversed(points):
        run = run.after_point(y)
        runs.append(run)
    return runs
