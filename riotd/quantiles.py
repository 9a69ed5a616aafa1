"""Quantiles of many values in little memory."""

import math

_ACCURACY = 0.01


class Sketch:
    """Quantiles of positive values within 1 %, mergeable, in bounded memory.

    DDSketch (Masson, Rim, Lee: A fast and fully-mergeable quantile sketch with relative-error guarantees, VLDB
    2019) without bucket collapse: from a microsecond to a day there are at most 1,260 buckets.
    """

    _gamma = (1 + _ACCURACY) / (1 - _ACCURACY)
    _factor = 1 / math.log(_gamma)
    _least, _most = 1e-6, 86_400.0

    def __init__(self) -> None:
        self.count = 0
        self.max = 0.0
        self._buckets: dict[int, int] = {}

    def add(self, value: float, count: int = 1) -> None:
        """Count a value; those outside a microsecond to a day are counted at the edge."""
        index = math.ceil(math.log(min(max(value, self._least), self._most)) * self._factor)
        self._buckets[index] = self._buckets.get(index, 0) + count
        self.count += count
        self.max = max(self.max, value)

    def merge(self, other: "Sketch") -> None:
        """Take in what another sketch has counted."""
        for index, count in other._buckets.items():  # noqa: SLF001 - its own class
            self._buckets[index] = self._buckets.get(index, 0) + count
        self.count += other.count
        self.max = max(self.max, other.max)

    def quantile(self, share: float) -> float:
        """The value below which this share of them lies, within 1 %; 0 when there are none."""
        rank = share * (self.count - 1)
        seen = 0
        for index in sorted(self._buckets):
            seen += self._buckets[index]
            if seen > rank:
                return min(2 * self._gamma**index / (self._gamma + 1), self.max)
        return 0.0
