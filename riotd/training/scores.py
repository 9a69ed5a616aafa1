"""How well rows were foretold: sums that can be added over folds, and the figures they make."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]

HIGHER = {"accuracy": True, "f1": True, "rmse": False, "mae": False}
"""The figures to choose by, and whether more of one is better."""
OF_KIND = {"tree": ("accuracy", "f1"), "regression": ("rmse", "mae")}
"""Kind of model to its figures, the usual one first."""


class Classes:
    """Which classes were said of rows of which class.

    Args:
        count: how many classes there are.
    """

    def __init__(self, count: int) -> None:
        self._said = np.zeros((count, count), dtype=np.intp)

    def add(self, truth: Floats, said: Sequence[float]) -> None:
        """Take the classes of some rows, as positions, and what was said of them."""
        np.add.at(self._said, (truth.astype(np.intp), np.asarray(said, dtype=np.intp)), 1)

    def figures(self) -> dict[str, float]:
        """`accuracy`, the share of rows put in their class, and `f1`, the mean over classes of the F-measure.

        The mean is over the classes that are there or were said: an alarm that is one row in a thousand counts as
        much as what is usual (van Rijsbergen, "Information Retrieval", 1979, chapter 7).
        """
        right, there, said = np.diag(self._said), self._said.sum(axis=1), self._said.sum(axis=0)
        occurring = there + said > 0
        f1 = 2 * right[occurring] / (there + said)[occurring]
        return {"accuracy": float(right.sum() / max(1, self._said.sum())), "f1": float(f1.mean())}


class Numbers:
    """How far numbers were off."""

    def __init__(self) -> None:
        self._truths: list[Floats] = []
        self._off: list[Floats] = []

    def add(self, truth: Floats, said: Sequence[float]) -> None:
        """Take the numbers of some rows, and what was said of them."""
        self._truths.append(truth)
        self._off.append(np.asarray(said, dtype=np.float64) - truth)

    def figures(self) -> dict[str, float]:
        """`rmse`, `mae`, and `r2` unless all numbers are equal.

        The root of the mean squared error and the mean error, both in the target's unit; and the share of these rows'
        variance that is accounted for, below 0 where their mean would have been the better guess.
        """
        truth, off = np.concatenate(self._truths), np.concatenate(self._off)
        squared, total = float(off @ off), float(((truth - truth.mean()) ** 2).sum())
        found = {"rmse": float(np.sqrt(squared / len(off))), "mae": float(np.abs(off).mean())}
        return found | ({"r2": 1.0 - squared / total} if total else {})


def better(figure: str, one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether one model's figure is better than the other's; not if they are equal."""
    return one[figure] > other[figure] if HIGHER[figure] else one[figure] < other[figure]
