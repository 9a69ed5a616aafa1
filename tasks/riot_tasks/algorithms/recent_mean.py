"""The mean of the last numbers of a series.

RIoTBench's INP (Interpolation), arXiv 1701.08530.
"""

from collections import deque
from collections.abc import Sequence
from math import fsum

from riot_tasks.algorithms.float32 import float32

_MANY = 64
"""Numbers from which a deque forgets the oldest faster than a list."""


class RecentMean:
    """The last `window` numbers, and their mean when it is asked for.

    Args:
        window: how many numbers are kept; they must stay below 1e308 / window, or their sum overflows.
    """

    __slots__ = ("_numbers", "_window")

    def __init__(self, window: int) -> None:
        self._window = window
        self._numbers: list[float] | deque[float] = []  # of a few, a list takes 120 bytes, and a deque 760

    def update(self, number: float) -> None:
        """Take a number; the oldest goes if there are too many."""
        numbers = self._numbers
        numbers.append(number)
        if len(numbers) > self._window:
            del numbers[0]
        elif len(numbers) == _MANY:
            self._numbers = deque(numbers)

    def mean(self) -> float | None:
        """The mean of the numbers kept, None if there are none."""
        numbers = self._numbers
        return fsum(numbers) / len(numbers) if numbers else None

    def state(self) -> list[float]:
        """The numbers kept, oldest first."""
        return list(self._numbers)

    def load(self, state: Sequence[float]) -> None:
        """Go on from what `state` gave."""
        self._numbers = deque(state) if len(state) >= _MANY else list(state)


class RecentMean32(RecentMean):
    """The mean as RIoTBench takes it: summed from the oldest on, each step rounded to single precision."""

    __slots__ = ()

    def update(self, number: float) -> None:
        """Take a number, in single precision."""
        super().update(float32(number))

    def mean(self) -> float | None:
        """The mean of the numbers kept, None if there are none."""
        if not self._numbers:
            return None
        total = 0.0
        for number in self._numbers:
            total = float32(total + number)
        return float32(total / len(self._numbers))
