"""Quantiles of a stream in bounded memory: exact for some hundred numbers, a t-digest for more.

Dunning and Ertl, "Computing Extremely Accurate Quantiles Using t-Digests", arXiv 1902.04023 (2019): the merging variant
with scale function k1. Errors are in rank, smallest at the ends, whatever the numbers' range: a sketch with errors
relative to the number says nothing about a temperature in kelvin or the pressure of the air.

Nothing is drawn at random, so that a replay gives the same results; Apache DataSketches' KLL and REQ sketches do.
"""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from math import asin, pi, sin
from typing import Any

EXACT = 512
"""Numbers up to which quantiles are exact; kept as they are, until as many more have come."""
_COMPRESSION = 200.0
"""Of the digest: at most as many centroids. Ranks are off by 0.03 % of the numbers, more where many are equal."""

_Centroid = tuple[float, int]
"""A mean, and of how many numbers."""


class Quantiles:
    """Numbers, of which any quantile can be asked for."""

    __slots__ = ("_centroids", "_greatest", "_least", "_recent")

    def __init__(self) -> None:
        self._recent: list[float] = []
        self._centroids: list[_Centroid] = []  # in the order of their means
        self._least = self._greatest = 0.0  # of what the centroids are of

    def add(self, number: float) -> None:
        """Take a number."""
        self._recent.append(number)
        if len(self._recent) > EXACT:
            self._compress(())

    def merge(self, other: "Quantiles") -> None:
        """Take in what `other` was given."""
        if other._centroids:  # noqa: SLF001 - its own class
            self._compress(other._centroids, (other._least, other._greatest))  # noqa: SLF001
        self._recent += other._recent  # noqa: SLF001
        if len(self._recent) > EXACT:
            self._compress(())

    def quantile(self, share: float) -> float:
        """The number below which this share of them lies; there must be some.

        Between two numbers it is interpolated as NumPy does by default: type 7 of Hyndman and Fan, "Sample Quantiles in
        Statistical Packages", The American Statistician 50 (1996).

        Args:
            share: from 0, the least number, to 1, the greatest.
        """
        if not self._centroids:
            return _interpolated(sorted(self._recent), share)
        whole = Quantiles()
        whole.load(self.state())
        whole._compress(())
        return whole._digested(share)

    def _digested(self, share: float) -> float:
        """The quantile by the centroids: each stands in the middle of the ranks of its numbers."""
        ends = list(accumulate(weight for _, weight in self._centroids))
        ranks = [end - (weight + 1) / 2 for end, (_, weight) in zip(ends, self._centroids, strict=True)]
        ranks = [0.0, *ranks, ends[-1] - 1.0]
        means = [self._least, *(mean for mean, _ in self._centroids), self._greatest]
        rank = share * ranks[-1]
        above = min(bisect_right(ranks, rank), len(ranks) - 1)
        below = above - 1
        step = ranks[above] - ranks[below]
        return means[below] + (means[above] - means[below]) * ((rank - ranks[below]) / step if step else 0.0)

    def _compress(self, others: Iterable[_Centroid], ends: tuple[float, ...] = ()) -> None:
        """Make centroids of all there is, and of those of another."""
        ends += (self._least, self._greatest) if self._centroids else ()
        if self._recent:
            ends += (min(self._recent), max(self._recent))
        self._least, self._greatest = min(ends), max(ends)
        self._centroids = _clustered(sorted([*self._centroids, *others, *((number, 1) for number in self._recent)]))
        self._recent = []

    def state(self) -> dict[str, Any]:
        """The numbers not in the digest yet, and the digest, as plain data."""
        return {
            "recent": list(self._recent),
            "centroids": [list(centroid) for centroid in self._centroids],
            "ends": [self._least, self._greatest],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._recent = list(state["recent"])
        self._centroids = [(mean, weight) for mean, weight in state["centroids"]]
        self._least, self._greatest = state["ends"]


def _interpolated(ordered: list[float], share: float) -> float:
    rank = share * (len(ordered) - 1)
    below = int(rank)
    if below + 1 >= len(ordered):
        return ordered[-1]
    return ordered[below] + (ordered[below + 1] - ordered[below]) * (rank - below)


def _clustered(ordered: list[_Centroid]) -> list[_Centroid]:
    """Neighbours joined as long as together they are no wider than 1 on the scale, which has least room at the ends."""
    total = sum(weight for _, weight in ordered)
    clusters = []
    (mean, weight), before = ordered[0], 0
    most = _room(before / total) * total
    for number, more in ordered[1:]:
        if before + weight + more <= most:
            weight += more
            mean += (number - mean) * (more / weight)
        else:
            clusters.append((mean, weight))
            before += weight
            mean, weight = number, more
            most = _room(before / total) * total
    return [*clusters, (mean, weight)]


def _room(share: float) -> float:
    """The share up to which a cluster may reach that begins at this one: k1, forth and one further and back."""
    scale = asin(2 * share - 1) + 2 * pi / _COMPRESSION
    return (sin(scale) + 1) / 2 if scale < pi / 2 else 1.0
