"""What is told of a window's numbers: how many, sum, mean, least, greatest, quantiles.

The words are SQL's and those of stream processors: count, sum, mean, min, max, p50, p95, p99.9.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from riot_tasks.algorithms.quantiles import Quantiles

_PERCENTILE = re.compile(r"p([0-9]{1,3}(?:\.[0-9]{1,6})?)")


class Summary:
    """The numbers of one field in one window; can be merged with another.

    Numbers must stay below 1e308 / count, or their sum overflows.

    Args:
        quantiles: whether quantiles are asked for, which take memory: up to 10 kB.
    """

    __slots__ = ("_count", "_greatest", "_least", "_quantiles", "_sum")

    def __init__(self, *, quantiles: bool = False) -> None:
        self._count = 0
        self._sum = 0.0
        self._least = float("inf")
        self._greatest = float("-inf")
        self._quantiles = Quantiles() if quantiles else None

    def add(self, number: float) -> None:
        """Take a number."""
        self._count += 1
        self._sum += number
        if number < self._least:  # noqa: PLR1730 - calls of min and max take twice as long as all of this
            self._least = number
        if number > self._greatest:  # noqa: PLR1730 - as above
            self._greatest = number
        if self._quantiles is not None:
            self._quantiles.add(number)

    def merge(self, other: "Summary") -> None:
        """Take in the numbers of `other`."""
        count, total, least, greatest, quantiles = other._parts()  # noqa: SLF001 - its own class
        self._count += count
        self._sum += total
        if least < self._least:  # noqa: PLR1730 - as in `add`
            self._least = least
        if greatest > self._greatest:  # noqa: PLR1730 - as in `add`
            self._greatest = greatest
        if self._quantiles is not None and quantiles is not None:
            self._quantiles.merge(quantiles)

    def _parts(self) -> tuple[int, float, float, float, Quantiles | None]:
        return self._count, self._sum, self._least, self._greatest, self._quantiles

    def count(self) -> int:
        """How many there were."""
        return self._count

    def sum(self) -> float:
        """Their sum."""
        return self._sum

    def mean(self) -> float:
        """Their mean, which is within them in spite of rounding; there must be some, here and below."""
        return min(max(self._sum / self._count, self._least), self._greatest)

    def min(self) -> float:
        """The least."""
        return self._least

    def max(self) -> float:
        """The greatest."""
        return self._greatest

    def quantile(self, share: float) -> float:
        """The number below which this share of them lies; see `Quantiles`."""
        assert self._quantiles is not None, "made without quantiles"  # noqa: S101 - a mistake of the caller's
        return self._quantiles.quantile(share)

    def state(self) -> list[Any]:
        """Count, sum, least and greatest, and the state of the quantiles, or None."""
        quantiles = self._quantiles and self._quantiles.state()
        return [self._count, self._sum, self._least, self._greatest, quantiles]

    def load(self, state: Sequence[Any]) -> None:
        """Go on from what `state` gave."""
        self._count, self._sum, self._least, self._greatest, quantiles = state
        if self._quantiles is not None:
            self._quantiles.load(quantiles)


_MEASURES: dict[str, Callable[[Summary], float]] = {
    "mean": Summary.mean,
    "min": Summary.min,
    "max": Summary.max,
    "count": Summary.count,
    "sum": Summary.sum,
}


def measure(name: str) -> Callable[[Summary], float]:
    """How to ask a summary for what is called so: mean, min, max, count, sum, p0 to p100.

    Raises:
        KeyError: nothing is.
    """
    found = _PERCENTILE.fullmatch(name)
    if found and float(found[1]) <= 100:
        return partial(Summary.quantile, share=float(found[1]) / 100)
    return _MEASURES[name]


def is_quantile(name: str) -> bool:
    """Whether what is called so needs a summary with quantiles."""
    return _PERCENTILE.fullmatch(name) is not None
