"""`decision_tree_classify`: which class a record belongs to."""

from collections.abc import Mapping, Sequence
from typing import Any

from riot_tasks.models import TreeModel
from riot_tasks.parameters import flag
from riot_tasks.predict.predictor import Predictor


class DecisionTreeClassify(Predictor[TreeModel]):
    """The class that a decision tree gives each record, beside the numbers it looked at.

    Args:
        model: path of the model's file, or the document itself. On a cluster the file must be on every node. None waits
            for the first that a record brings: records before that give nothing.
        into: field for the class.
        updates: field in which a record brings another model, as text or bytes; None if none does. Whoever can send
            such a record decides what is foretold.
        features: the fields that records have: a model that needs others is refused. None: a new model must have the
            features of the one in force.
        shadow: messages for which a new model is tried beside the one in force; 0 is none. A notice may say otherwise.
        promote: what follows its trial: "always", it takes over; "told", it waits for a notice of it without a trial.
        on_missing: what becomes of a record that lacks a field which the model uses: "reject" makes it a BadRecord;
            "drop" takes it out, counted as filtered: in SenML a field that is None is not there.
        parity: RIoTBench's result: the position of the class in the model's list, a number from 0.0 on.

    The result has the fields that the tree looks at anywhere, the target if the record has it, and the class;
    `meta["model"]` is the version of the model. Fields are found by their names: a record that lacks one of them is
    a BadRecord, as is one where it holds no number; one where it is None gives nothing.

    Models come, are tried, refused, and go back as those of `linear_regression` do: a record with the field `updates`
    brings one, for all keys, and the outputs `events` and `shadow` say what became of it. A record that lacks what a
    new tree needs is left to the one before it, if that can.

    RIoTBench takes the numbers by their position in the row, and its model is one for all tasks of a process.

    Example:
        >>> from riot_tasks import Record
        >>> model = {
        ...     "kind": "decision_tree", "format": 1, "version": "air-1",
        ...     "features": ["humidity", "airquality"], "target": "label", "classes": ["GOOD", "BAD"],
        ...     "tree": {"attr": "airquality", "split_le": 22, "le": {"leaf": "GOOD"}, "gt": {"leaf": "BAD"}},
        ... }
        >>> task = DecisionTreeClassify(model)
        >>> for result in task.process(Record(1, "dev7", 0.0, {"airquality": 26.0})):
        ...     print(result.values, result.meta)
        {'airquality': 26.0, 'class': 'BAD'} {'model': 'air-1'}

    References:
        Quinlan, "C4.5: Programs for Machine Learning", 1993.
        RIoTBench DTC (DecisionTreeClassify), arXiv 1701.08530, section 4.1.
    """

    code = "DTC"

    def __init__(  # noqa: PLR0913 - eight keys of the config
        self,
        model: str | Mapping[str, Any] | None = None,
        *,
        into: str = "class",
        updates: str | None = None,
        features: Sequence[str] | None = None,
        shadow: int = 0,
        promote: str = "always",
        on_missing: str = "reject",
        parity: bool = False,
    ) -> None:
        super().__init__(
            TreeModel,
            model,
            into=into,
            updates=updates,
            features=features,
            shadow=shadow,
            promote=promote,
            on_missing=on_missing,
        )
        self.parity = flag("parity", parity)

    def _said(self, model: TreeModel, found: Mapping[str, float]) -> float | str:
        place = model.scorer(list(found.values()))
        return float(place) if self.parity else model.classes[place]
