"""What is learnt from: complete rows of numbers, in the order of their times."""

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be foretold, by what.

    Attributes:
        kind: `tree` or `regression`.
        features: the fields to learn from.
        target: the field that the model foretells.
        classes: what it may say, in order; empty for a regression.
    """

    kind: str
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...] = ()


class History(NamedTuple):
    """Rows, as parallel arrays.

    Attributes:
        times: Unix seconds, rising.
        rows: the features, in the question's order, and the target: a number, or the position of a class.
    """

    times: Floats
    rows: Floats

    def __len__(self) -> int:
        return len(self.times)

    def part(self, start: int, end: int) -> "History":
        """The rows [start, end), without a copy."""
        return History(self.times[start:end], self.rows[start:end])
