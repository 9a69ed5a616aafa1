"""When packs come: evenly, or at rates drawn every second as RIoTBench's input streams have them.

The counts were read off the drawing of figure 4 (arXiv 1701.08530, p. 19 f.), which shows how often each input rate
occurs in the second-by-second rates of a data set. Table 2 calls those of CITY and FIT uniform, TAXI's bimodal, GRID's
normal; the drawing of GRID has two modes all the same, and it is the drawing that is followed.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, count, pairwise
from random import Random
from typing import Final, Literal

import msgspec

Arrivals = Literal["constant", "paper"]
Dataset = Literal["city", "taxi", "fit", "grid"]
Span = tuple[float, float, Iterable[int]]
"""When it begins in Unix seconds, its packs a second, and its packs numbered from 0."""

_HAIR = 1e-9  # of a pack: 1,800 s at 1/1,800 packs a second are one, whatever the last bit says


class Histogram(msgspec.Struct, frozen=True):
    """How often which rate occurs: `counts[i]` times one from `edges[i]` up to `edges[i + 1]` messages a second."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def mean(self) -> float:
        """Messages a second, on the average."""
        middles = ((low + high) / 2 for low, high in pairwise(self.edges))
        return sum(middle * times for middle, times in zip(middles, self.counts, strict=True)) / sum(self.counts)


def _even(low: float, high: float, bins: int) -> tuple[float, ...]:
    return tuple(low + (high - low) * edge / bins for edge in range(bins + 1))


HISTOGRAMS: Final[dict[Dataset, Histogram]] = {
    "city": Histogram(
        (4784, 4971, 4988, 5005, 5021, 5038, 5055, 5072, 5089, 5106, 5123),
        (10, 19, 52, 108, 142, 144, 115, 84, 38, 8),
    ),
    "taxi": Histogram(
        _even(0.0, 5183.0, 20),
        (300, 43, 17, 12, 9, 9, 4, 9, 5, 11, 16, 25, 33, 21, 27, 18, 17, 8, 6, 3),
    ),
    "fit": Histogram(
        _even(350.0, 500.0, 10),
        (65, 3, 2, 47, 40, 85, 184, 186, 242, 945),
    ),
    "grid": Histogram(
        _even(2.0, 10430.0, 20),
        (305, 36, 25, 19, 16, 11, 14, 14, 8, 12, 10, 12, 20, 23, 20, 21, 23, 33, 38, 60),
    ),
}
"""Figure 4, data set by data set."""


def rate_of_peak(dataset: Dataset, arrivals: Arrivals, peak: float) -> float:
    """The mean rate at which the highest one is `peak`."""
    if arrivals == "constant":
        return peak
    histogram = HISTOGRAMS[dataset]
    return peak * histogram.mean / histogram.edges[-1]


def rates(dataset: Dataset, rate: float, seed: int) -> Iterator[float]:
    """Rates drawn one after the other from the histogram of a data set, scaled so that `rate` is their mean."""
    histogram = HISTOGRAMS[dataset]
    scale = rate / histogram.mean
    below = list(accumulate(histogram.counts))
    random = Random(f"arrivals {seed}")  # noqa: S311 - test data; apart from the values' draws, which thus stay the same
    while True:
        drawn = bisect_right(below, int(random.random() * below[-1]))
        low, high = histogram.edges[drawn : drawn + 2]
        yield (low + (high - low) * random.random()) * scale


def spans(  # noqa: PLR0913 - one keyword for each property of the feed
    dataset: Dataset, arrivals: Arrivals, *, start: float, rate: float, seed: int, seconds: float | None
) -> Iterator[Span]:
    """Stretches of time in which packs come evenly, one after the other, for so many seconds or without end.

    With `paper` each is a second long; below one pack a second as long as one pack takes on the average.
    """
    if arrivals == "constant":
        yield start, rate, count() if seconds is None else range(math.floor(seconds * rate + _HAIR))
        return
    length = max(1, math.ceil(1 / rate))
    owed = 0.0
    for number, drawn in enumerate(rates(dataset, rate, seed)):
        owed += drawn * length
        packs = int(owed)
        owed -= packs
        share = 1.0 if seconds is None else min(1.0, (seconds - number * length) / length)
        if share <= 0:
            return
        if packs:
            yield start + number * length, packs / length, range(math.floor(packs * share))
