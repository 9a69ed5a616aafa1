import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from riot_tasks.algorithms.tree_growing import Fit, Grown, grow
from riot_tasks.algorithms.tree_pruning import ends, splits_worth
from tests.riot_tasks.conftest import SAMPLE
from tests.riot_tasks.weka import CITY, SHARED, arff, senml


def _grow(rows: Sequence[Sequence[float]], labels: Sequence[int], *, min_leaf: int = 2, max_depth: int = 20) -> Fit:
    return grow(rows, labels, max(labels) + 1, min_leaf=min_leaf, max_depth=max_depth)


def _leaf(tree: Grown, row: Sequence[float]) -> list[int]:
    while not isinstance(tree, list):
        place, split, upto, above = tree
        tree = upto if row[place] <= split else above
    return tree


def _nodes(tree: Grown, depth: int = 0) -> Iterator[tuple[int, Grown]]:
    yield depth, tree
    if not isinstance(tree, list):
        yield from _nodes(tree[2], depth + 1)
        yield from _nodes(tree[3], depth + 1)


def _noisy(rows: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Rows of three numbers, two of which decide the class of most."""
    dice = np.random.default_rng(seed)
    x = dice.normal(size=(rows, 3)).round(2)
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 1)
    return x, np.where(dice.random(rows) < 0.1, dice.integers(0, 3, rows), y)


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
def test_the_tree_of_the_shipped_rows_is_j48s() -> None:
    """Of the shipped 800 labelled rows comes the very tree that Weka 3.6.14's J48 makes of them."""
    rows = arff(SHARED / "DecisionTreeClassify-SYS.arff")
    labels = [("Good", "Bad").index(row[-1]) for row in rows]
    made = _grow([[float(cell) for cell in row[:-1]] for row in rows], labels)
    dust, temperature = 5, 2
    assert made.tree == (dust, 617.9, (temperature, 32.1, [140, 220], [30, 10]), [70, 330])
    assert (made.leaves, made.accuracy) == (3, 0.725)


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
def test_bands_of_a_field_are_found() -> None:
    """Labelled by the quantiles of air quality, real rows make the two splits that RIoTBench's city tree has."""
    rows = senml("SYS_sample_data_senml.csv", CITY)
    air = sorted(row[4] for row in rows)
    median, upper = np.quantile(air, [0.5, 0.75], method="weibull")
    made = _grow(rows, [int(row[4] >= median) + int(row[4] >= upper) for row in rows])
    below, middle = max(each for each in air if each < median), max(each for each in air if each < upper)
    (place, first, *branches) = made.tree
    inner = next(branch for branch in branches if isinstance(branch, tuple))
    assert {(place, first), inner[:2]} == {(4, below), (4, middle)}
    assert (made.leaves, made.accuracy, made.cv_accuracy) == (3, 1.0, 1.0)


def test_a_leaf_counts_the_rows_that_come_to_it() -> None:
    """Each row comes to the leaf that counts it, and the accuracy is the share of rows in their leaf's class."""
    x, y = _noisy(300)
    made = _grow(x.tolist(), y.tolist())
    counted: dict[int, list[int]] = {}
    for row, label in zip(x, y, strict=True):
        counted.setdefault(id(_leaf(made.tree, row)), [0, 0, 0])[label] += 1
    leaves = {id(node): node for _, node in _nodes(made.tree) if isinstance(node, list)}
    assert counted == leaves
    assert made.leaves == len(leaves)
    assert made.accuracy == sum(map(max, leaves.values())) / 300


def test_noise_is_pruned_away() -> None:
    """Of rows with a tenth of their labels wrong, the tree keeps the three bands there are and little more."""
    x, y = _noisy(600)
    grown = DecisionTreeClassifier(criterion="entropy", min_samples_leaf=2, random_state=0).fit(x, y)
    made = _grow(x.tolist(), y.tolist())
    assert grown.get_n_leaves() > 40
    assert made.leaves <= 8
    unseen, truth = _noisy(5000, seed=4)
    right = np.mean([np.argmax(_leaf(made.tree, row)) == label for row, label in zip(unseen, truth, strict=True)])
    assert right > grown.score(unseen, truth) + 0.03
    assert right == pytest.approx(made.cv_accuracy, abs=0.04)


def test_pure_noise_makes_a_small_tree() -> None:
    """Where nothing can be told apart, cross-validation says so."""
    dice = np.random.default_rng(5)
    made = _grow(dice.normal(size=(400, 4)).tolist(), dice.integers(0, 2, 400).tolist())
    assert made.cv_accuracy == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("numbers", [(1.4e9, 1.4e9 + 1), (1e299, 1.1e299), (5e-324, 1e-323), (-0.1, 0.1), (0.0, 1e-8)])
def test_numbers_are_told_apart_to_the_last_bit(numbers: tuple[float, float]) -> None:
    """A split lies between any two numbers, however near, great or small, and at one that occurs."""
    low, high = numbers
    made = _grow([[low], [high]] * 5, [0, 1] * 5)
    assert made.tree == (0, low, [5, 0], [0, 5])


def test_a_split_is_at_the_number_below_the_middle() -> None:
    """As in C4.5 a split is at the greatest number of all rows that is not above the middle of its two neighbours."""
    made = _grow([[1.0, 0.0], [2.0, 0.0], [10.0, 0.0], [11.0, 0.0], [5.0, 9.0], [5.5, 9.0]], [0, 0, 1, 1, 2, 2])
    inner = next(node for _, node in _nodes(made.tree) if isinstance(node, tuple) and node[0] == 0)
    assert inner[1] == 5.5


def test_the_limits_hold() -> None:
    """No leaf has fewer rows than min_leaf, and no row meets more comparisons than max_depth."""
    x, y = _noisy(500)
    labels = (y + 3 * (x[:, 2] > 0.5) + 6 * (x[:, 0] > 1)).tolist()
    free, few, flat = (
        _grow(x.tolist(), labels),
        _grow(x.tolist(), labels, min_leaf=40),
        _grow(x.tolist(), labels, max_depth=2),
    )
    assert min(sum(node) for _, node in _nodes(few.tree) if isinstance(node, list)) >= 40
    assert max(depth for depth, _ in _nodes(flat.tree)) == 2 < max(depth for depth, _ in _nodes(free.tree))


def test_one_class_is_one_leaf() -> None:
    """Rows of one class make a tree without a split, though there are other classes."""
    made = grow([[1.0], [2.0], [3.0], [4.0]], [2, 2, 2, 2], 4, min_leaf=2, max_depth=5)
    assert made == Fit([0, 0, 4, 0], 1, 1.0, 1.0)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e299, 1e299), st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=30))
def test_any_rows_make_a_tree(rows: list[tuple[float, int, int]]) -> None:
    """Whatever the rows, each comes to a leaf that counts it, and the same rows make the same tree again."""
    numbers, labels = [row[:2] for row in rows], [row[2] for row in rows]
    made = grow(numbers, labels, 3, min_leaf=1, max_depth=10)
    assert all(_leaf(made.tree, row)[label] for row, label in zip(numbers, labels, strict=True))
    assert made == grow(numbers, labels, 3, min_leaf=1, max_depth=10)


def test_pruning_is_scikit_learns() -> None:
    """With its own measure as the cost, every price between two of its steps leaves the tree that it leaves."""
    x, y = _noisy(300)
    free = DecisionTreeClassifier(criterion="entropy", min_samples_leaf=2, random_state=0).fit(x, y)
    tree = free.tree_
    steps = free.cost_complexity_pruning_path(x, y).ccp_alphas
    prices = np.array([math.sqrt(low * high) for low, high in pairwise(steps[1:]) if high > low * 1.001])
    assert len(prices) > 10
    costs = tree.impurity * tree.n_node_samples / len(y)
    splits = splits_worth(tree.children_left, tree.children_right, costs, prices)
    stops = ends(tree.children_left, tree.children_right, splits)[tree.apply(x.astype(np.float32))]
    said = tree.value[:, 0].argmax(axis=1)[stops]
    for place, price in enumerate(prices):
        pruned = DecisionTreeClassifier(criterion="entropy", min_samples_leaf=2, random_state=0, ccp_alpha=price).fit(
            x, y
        )
        assert len(set(stops[:, place])) == pruned.get_n_leaves()
        assert (said[:, place] == pruned.predict(x)).all()


def test_a_split_that_saves_nothing_goes() -> None:
    """At price 0 a split stays only if it saves a mistake, here or further down."""
    left, right = np.array([1, 3, -1, -1, -1]), np.array([2, 4, -1, -1, -1])
    worth = splits_worth(left, right, np.array([5.0, 3.0, 2.0, 3.0, 0.0]), np.array([0.0]))
    assert worth[:, 0].tolist() == [False] * 5
    worth = splits_worth(left, right, np.array([5.0, 3.0, 2.0, 1.0, 0.0]), np.array([0.0, 1.0, 2.0]))
    assert worth[[0, 1]].tolist() == [[True, False, False], [True, True, False]]
    assert ends(left, right, worth)[3].tolist() == [3, 0, 0]
