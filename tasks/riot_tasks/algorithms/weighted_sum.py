"""A linear model at work."""

from collections.abc import Iterable, Sequence
from operator import mul


class WeightedSum:
    """The sum of an intercept and of numbers, each times its weight.

    Args:
        weights: one for each number.
        intercept: what the sum is of no numbers.
    """

    __slots__ = ("_intercept", "_weights")

    def __init__(self, weights: Sequence[float], intercept: float) -> None:
        self._weights = list(weights)
        self._intercept = intercept

    def __call__(self, numbers: Iterable[float]) -> float:
        """The sum for these numbers; infinite or NaN where it overflows."""
        return sum(map(mul, self._weights, numbers), self._intercept)
