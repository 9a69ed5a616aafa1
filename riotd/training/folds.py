"""Which rows a trial learns from and which it is judged by: never the future by the past's leave.

Rows of a sensor follow from one another. Were they dealt into folds like cards, as decision_tree_train does for its
pruning, nearly every row that a model is judged by would have a twin a second older or younger among those that it
has learnt from, and the model that remembers most would win; at its work it will only ever know what was before. So
a fold is judged by rows that all come after those it learns from (Tashman, "Out-of-sample tests of forecasting
accuracy", International Journal of Forecasting 16 (2000): rolling origin).

The first half of the history is only learnt from, so that there is enough before the first fold. The other half is
cut into equal blocks, one for each fold, and a last one that choosing never looks at: the best of twenty scores is
better than it deserves, so what the winner is worth is told by rows that had no say in its choice.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST = 10
"""Rows in a block, at least: fewer say nothing."""


class Fold(NamedTuple):
    """Rows [start, end), foretold by what was learnt from rows before `start`."""

    start: int
    end: int


def needed(count: int) -> int:
    """Rows that a history needs for so many folds."""
    return 2 * LEAST * (count + 1)


def folds(times: Floats, count: int) -> tuple[list[Fold], Fold]:
    """The folds to choose by, and the rows held out.

    Rows of one instant are on one side of a cut, as they may be readings of one event; unless there are so many of
    them that a block would vanish.

    Args:
        times: of all rows, Unix seconds, rising; `needed(count)` at least.
        count: of the folds.
    """
    rows = len(times)
    cuts = np.linspace(rows // 2, rows, count + 2).round().astype(np.intp)
    at_instants = np.append(np.searchsorted(times, times[cuts[:-1]], side="left"), rows)
    if np.diff(at_instants).min() >= LEAST and at_instants[0] >= LEAST:
        cuts = at_instants
    blocks = [Fold(int(start), int(end)) for start, end in pairwise(cuts)]
    return blocks[:-1], blocks[-1]
