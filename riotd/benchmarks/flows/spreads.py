"""How numbers are spread: what a box plot shows of them."""

from collections.abc import Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """Quantiles of some numbers, between two of them in proportion."""

    count: int
    mean: float
    min: float
    p5: float
    q1: float
    median: float
    q3: float
    p95: float
    p99: float
    max: float


def spread(values: Sequence[float]) -> Spread | None:
    """Of these; None if there are none."""
    if not values:
        return None
    ordered = sorted(values)
    p5, q1, median, q3, p95, p99 = (quantile(ordered, share) for share in (0.05, 0.25, 0.5, 0.75, 0.95, 0.99))
    mean = sum(ordered) / len(ordered)
    return Spread(len(ordered), mean, ordered[0], p5, q1, median, q3, p95, p99, ordered[-1])


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of sorted numbers lies; there is at least one."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
