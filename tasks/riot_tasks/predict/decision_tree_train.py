"""`decision_tree_train`: a decision tree that tells the classes of records apart."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riot_tasks.errors import BadRecord
from riot_tasks.models import Node, TreeModel
from riot_tasks.parameters import names, whole
from riot_tasks.predict.label_quantiles import RIOTBENCH
from riot_tasks.predict.trainer import Row, Trainer
from riot_tasks.record import Value, text

if TYPE_CHECKING:
    from riot_tasks.algorithms.tree_growing import Fit, Grown


class DecisionTreeTrain(Trainer):
    """Learns the class of records from their numbers: a decision tree for `decision_tree_classify`.

    Args:
        features: the fields to learn from.
        target: the field with the class, as `label_quantiles` gives it.
        classes: the classes there are, in order; None is RIoTBench's, [BAD, GOOD, VERYGOOD, EXCELLENT].
        window: records in a model; windows do not overlap.
        min_leaf: the fewest rows that a leaf may be made for.
        max_depth: the most comparisons for a record.
        rows: field in which a record brings a whole table: CSV whose first line names the columns, or a JSON array
            of objects. A model is made of it at once, whatever the window holds.

    The record that fills a window, or brings a table, gives one with its id, source and time: `model`, the document
    as JSON; `version`, what it is called, `{source}-DTC-{end of the window in ms}`; `trained_on`, how many rows it is
    made of; `leaves`; `accuracy`, the share of these rows that it puts in their class; and `cv_accuracy`, the same
    for rows it has not seen, by cross-validation: the one to compare models by. At the end of a bounded stream the
    partial window makes one more, if it has rows enough. With a table, the record's field `name` stands for the source,
    where it has one, and `rowstart` and `rowend`, ms, for the window.

    Fields are found by their names: a record that lacks one of them is a BadRecord, as is one with a feature that is
    no number, or a class that is not in the list; one where one of them is None does not count, nor does a row with
    an empty cell. A table of too few rows is a BadRecord. Learning takes 10 to 35 ms for 1,000 rows of five.

    RIoTBench grows C4.5 trees (Weka's J48, gain ratio, pruned by an estimate from the training rows); these are grown
    by entropy and pruned by cross-validation.

    Example:
        >>> from riot_tasks import Record, models
        >>> task = DecisionTreeTrain(["airquality"], "label", classes=["GOOD", "BAD"], window=6)
        >>> for airquality in (12.0, 15.0, 17.0, 23.0, 26.0, 33.0):
        ...     values = {"airquality": airquality, "label": "GOOD" if airquality <= 20 else "BAD"}
        ...     for result in task.process(Record(1, "dev7", 60.0, values)):
        ...         model = models.read(result.values["model"])
        ...         print(model.version, model.tree.attr, model.tree.split_le, model.tree.le.leaf, model.tree.gt.leaf)
        dev7-DTC-60000 airquality 17.0 GOOD BAD

    References:
        Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984.
        RIoTBench DTT (DecisionTreeTrain, DecisionTreeTrainBatched), arXiv 1701.08530, section 4.1.
    """

    code = "DTT"
    _infix = "DTC"

    def __init__(  # noqa: PLR0913 - seven keys of the config
        self,
        features: Sequence[str],
        target: str = "label",
        *,
        classes: Sequence[str] | None = None,
        window: int = 300,
        min_leaf: int = 2,
        max_depth: int = 20,
        rows: str = "rows",
    ) -> None:
        self.classes = names("classes", classes)
        self.min_leaf = whole("min_leaf", min_leaf, least=1, most=2**30 - 1)  # a window has twice as many
        self.max_depth = whole("max_depth", max_depth, least=1, most=50)
        super().__init__(features, target, window, rows, least=2 * min_leaf)
        self._places = {label: place for place, label in enumerate(self.classes or RIOTBENCH)}
        _learner()  # its absence is found now, not at a record

    def _outcome(self, value: Value) -> float:
        place = self._places.get(text(value))
        if place is None:
            classes = ", ".join(self._places)[:200]
            raise BadRecord(f"{self.target}: {text(value)[:40]!r} is not among the classes {classes}")
        return place

    def learn(self, rows: Sequence[Row], head: Mapping[str, Any]) -> TreeModel:
        """The tree that rows make: the features, and the position of each row's class."""
        numbers, labels = [row[:-1] for row in rows], [int(row[-1]) for row in rows]
        fit = _learner()(numbers, labels, len(self._places), min_leaf=self.min_leaf, max_depth=self.max_depth)
        return TreeModel(
            **head,
            metrics={"leaves": float(fit.leaves), "accuracy": fit.accuracy, "cv_accuracy": fit.cv_accuracy},
            classes=list(self._places),
            tree=_node(fit.tree, self.features, list(self._places)),
        )


def _node(grown: "Grown", features: Sequence[str], classes: Sequence[str]) -> Node:
    if isinstance(grown, list):
        return Node(leaf=classes[grown.index(max(grown))], counts=grown)
    place, split, upto, above = grown
    return Node(
        attr=features[place],
        split_le=split,
        le=_node(upto, features, classes),
        gt=_node(above, features, classes),
    )


def _learner() -> "Callable[..., Fit]":
    try:
        from riot_tasks.algorithms.tree_growing import grow  # noqa: PLC0415 - it takes seconds to import scikit-learn
    except ImportError as error:
        raise ValueError(f"decision_tree_train needs scikit-learn: {error}; pip install 'riotd[learn]'") from error
    return grow
