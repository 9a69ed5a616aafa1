"""Windows of event time: what panes and sessions have in common.

Akidau et al., "The Dataflow Model", PVLDB 8 (2015): windows by the numbers' own time, a watermark that says up to when
they have come, results when it passes a window's end, corrected ones for what is late but allowed.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

from riot_tasks.algorithms.summary import Summary

Cells = dict[str, Summary]
"""What came in a window, by field."""
_DIGITS = 6
"""Of a second: bounds of windows are rounded to them, so that they are the doubles a clock's times are."""


class Window(NamedTuple):
    """A window whose result is due; to be read before the next number comes.

    Attributes:
        start: the first instant in it, Unix seconds.
        end: the first instant after it.
        late: whether its result corrects one, or one that was not given because there was nothing in it.
        fields: its numbers.
    """

    start: float
    end: float
    late: bool
    fields: Mapping[str, Summary]


class Allowance(NamedTuple):
    """What may come out of order.

    Attributes:
        delay: seconds by which the watermark is behind the latest time, so that nothing within them is late.
        lateness: seconds for which a window is kept after the watermark has passed its end, to be corrected.
    """

    delay: float = 0.0
    lateness: float = 0.0


PUNCTUAL = Allowance()
"""Nothing may."""


class TooLate(ValueError):  # noqa: N818 - it names what the time is
    """All windows of this time are over.

    Attributes:
        seconds: how far the watermark, less the lateness allowed, is past the end of the last one.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"is {seconds:g} s too late")
        self.seconds = seconds


class EventWindows(ABC):
    """Windows of one key.

    Args:
        allowance: what may come out of order.
        quantiles: whether quantiles will be asked for.
    """

    def __init__(self, allowance: Allowance, *, quantiles: bool) -> None:
        self._delay, self._lateness = allowance
        self._quantiles = quantiles
        self._watermark = -inf
        self._alarm = inf  # the watermark at which a window is due, or to be forgotten; may be too early

    @abstractmethod
    def update(self, time: float, numbers: Mapping[str, float]) -> Sequence[Window]:
        """Take the numbers of an instant, at least one; the windows that are due then, in the order of their ends.

        Raises:
            TooLate: all windows it could be in are over; nothing has changed.
        """

    @abstractmethod
    def finish(self) -> Sequence[Window]:
        """Let the watermark pass the end of every window; those that are due then."""

    @abstractmethod
    def _due(self) -> Sequence[Window]:
        """What is due by the watermark, and was not before; forgets what is over and sets the alarm."""

    def advance(self, time: float) -> Sequence[Window]:
        """It has become this late, says something without numbers; the windows that are due then."""
        mark = time - self._delay
        return self._pass(mark) if mark > self._watermark else ()

    def _pass(self, mark: float) -> Sequence[Window]:
        self._watermark = mark
        return self._due() if mark >= self._alarm else ()

    def _fresh(self) -> Summary:
        return Summary(quantiles=self._quantiles)

    def _fill(self, cells: Cells, numbers: Mapping[str, float]) -> None:
        for name, number in numbers.items():
            summary = cells.get(name)
            if summary is None:
                summary = cells[name] = self._fresh()
            summary.add(number)

    def _merge(self, cells: Cells, others: Mapping[str, Summary]) -> None:
        for name, other in others.items():
            summary = cells.get(name)
            if summary is None:
                summary = cells[name] = self._fresh()
            summary.merge(other)

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All of it as plain data."""

    @abstractmethod
    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""

    def _loaded(self, state: Mapping[str, Any]) -> Cells:
        cells = {}
        for name, saved in state.items():
            cells[name] = self._fresh()
            cells[name].load(saved)
        return cells


def saved(cells: Mapping[str, Summary]) -> dict[str, Any]:
    """Summaries as plain data."""
    return {name: summary.state() for name, summary in cells.items()}


def instant(seconds: float) -> float:
    """A bound of a window, to the microsecond."""
    return round(seconds, _DIGITS)
