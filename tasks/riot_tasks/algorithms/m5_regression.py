"""Linear regression that leaves out what does not help, as Weka's LinearRegression does by default.

Least squares with a ridge of 1e-8 over standardized attributes. First go those that are nearly sums of others, told
by a standardized coefficient above 1.5; then, one after the other, the least of the rest while Akaike's criterion
falls: the last step of Quinlan's M5.

Akaike, "A New Look at the Statistical Model Identification", IEEE Trans. Automatic Control 19 (1974); Quinlan,
"Learning with Continuous Classes", AI'92; RIoTBench's MLT, arXiv 1701.08530. Needs NumPy.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

RIDGE = 1e-8
"""What is added to the sum of squares of each standardized attribute."""
COLLINEAR = 1.5
"""The standardized coefficient above which an attribute goes."""
LARGEST = 1e100
"""Numbers are smaller than this, so that their squares stay finite."""

Floats = npt.NDArray[np.floating[Any]]


class Fit(msgspec.Struct, frozen=True):
    """What was fitted, and how well.

    Attributes:
        weights: of the attributes, None for one that was left out.
        intercept: what is added.
        rmse: root of the mean squared error over the rows it was fitted to.
        r2: share of the target's variance that is accounted for there; None if the target is constant.
    """

    weights: list[float | None]
    intercept: float
    rmse: float
    r2: float | None


def fit(rows: Sequence[Sequence[float]]) -> Fit:
    """The model of the last number of each row by the others; at least as many rows as numbers in one, and one more.

    Numbers must be within ±`LARGEST`.
    """
    table = np.asarray(rows, dtype=np.float64)
    problem = _Standardized(table[:, :-1], table[:, -1])
    chosen, betas = problem.selected()
    means, deviations = problem.means[chosen], problem.deviations[chosen]
    slopes = betas / deviations
    weights: list[float | None] = [None] * (table.shape[1] - 1)
    for place, slope in zip(chosen, slopes, strict=True):
        weights[place] = float(slope)
    error, total = problem.squared_error(chosen, betas), float(problem.y @ problem.y)
    return Fit(
        weights,
        float(problem.mean - slopes @ means),
        float(np.sqrt(error / len(table))),
        1.0 - error / total if total else None,
    )


class _Standardized:
    """Attributes of mean 0 and deviation 1, the target of mean 0, and what all fits of them share."""

    def __init__(self, x: Floats, y: Floats) -> None:
        self.mean = y.mean()
        self.y = _centred(y)
        self.means = x.mean(axis=0)
        centred = np.column_stack([_centred(column) for column in x.T])
        self.deviations = centred.std(axis=0, ddof=1)
        self.x = centred / np.where(self.deviations > 0, self.deviations, 1.0)
        self.deviation = self.y.std(ddof=1)
        self._squares = self.x.T @ self.x
        self._products = self.x.T @ self.y

    def selected(self) -> tuple[list[int], Floats]:
        """The attributes that stay, and their coefficients."""
        chosen = [place for place, deviation in enumerate(self.deviations) if deviation > 0 and self.deviation > 0]
        chosen, betas = self._independent(chosen)
        full, spare = self.squared_error(chosen, betas), len(self.y) - len(chosen) - 1
        criterion = spare + 2.0 * (len(chosen) + 1)
        while chosen and full > 0:
            least = int(np.abs(betas).argmin())
            fewer = chosen[:least] + chosen[least + 1 :]
            fewer_betas = self._solved(fewer)
            lower = self.squared_error(fewer, fewer_betas) / full * spare + 2 * (len(fewer) + 1)
            if not lower < criterion:
                break
            chosen, betas, criterion = fewer, fewer_betas, lower
        return chosen, betas

    def _independent(self, chosen: list[int]) -> tuple[list[int], Floats]:
        """Without those that the others nearly make up."""
        betas = self._solved(chosen)
        while chosen and np.abs(betas).max() > COLLINEAR * self.deviation:
            most = int(np.abs(betas).argmax())
            chosen = chosen[:most] + chosen[most + 1 :]
            betas = self._solved(chosen)
        return chosen, betas

    def _solved(self, chosen: list[int]) -> Floats:
        """Coefficients of these standardized attributes, in units of the target."""
        squares = self._squares[np.ix_(chosen, chosen)] + RIDGE * np.eye(len(chosen))
        return np.linalg.solve(squares, self._products[chosen])

    def squared_error(self, chosen: list[int], betas: Floats) -> float:
        """Sum of the squared errors of a fit."""
        off = self.y - self.x[:, chosen] @ betas
        return float(off @ off)


def _centred(column: Floats) -> Floats:
    # a constant's mean need not be exactly it: what is left would pass for a signal
    return column - column.mean() if column.min() < column.max() else np.zeros_like(column)
