"""`interpolate`: a likely value where there is none."""

from collections.abc import Iterable, Mapping, Sequence

from riot_tasks.algorithms.float32 import float32
from riot_tasks.algorithms.recent_mean import RecentMean, RecentMean32
from riot_tasks.fields import LIMIT, MAX_FIELDS, FieldTask, derived, numbers
from riot_tasks.parameters import flag, one_of, whole
from riot_tasks.record import Record, Value


class Interpolate(FieldTask[RecentMean]):
    """Fills each None with the mean of the last `window` readings of that field.

    Args:
        fields: names of the fields; None is every field, so that text fields with None count too.
        window: readings in the mean; fewer until so many came.
        on_empty: what becomes of a None before there is any reading: "pass" leaves it None, "zero" puts 0.0 in its
            place, "drop" takes out the whole record.
        max_fields: with `fields` None, fields to keep state for; a record that brings one more is a BadRecord.
        parity: RIoTBench's arithmetic: the readings and their mean in single precision, and 0.0 where there is no
            reading yet, whatever `on_empty` says.

    The result is the record with all of its fields. None is what `range_filter` and `bloom_filter` leave of a value
    they took out; a field that the record does not have is not added. Filled values are not readings: they do not
    count in later means. A watched field that holds no number makes the record a BadRecord.

    What differs from RIoTBench: it gives 0.0 in place of each value of a field that it was not told to watch, which
    destroys most of what its own settings for FIT and GRID let through. Here such fields pass untouched, also with
    `parity`.

    Example:
        >>> from riot_tasks import Record
        >>> task = Interpolate(["temperature"])
        >>> for reading in (20.0, 21.0, None):
        ...     for result in task.process(Record(1, "dev7", 0.0, {"temperature": reading, "kind": "indoor"})):
        ...         print(result.values)
        {'temperature': 20.0, 'kind': 'indoor'}
        {'temperature': 21.0, 'kind': 'indoor'}
        {'temperature': 20.5, 'kind': 'indoor'}

    References:
        RIoTBench INP (Interpolation), arXiv 1701.08530, section 4.1.
    """

    code = "INP"
    pattern = "1:1"

    def __init__(
        self,
        fields: Sequence[str] | None = None,
        *,
        window: int = 5,
        on_empty: str = "pass",
        max_fields: int = MAX_FIELDS,
        parity: bool = False,
    ) -> None:
        super().__init__(fields, max_fields)
        self.window = whole("window", window, least=1, most=1_000_000)
        self.on_empty = one_of("on_empty", on_empty, ("pass", "zero", "drop"))
        self.parity = flag("parity", parity)

    def process(self, record: Record) -> Iterable[Record]:
        """The record without gaps; nothing if it has one that can't be filled and `on_empty` is "drop"."""
        if len(record.values) == 1 and self._noted(record.values):
            return (record,)
        readings = numbers(record, self.fields)
        self._advance(readings)
        filled: dict[str, Value] = {name: self._mean(name) for name in self._gaps(record)}
        if self.on_empty == "drop" and None in filled.values():
            return ()
        if self.parity:
            filled.update((name, float32(reading)) for name, reading in readings.items())
        return (derived(record, {**record.values, **filled}),) if filled else (record,)

    def _noted(self, values: Mapping[str, Value]) -> bool:
        """Whether it is one observation that passes as it is, and has been taken note of: nearly all are."""
        ((name, value),) = values.items()
        algorithm = self._algorithms.get(name)
        if algorithm is None:
            return self.fields is not None and name not in self.fields
        if self.parity or not (type(value) is float or type(value) is int) or not -LIMIT < value < LIMIT:
            return False
        algorithm.update(float(value))
        return True

    def _gaps(self, record: Record) -> list[str]:
        values = record.values
        return [name for name in self.fields or values if name in values and values[name] is None]

    def _mean(self, name: str) -> float | None:
        algorithm = self._algorithms.get(name)
        mean = algorithm.mean() if algorithm else None
        return 0.0 if mean is None and (self.parity or self.on_empty == "zero") else mean

    def _algorithm(self) -> RecentMean:
        return (RecentMean32 if self.parity else RecentMean)(self.window)
