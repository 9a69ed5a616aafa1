"""`kalman_filter`: readings without their noise."""

from collections.abc import Iterable, Sequence

from riot_tasks.algorithms.kalman import Kalman, Kalman32
from riot_tasks.fields import MAX_FIELDS, FieldTask, derived, numbers
from riot_tasks.parameters import flag, positive
from riot_tasks.record import Record


class KalmanFilter(FieldTask[Kalman]):
    """A scalar Kalman filter per field: each reading is replaced by the estimate of what was measured.

    Args:
        fields: names of the fields; None is every field that holds a number.
        process_noise: variance by which the quantity wanders between two readings.
        sensor_noise: variance of a reading.
        estimated_error: variance of the estimate before the first reading.
        max_fields: with `fields` None, fields to keep state for; a record that brings one more is a BadRecord.
        parity: RIoTBench's arithmetic: single precision, and an estimate that starts from 0 instead of from
            the first reading.

    The result has the watched fields only; a record with none of them gives nothing. A field whose value is
    None is passed over, one that is no number makes the record a BadRecord.

    Example:
        >>> from riot_tasks import Record
        >>> task = KalmanFilter(["temperature"])
        >>> for reading in (20.0, 21.0, 20.5):
        ...     for result in task.process(Record(1, "dev7", 0.0, {"temperature": reading, "humidity": 50.0})):
        ...         print(round(result.values["temperature"], 3))
        20.0
        20.58
        20.541

    References:
        Kalman, "A New Approach to Linear Filtering and Prediction Problems", J. Basic Engineering 82 (1960).
        RIoTBench KAL, arXiv 1701.08530, section 4.1.
    """

    code = "KAL"
    pattern = "1:1"

    def __init__(  # noqa: PLR0913 - six keys of the config
        self,
        fields: Sequence[str] | None = None,
        *,
        process_noise: float = 0.125,
        sensor_noise: float = 0.32,
        estimated_error: float = 30.0,
        max_fields: int = MAX_FIELDS,
        parity: bool = False,
    ) -> None:
        super().__init__(fields, max_fields)
        self.process_noise = positive("process_noise", process_noise)
        self.sensor_noise = positive("sensor_noise", sensor_noise)
        self.estimated_error = positive("estimated_error", estimated_error)
        self.parity = flag("parity", parity)

    def process(self, record: Record) -> Iterable[Record]:
        """The estimates as one record; nothing if it has no watched field."""
        estimates = self._advance(numbers(record, self.fields))
        return (derived(record, estimates),) if estimates else ()

    def _algorithm(self) -> Kalman:
        kind = Kalman32 if self.parity else Kalman
        return kind(self.process_noise, self.sensor_noise, self.estimated_error)
