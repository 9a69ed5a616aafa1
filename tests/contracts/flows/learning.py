"""What TRAIN learns and PRED says, worked out plainly: loops over rows and messages, nothing of riotd's stages."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from riot_tasks.algorithms.m5_regression import fit
from riot_tasks.algorithms.quantile_bands import bands
from riot_tasks.algorithms.tree_growing import grow
from tests.contracts.flows.datasets import ASKED_BY_TREES, CLASSES, DATASETS
from tests.contracts.flows.references import Values, readings


class Models(NamedTuple):
    """What TRAIN learns from a table's rows.

    Attributes:
        weights: of the features that count, for the regression.
        intercept: its other number.
        tree: as its document has it, without counts.
        rows: how many each was learnt from.
    """

    weights: dict[str, float]
    intercept: float
    tree: Values
    rows: tuple[int, int]


def train(dataset: str, table: Iterable[Values]) -> Models:
    """The models of rows, in the order of their times: those that have all that is needed."""
    of, rows = DATASETS[dataset], list(table)
    needed = [*of.features, of.target]
    line = fit([[row[name] for name in needed] for row in rows if all(name in row for name in needed)])
    asked = ASKED_BY_TREES[dataset]
    labelled = [row for row in rows if of.target in row]
    labels = bands([row[of.target] for row in labelled], (25, 50, 75, 100))
    whole = [(row, label) for row, label in zip(labelled, labels, strict=True) if all(name in row for name in asked)]
    numbers = [[row[name] for name in asked] for row, _ in whole]
    grown = grow(numbers, [label for _, label in whole], len(CLASSES), min_leaf=2, max_depth=20)
    weights = {name: weight for name, weight in zip(of.features, line.weights, strict=True) if weight is not None}
    learnt = sum(all(name in row for name in needed) for row in rows)
    return Models(weights, line.intercept, _document(grown.tree, asked), (learnt, len(whole)))


def _document(grown: Any, names: tuple[str, ...]) -> Values:
    if isinstance(grown, list):
        return {"leaf": CLASSES[grown.index(max(grown))]}
    place, split, upto, above = grown
    return {"attr": names[place], "split_le": split, "le": _document(upto, names), "gt": _document(above, names)}


class Foretold(NamedTuple):
    """PRED's results, each list in the order of the messages: device, time, and what was said."""

    classes: list[tuple[str, float, str]]
    errors: list[tuple[str, float, float, float]]


def pred(dataset: str, lines: Iterable[bytes], tree: Values, line: Values) -> Foretold:
    """PRED's results by two documents: the class; the number foretold, and its error by the sensor's average."""
    of, found = DATASETS[dataset], Foretold([], [])
    block, average = defaultdict[str, list[float]](list), dict[str, float]()
    for source, time, values in readings(dataset, lines):
        actual = values.get(of.target)
        if actual is not None:
            block[source].append(actual)
            if len(block[source]) == 10:
                average[source] = sum(block.pop(source)) / 10
        if _asked(tree["tree"]) <= values.keys():
            found.classes.append((source, time, _class(tree["tree"], values)))
        weights = line["coefficients"]
        if weights.keys() <= values.keys() and actual is not None:
            counting = (name for name in line["features"] if name in weights)
            foretold = sum((weights[name] * values[name] for name in counting), line["intercept"])
            if average.get(source):
                found.errors.append((source, time, foretold, (actual - foretold) / average[source]))
    return found


def _asked(node: Values) -> set[str]:
    return set() if "leaf" in node else {node["attr"], *_asked(node["le"]), *_asked(node["gt"])}


def _class(node: Values, values: Values) -> str:
    while "leaf" not in node:
        node = node["le"] if values[node["attr"]] <= node["split_le"] else node["gt"]
    return str(node["leaf"])
