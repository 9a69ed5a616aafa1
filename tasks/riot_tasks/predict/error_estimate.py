"""`error_estimate`: how far predictions are off, by the size of what they predict."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from riot_tasks.algorithms.float32 import float32
from riot_tasks.fields import number, versioned
from riot_tasks.parameters import flag, name
from riot_tasks.record import Record
from riot_tasks.task import Task


class ErrorEstimate(Task):
    """The error of each prediction, (actual - predicted) / average: 0.1 is a tenth of the usual value too low.

    Args:
        actual: field with the reading that was predicted.
        predicted: field with the prediction.
        into: field for the error.
        parity: RIoTBench's arithmetic, single precision.

    It comes after two stages, one that predicts and one that averages the readings, and takes the records of both:
    `after: [mean, predict]`. A record with the field `predicted` is a prediction, as `linear_regression` gives it,
    with the reading beside it; it gives the same record with the error in `into`, of unit `/` (a ratio). A record
    without that field is an average, as `average` gives it: its field `actual` is what errors are divided by from
    then on, and it gives nothing. So it needs no positions, and no other stage may send it records without
    predictions. In the order [mean, predict] a message that ends a window is measured by the mean it ends.

    Nothing comes before there is an average, nor while the average is 0, nor where the reading or the prediction is
    None. A field that holds no number makes the record a BadRecord.

    What differs from RIoTBench: there errors are infinite or NaN until the first average, and are divided by the
    last average of whichever sensor; here both are of one key.

    Example:
        >>> from riot_tasks import Record
        >>> task = ErrorEstimate("fare")
        >>> mean, prediction = {"fare": 10.0}, {"fare": 12.0, "distance": 3.1, "prediction": 11.0}
        >>> for values in (prediction, mean, prediction):
        ...     for result in task.process(Record(1, "taxi7", 0.0, values)):
        ...         print(result.values)
        {'fare': 12.0, 'distance': 3.1, 'prediction': 11.0, 'error': 0.1}

    References:
        RIoTBench ErrorEstimation, arXiv 1701.08530, section 4.2 and figure 3d.
    """

    pattern = "1:0/1"

    def __init__(
        self, actual: str, *, predicted: str = "prediction", into: str = "error", parity: bool = False
    ) -> None:
        self.actual = name("actual", actual)
        self.predicted = name("predicted", predicted)
        self.into = name("into", into)
        self.parity = flag("parity", parity)
        self._average: float | None = None

    def process(self, record: Record) -> Iterable[Record]:
        """The prediction with its error, if it is one and there is an average."""
        actual, predicted = self._number(record, self.actual), self._number(record, self.predicted)
        if self.predicted not in record.values:
            self._average = self._average if actual is None else actual
            return ()
        error = None if actual is None or predicted is None else self._error(actual, predicted)
        if error is None:
            return ()
        units = {**record.units, self.into: "/"}
        return (Record(record.id, record.source, record.time, {**record.values, self.into: error}, units, record.meta),)

    def _number(self, record: Record, field: str) -> float | None:
        value = record.values.get(field)
        if value is None:
            return None
        return float32(number(field, value)) if self.parity else number(field, value)

    def _error(self, actual: float, predicted: float) -> float | None:
        """The error; None if there is none: without an average, with one of 0, or one so small that it overflows."""
        if not self._average:
            return None
        if self.parity:
            return float32(float32(actual - predicted) / self._average)
        error = (actual - predicted) / self._average
        return error if isfinite(error) else None

    def snapshot(self) -> Mapping[str, Any]:
        """The last average."""
        return {"version": 1, "average": self._average}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        self._average = versioned(state, 1)["average"]
