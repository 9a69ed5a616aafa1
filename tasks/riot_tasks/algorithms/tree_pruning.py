"""Cost-complexity pruning: a tree cut back until each leaf is worth its price.

Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984, chapter 3. A node's branches stay if
the mistakes they save are more than `price` times the leaves they add; all prices of a list are tried at once. Trees
are parallel arrays as scikit-learn has them, parents before their children. Needs NumPy.
"""

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def splits_worth(left: Integers, right: Integers, mistakes: Floats, prices: Floats) -> Flags:
    """Which nodes go on splitting, by node and price; where it is all the same, they don't.

    Args:
        left: each node's child, -1 for a leaf.
        right: the other one.
        mistakes: what each node costs as a leaf.
        prices: of a leaf.
    """
    costs = mistakes[:, None] + prices
    splits = np.zeros(costs.shape, dtype=np.bool_)
    for node in np.flatnonzero(left >= 0)[::-1]:
        below = costs[left[node]] + costs[right[node]]
        splits[node] = below < costs[node]
        np.minimum(costs[node], below, out=costs[node])
    return splits


def ends(left: Integers, right: Integers, splits: Flags) -> Integers:
    """For each node and price the node where a row ends that would come to it in the unpruned tree."""
    found = np.zeros(splits.shape, dtype=np.intp)
    children = np.column_stack([left, right])
    for node in np.flatnonzero(left >= 0):
        goes_on = splits[node] & (found[node] == node)
        found[children[node]] = np.where(goes_on, children[node][:, None], found[node])
    return found
