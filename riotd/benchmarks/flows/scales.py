"""From numbers to places on an axis, and the numbers that are written beside it."""

import math
from collections.abc import Sequence

import msgspec

_STEPS = (1, 2, 5, 10)
_TICKS = 5
_WIDE = 40.0
"""A range over which a linear axis would squeeze what is small against its foot."""

_LEAST = 1e-300
"""A range in which there are no numbers to write."""
_MOST = 1e9
"""A ratio beyond which what is small is at the foot of a logarithmic axis, too."""


class Scale(msgspec.Struct, frozen=True):
    """An axis: `low` is at place 0, `high` at 1.

    Attributes:
        low, high: its ends.
        ticks: numbers to be written beside it.
        log: whether equal steps are equal ratios.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def place(self, value: float) -> float:
        """Where a number is, from 0 to 1; beyond the ends it is at the end."""
        if self.log:
            value = max(value, self.low)
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0)


def scale(values: Sequence[float]) -> Scale:
    """An axis for such numbers: from 0, or logarithmic where the positive ones span too much for that."""
    positive = [value for value in values if value > 0]
    if positive and min(values) >= 0 and max(positive) > _WIDE * min(positive):
        return _logarithmic(max(min(positive), max(positive) / _MOST), max(positive))
    return _linear(min(0.0, *values, 0.0), max(0.0, *values, 0.0))


def _linear(low: float, high: float) -> Scale:
    if high - low < _LEAST:
        high = low + 1.0
    step = _step((high - low) / _TICKS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first * step, last * step, tuple(number * step for number in range(first, last + 1)))


def _step(raw: float) -> float:
    """The next of 1, 2, 5, 10, 20, ..."""
    power = 10.0 ** math.floor(math.log10(raw))
    return next(each for each in _STEPS if each * power >= raw * (1 - 1e-9)) * power


def _logarithmic(low: float, high: float) -> Scale:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    apart = max(1, math.ceil((last - first) / _TICKS))
    return Scale(10.0**first, 10.0**last, tuple(10.0**power for power in range(first, last + 1, apart)), log=True)


def written(value: float) -> str:
    """A number as it is written beside an axis, or on a bar: three figures, thousands with a comma."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"
