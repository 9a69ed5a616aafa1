"""Which band of a sample each of its numbers is in, the bands beginning at percentiles.

The percentile is the one of Apache Commons Math ("legacy"; R-6 of Hyndman and Fan, "Sample Quantiles in Statistical
Packages", The American Statistician 50, 1996). RIoTBench's AnnotateDTClass, arXiv 1701.08530.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import floor


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The percentile, above 0 and up to 100, of a sample that is in order and not empty.

    At position percent / 100 * (n + 1), counted from 1: between two numbers it is interpolated, beyond the ends it
    is the end.
    """
    position = percent / 100 * (len(ordered) + 1)
    if position < 1:
        return ordered[0]
    if position >= len(ordered):
        return ordered[-1]
    place = floor(position)
    below, above = ordered[place - 1], ordered[place]
    return below + (position - place) * (above - below)


def bands(numbers: Sequence[float], percents: Sequence[float]) -> list[int]:
    """The band of each number: the last one that begins at a percentile not above it; 0 below them all.

    Args:
        numbers: in any order.
        percents: where bands begin, rising. Where several begin at the same number, it is in the last.
    """
    if not numbers:
        return []
    ordered = sorted(numbers)
    bounds = [percentile(ordered, percent) for percent in percents]
    return [max(0, bisect_right(bounds, number) - 1) for number in numbers]
