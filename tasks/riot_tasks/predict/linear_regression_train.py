"""`linear_regression_train`: a linear model of what records have in common."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riot_tasks.fields import number
from riot_tasks.models import LinearModel
from riot_tasks.parameters import names
from riot_tasks.predict.tables import Table
from riot_tasks.predict.trainer import Row, Trainer
from riot_tasks.record import Value

if TYPE_CHECKING:
    from riot_tasks.algorithms.m5_regression import Fit


class LinearRegressionTrain(Trainer):
    """Learns a number from a record's other numbers: a linear model for `linear_regression`.

    Args:
        features: the fields to learn from; those that do not help are left out of the model.
        target: the field to foretell.
        window: records in a model; windows do not overlap. At least two more than there are features.
        rows: field in which a record brings a whole table: CSV whose first line names the columns, or a JSON array
            of objects. A model is made of it at once, whatever the window holds.

    The record that fills a window, or brings a table, gives one with its id, source and time: `model`, the document
    as JSON; `version`, what it is called, `{source}-MLR-{end of the window in ms}`; `trained_on`, how many rows it is
    made of; `rmse`, the root of its mean squared error over them, and `r2`, the share of the variance it accounts
    for, which is absent if the target is constant. At the end of a bounded stream the partial window makes one more,
    if it has rows enough. With a table, the record's field `name` stands for the source, where it has one, and
    `rowstart` and `rowend`, ms, for the window.

    Fields are found by their names: a record that lacks one of them is a BadRecord, as is one where it holds no
    number within ±1e100; one where it is None does not count, nor does a row with an empty cell. A table of too few
    rows is a BadRecord. Learning takes 1 ms for 1,000 rows of five.

    It is what Weka's LinearRegression does by default, to the last digits: a ridge of 1e-8, collinear attributes
    eliminated, the rest selected as by M5. RIoTBench's windows count records of all sensors.

    Example:
        >>> from riot_tasks import Record, models
        >>> task = LinearRegressionTrain(["distance"], "fare", window=3)
        >>> for distance, fare in ((1.0, 5.0), (2.0, 7.5), (4.0, 12.0)):
        ...     for result in task.process(Record(1, "taxi7", 60.0, {"distance": distance, "fare": fare})):
        ...         model = models.read(result.values["model"])
        ...         print(model.version, round(model.coefficients["distance"], 3), round(model.intercept, 3))
        taxi7-MLR-60000 2.321 2.75

    References:
        RIoTBench MLT (LinearRegressionTrain, LinearRegressionTrainBatched), arXiv 1701.08530, section 4.1.
        Quinlan, "Learning with Continuous Classes", AI'92; Akaike, IEEE Trans. Automatic Control 19 (1974).
    """

    code = "MLT"
    _infix = "MLR"
    _limit = 1e100  # so that squares stay finite

    def __init__(self, features: Sequence[str], target: str, *, window: int = 300, rows: str = "rows") -> None:
        super().__init__(features, target, window, rows, least=len(names("features", features) or ()) + 2)
        _learner()  # its absence is found now, not at a record

    def _outcome(self, value: Value) -> float:
        return self._checked(self.target, number(self.target, value))

    def _outcomes(self, table: Table) -> list[float | None]:
        return self._numbers(table, self.target)

    def learn(self, rows: Sequence[Row], head: Mapping[str, Any]) -> LinearModel:
        """The regression that rows make: the features, and the number to foretell."""
        fit = _learner()(rows)
        weights = zip(self.features, fit.weights, strict=True)
        return LinearModel(
            **head,
            metrics={"rmse": fit.rmse} | ({} if fit.r2 is None else {"r2": fit.r2}),
            coefficients={feature: weight for feature, weight in weights if weight is not None},
            intercept=fit.intercept,
        )


def _learner() -> "Callable[[Sequence[Row]], Fit]":
    try:
        from riot_tasks.algorithms.m5_regression import fit  # noqa: PLC0415 - NumPy is not needed to run riotd
    except ImportError as error:
        raise ValueError(f"linear_regression_train needs NumPy: {error}; pip install 'riotd[learn]'") from error
    return fit
