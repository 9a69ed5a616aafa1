"""What is asked of a feed: how much, how fast, how faulty, written how."""

import math
from collections.abc import Iterator
from typing import Literal

import msgspec

from riotd.feeds.arrivals import Arrivals, Dataset, Span, spans

Form = Literal["rfc", "riotbench", "csv"]

GAP = 20
"""Readings that a gap lasts on the average."""

_RELATIVE = 2.0**28  # RFC 8428 section 4.5.3: a time below it is relative to now


class Odds(msgspec.Struct, frozen=True):
    """Below which draw from 0 to 1 a pack is malformed, else has an outlier, else opens a gap."""

    malformed: float
    outlier: float
    gap: float

    def verdict(self, fate: float) -> str:
        """What a draw means: `malformed`, `outlier`, `gap`, or nothing."""
        if fate < self.malformed:
            return "malformed"
        if fate < self.outlier:
            return "outlier"
        return "gap" if fate < self.gap else ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments that all feeds have in common.

    Raises:
        ValueError: one of them is out of its range.
    """

    sensors: int
    rate: float
    seed: int
    start: float
    messages: int | None
    seconds: float | None
    outliers: float
    gaps: float
    malformed: float
    form: Form
    arrivals: Arrivals

    def __post_init__(self) -> None:
        if self.sensors < 1:
            raise ValueError(f"sensors must be at least 1 (is {self.sensors})")
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate must be above 0 (is {self.rate})")
        if not _RELATIVE <= self.start < math.inf:
            raise ValueError(f"start must be at least 2**28, below which a SenML time is relative (is {self.start})")
        if self.seconds is not None and not 0 <= self.seconds < math.inf:
            raise ValueError(f"seconds must be at least 0 (is {self.seconds})")
        shares = (self.outliers, self.gaps, self.malformed)
        if min(shares) < 0 or sum(shares) >= 1:
            raise ValueError("outliers, gaps and malformed must each be at least 0, and below 1 together")

    def spans(self, dataset: Dataset) -> Iterator[Span]:
        """When the packs of a data set come."""
        return spans(dataset, self.arrivals, start=self.start, rate=self.rate, seed=self.seed, seconds=self.seconds)

    @property
    def odds(self) -> Odds:
        """What the shares of faults come to, draw by draw; a gap takes `GAP` packs, so it opens as much less often."""
        opening = self.gaps / (GAP * (1 - self.gaps))
        return Odds(self.malformed, self.malformed + self.outliers, self.malformed + self.outliers + opening)
