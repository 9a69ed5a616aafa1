"""Whether memory grows: a line through samples, and how far its slope can be trusted.

Samples follow one another closely, so that neighbours tell the same thing twice; means of blocks are fitted instead,
and the slope's error is theirs.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

_BLOCKS = 20
_WARM, _LEAST = 0.2, 400_000
"""Of the messages those, and at least so many, that caches, pools and buffers are given to fill."""
_DEVIATIONS = 2.0


class Slope(msgspec.Struct, frozen=True):
    """A line's slope, bytes for a million messages.

    Attributes:
        slope: of the line.
        noise: twice the standard error: a slope within it is as good as none.
    """

    slope: float
    noise: float

    @property
    def flat(self) -> bool:
        """Whether the slope is within the noise."""
        return abs(self.slope) <= self.noise


def fitted(samples: Sequence[tuple[int, float]]) -> Slope | None:
    """The slope of samples (messages, bytes), in the order of the messages; None if they are too few."""
    if not samples:
        return None
    begin = max(_LEAST, _WARM * samples[-1][0])
    warm = [(x, y) for x, y in samples if x >= begin]
    edges = [len(warm) * index // _BLOCKS for index in range(_BLOCKS + 1)]
    blocks = [warm[start:end] for start, end in pairwise(edges) if end > start]
    if len(blocks) < _BLOCKS or blocks[0][0][0] == blocks[-1][-1][0]:
        return None
    xs = [sum(x for x, _ in block) / len(block) for block in blocks]
    ys = [sum(y for _, y in block) / len(block) for block in blocks]
    middle_x, middle_y = sum(xs) / _BLOCKS, sum(ys) / _BLOCKS
    spread = sum((x - middle_x) ** 2 for x in xs)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / spread
    left = sum((y - middle_y - slope * (x - middle_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    error = math.sqrt(left / (_BLOCKS - 2) / spread)
    return Slope(slope * 1e6, _DEVIATIONS * error * 1e6)
