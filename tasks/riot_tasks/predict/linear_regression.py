"""`linear_regression`: a number foretold from a record's other numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from riot_tasks.algorithms.float32 import float32
from riot_tasks.errors import BadRecord
from riot_tasks.fields import LIMIT
from riot_tasks.models import LinearModel
from riot_tasks.parameters import flag
from riot_tasks.predict.predictor import Predictor

_JAVA_INT = 2**31


class LinearRegression(Predictor[LinearModel]):
    """What a linear model makes of each record, beside the numbers it was made of.

    Args:
        model: path of the model's file, or the document itself. On a cluster the file must be on every node. None waits
            for the first that a record brings: records before that give nothing.
        into: field for the prediction; it gets the unit of the target, where the record has that.
        updates: field in which a record brings another model, as text or bytes; None if none does. Whoever can send
            such a record decides what is foretold.
        features: the fields that records have: a model that needs others is refused. None: a new model must have the
            features of the one in force.
        shadow: messages for which a new model is tried beside the one in force; 0 is none. A notice may say otherwise.
        promote: what follows its trial: "always", it takes over; "told", it waits for a notice of it without a trial.
        on_missing: what becomes of a record that lacks a field which the model uses: "reject" makes it a BadRecord;
            "drop" takes it out, counted as filtered: in SenML a field that is None is not there.
        parity: RIoTBench's predictions: cut to whole numbers, towards zero.

    The result has the fields that the model uses, the target if the record has it, and the prediction;
    `meta["model"]` is the version of the model. Fields are found by their names: a record that lacks one which the
    model uses is a BadRecord, as is one where it holds no number; one where it is None gives nothing. Features that
    the model does not use need not be there.

    A record with the field `updates` gives nothing but, at the output `events`, what became of its model; from the next
    record on that is in force, for all keys: so such records come from a source with `key: every`. `event` is `taken`,
    `shadowing`, `promoted`, `rolled_back` (it was in force before), `dropped` (the end of a trial) or `refused`, with
    its `version`, the `previous` one, and the `reason`. What is no linear model, of a later format, for another target
    or by other features, or not what `sha256` and `version` beside it say, is refused, and the old one stays. One whose
    `kind` is another one's is passed over. On trial, messages are counted in their numbers, which are the same in every
    shard, and the output `shadow` has each result of the new model, with that of the old one in `{into}_in_force`.

    A record that lacks what a new model needs, or of which that makes no number, is left to the model before it, if
    that can: `meta["instead_of"]` then is the version of the one in force.

    RIoTBench takes the numbers by their position in the row, and its model is one for all tasks of a process.

    Example:
        >>> from riot_tasks import Record
        >>> model = {
        ...     "kind": "linear_regression", "format": 1, "version": "taxi-1",
        ...     "features": ["seconds", "distance"], "target": "fare",
        ...     "coefficients": {"seconds": 0.0022, "distance": 2.35}, "intercept": 3.57,
        ... }
        >>> task = LinearRegression(model)
        >>> for result in task.process(Record(1, "taxi7", 0.0, {"distance": 9.08, "seconds": 1440.0, "fare": 29.0})):
        ...     print(result.values, result.meta)
        {'seconds': 1440.0, 'distance': 9.08, 'fare': 29.0, 'prediction': 28.076} {'model': 'taxi-1'}

    References:
        RIoTBench MLR (LinearRegressionPredictor), arXiv 1701.08530, section 4.1.
    """

    code = "MLR"

    def __init__(  # noqa: PLR0913 - eight keys of the config
        self,
        model: str | Mapping[str, Any] | None = None,
        *,
        into: str = "prediction",
        updates: str | None = None,
        features: Sequence[str] | None = None,
        shadow: int = 0,
        promote: str = "always",
        on_missing: str = "reject",
        parity: bool = False,
    ) -> None:
        super().__init__(
            LinearModel,
            model,
            into=into,
            updates=updates,
            features=features,
            shadow=shadow,
            promote=promote,
            on_missing=on_missing,
        )
        self.parity = flag("parity", parity)

    def _said(self, model: LinearModel, found: Mapping[str, float]) -> float:
        prediction = model.scorer(found.values())
        if not -LIMIT < prediction < LIMIT:  # NaN is neither
            raise BadRecord(f"{self.into}: model {model.version} foretells no number within ±{LIMIT:g}")
        return float32(max(-_JAVA_INT, min(_JAVA_INT - 1, int(prediction)))) if self.parity else prediction
