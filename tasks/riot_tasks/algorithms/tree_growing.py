"""Decision trees grown by entropy, and cut back to what proves itself on rows it has not seen.

scikit-learn grows the tree until leaves are pure or small. What a leaf must be worth to stay comes from
cross-validation: the highest of the prices with which the fewest mistakes are made (Breiman, Friedman, Olshen and
Stone, "Classification and Regression Trees", 1984, section 3.4.2). Their rule of one standard error, which cuts
more, lost 0 to 6 points of accuracy on RIoTBench's samples. C4.5, which RIoTBench uses, cuts by an estimate from the
training rows alone.

Trees see ranks, not numbers: splits depend on order only, and scikit-learn's single precision can't tell numbers
apart that differ by less than a ten-millionth. A split is at a number that occurs, the greatest that is not above
the middle between its neighbours, as in C4.5 (Quinlan, "Improved Use of Continuous Attributes in C4.5", 1996).

Needs NumPy and scikit-learn.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn import config_context
from sklearn.tree import DecisionTreeClassifier

from riot_tasks.algorithms.tree_pruning import Flags, Floats, Integers, ends, splits_worth

Singles = npt.NDArray[np.float32]

FOLDS = 5
"""Parts of the rows in cross-validation."""

Grown: TypeAlias = "list[int] | tuple[int, float, Grown, Grown]"
"""A leaf: how many rows of each class came to it; or a split: position of the number, where to split, what follows
up to there, what follows above."""


class Fit(msgspec.Struct, frozen=True):
    """A tree, and how well it does.

    Attributes:
        tree: from the root on.
        leaves: how many it has.
        accuracy: share of the rows it was grown from that it puts in the right class.
        cv_accuracy: the same for rows it has not seen, by cross-validation.
    """

    tree: Grown
    leaves: int
    accuracy: float
    cv_accuracy: float


def grow(rows: Sequence[Sequence[float]], labels: Sequence[int], classes: int, *, min_leaf: int, max_depth: int) -> Fit:
    """The tree for these rows, at least two, and the class of each, from 0 to below `classes`."""
    table, y = np.asarray(rows, dtype=np.float64), np.asarray(labels, dtype=np.intp)
    columns = [np.unique(column, return_inverse=True) for column in table.T]
    ranks = np.column_stack([places for _, places in columns]).astype(np.float32)

    def grown(chosen: Flags) -> _Tree:
        return _Tree(ranks[chosen], y[chosen], classes, min_leaf, max_depth)

    prices = _prices(len(y))
    wrong = _wrong_unseen(grown, ranks, y, prices)
    chosen = int(np.flatnonzero(wrong == wrong.min())[-1])
    tree = grown(np.ones(len(y), dtype=np.bool_))
    exported = tree.exported(ranks, [numbers for numbers, _ in columns], tree.splits(prices[[chosen]])[:, 0])
    leaves = list(_leaves(exported))
    return Fit(exported, len(leaves), sum(map(max, leaves)) / len(y), 1.0 - float(wrong[chosen]) / len(y))


def _prices(rows: int) -> Floats:
    """None, then from half a row on in steps of the root of 2, to one that no split is worth."""
    steps = int(np.ceil(2 * np.log2(2 * rows))) + 1
    return np.concatenate([[0.0], 0.5 * 2 ** (np.arange(steps) / 2)])


def _wrong_unseen(grown: Callable[[Flags], "_Tree"], ranks: Singles, y: Integers, prices: Floats) -> Integers:
    """By price, how many rows are put in a wrong class by trees that have not seen them."""
    # every class is dealt out evenly; no randomness, so that a replay gives the same tree
    fold = np.empty(len(y), dtype=np.intp)
    fold[np.argsort(y, kind="stable")] = np.arange(len(y)) % min(FOLDS, len(y))
    wrong = np.zeros(len(prices), dtype=np.intp)
    for unseen in (fold == number for number in range(fold.max() + 1)):
        tree = grown(~unseen)
        splits = tree.splits(prices * (1 - unseen.mean()))
        said = tree.classes[ends(tree.left, tree.right, splits)[tree.leaves(ranks[unseen])]]
        wrong += (said != y[unseen, None]).sum(axis=0)
    return wrong


def _leaves(tree: Grown) -> Iterator[list[int]]:
    if isinstance(tree, list):
        yield tree
    else:
        yield from _leaves(tree[2])
        yield from _leaves(tree[3])


class _Tree:
    """A grown tree as parallel arrays, parents before their children.

    Attributes:
        left, right: each node's children, -1 for a leaf.
        counts: rows that came to each node, by class.
        classes: the commonest class at each node.
    """

    def __init__(self, ranks: Singles, y: Integers, classes: int, min_leaf: int, max_depth: int) -> None:
        estimator = DecisionTreeClassifier(
            criterion="entropy", min_samples_leaf=min_leaf, max_depth=max_depth, random_state=0
        )
        with config_context(assume_finite=True, skip_parameter_validation=True):
            tree = estimator.fit(ranks, y, check_input=False).tree_
        self.left: Integers = tree.children_left
        self.right: Integers = tree.children_right
        self.counts: Integers = np.zeros((tree.node_count, classes), dtype=np.intp)
        # scikit-learn has shares, of the classes that occur
        self.counts[:, estimator.classes_] = np.rint(tree.value[:, 0, :] * tree.n_node_samples[:, None])
        self.classes = self.counts.argmax(axis=1)
        self._tree = tree

    def splits(self, prices: Floats) -> Flags:
        """Which nodes are worth their branches, by node and price."""
        mistakes = self.counts.sum(axis=1) - self.counts.max(axis=1)
        return splits_worth(self.left, self.right, mistakes.astype(np.float64), prices)

    def leaves(self, ranks: Singles) -> Integers:
        """The leaf of each row."""
        found: Integers = self._tree.apply(ranks)
        return found

    def exported(self, ranks: Singles, numbers: Sequence[Floats], splits: Flags, node: int = 0) -> Grown:
        """The tree from a node on, given the rows that come to it and the numbers behind ranks, in order."""
        if not splits[node]:
            counts: list[int] = self.counts[node].tolist()
            return counts
        place = int(self._tree.feature[node])
        column, occurring = ranks[:, place], numbers[place]
        upto = column <= self._tree.threshold[node]
        below, above = int(column[upto].max()), int(column[~upto].min())
        middle = occurring[below] / 2 + occurring[above] / 2  # their sum might overflow
        split = occurring[np.clip(np.searchsorted(occurring, middle, side="right") - 1, below, above - 1)]
        return (
            place,
            float(split),
            self.exported(ranks[upto], numbers, splits, int(self.left[node])),
            self.exported(ranks[~upto], numbers, splits, int(self.right[node])),
        )
