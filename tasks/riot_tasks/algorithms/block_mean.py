"""The mean of a block of numbers.

RIoTBench's AVG (BlockWindowAverage), arXiv 1701.08530.
"""

from collections.abc import Sequence

from riot_tasks.algorithms.float32 import float32


class BlockMean:
    """Sum and count since the last block's end; blocks of `window` numbers do not overlap.

    Args:
        window: numbers in a block.
    """

    __slots__ = ("_count", "_sum", "_window")

    def __init__(self, window: int) -> None:
        self._window = window
        self._sum = 0.0
        self._count = 0

    def update(self, number: float) -> float | None:
        """Take a number; at the end of a block give its mean and begin the next."""
        self._sum += number
        self._count += 1
        return self.take() if self._count >= self._window else None

    def take(self) -> float | None:
        """End the block here: the mean of what it has, None if that is nothing."""
        if not self._count:
            return None
        mean = self._sum / self._count
        self._sum, self._count = 0.0, 0
        return mean

    def merge(self, other: "BlockMean") -> None:
        """Take in what `other` has, as if its numbers had come here; ends no block."""
        total, count = other.state()
        self._sum += total
        self._count += int(count)

    def state(self) -> list[float]:
        """Sum and count."""
        return [self._sum, self._count]

    def load(self, state: Sequence[float]) -> None:
        """Go on from what `state` gave."""
        self._sum, self._count = float(state[0]), int(state[1])


class BlockMean32(BlockMean):
    """The mean as RIoTBench takes it: each step rounded to single precision."""

    __slots__ = ()

    def update(self, number: float) -> float | None:
        """Take a number; at the end of a block give its mean and begin the next."""
        self._sum = float32(self._sum + float32(number))
        self._count += 1
        return self.take() if self._count >= self._window else None

    def take(self) -> float | None:
        """End the block here: the mean of what it has, None if that is nothing."""
        mean = super().take()
        return None if mean is None else float32(mean)
