"""`label_quantiles`: a class for each row, by where a number stands among the others."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

import msgspec

from riot_tasks.algorithms.quantile_bands import bands
from riot_tasks.errors import BadRecord
from riot_tasks.fields import number, versioned
from riot_tasks.parameters import name, whole
from riot_tasks.predict.tables import Table, numbers_in, table_in
from riot_tasks.record import Record, Value
from riot_tasks.showing import shown
from riot_tasks.task import Task

RIOTBENCH = {"BAD": 25, "GOOD": 50, "VERYGOOD": 75, "EXCELLENT": 100}
"""RIoTBench's labels, each with the percentile from which on it is given."""


class LabelQuantiles(Task):
    """Labels rows for training: in each window, or each table, by the quantiles of one field.

    Args:
        field: the field whose numbers decide; None is the last of the record, or of the table's columns.
        labels: label to the percentile of the window from which on it is given, rising; None is RIoTBench's,
            {BAD: 25, GOOD: 50, VERYGOOD: 75, EXCELLENT: 100}.
        into: field for the label.
        window: records in a window; windows do not overlap.
        rows: field in which a record brings a whole table: CSV whose first line names the columns, or a JSON array
            of objects.

    A number has the label of the greatest percentile that is not above it, and the first label below them all. So
    with RIoTBench's labels what is below the median is BAD, from there to the 75th percentile GOOD, above it
    VERYGOOD, and only the maximum EXCELLENT. Where percentiles are equal, the later label wins.

    The record that fills a window gives all records of the window with their labels, in order, each with its own
    source, time and values, and all with this record's id, as that is what they follow from. At the end of a bounded
    stream the partial window is labelled by its own quantiles. A table is labelled by itself: its record comes at
    once, with a column more. A record, or a column, that has no such field is a BadRecord, as is a value that is no
    number; a record in which it is None is left out, a row of a table has no label then.

    RIoTBench labels tables only, and takes the field by its position, from a setting that another task uses as well.

    Example:
        >>> from riot_tasks import Record
        >>> task = LabelQuantiles("fare", labels={"LOW": 1, "HIGH": 50}, window=3)
        >>> for fare in (12.0, 7.5, 10.0):
        ...     for result in task.process(Record(1, "taxi7", 0.0, {"fare": fare})):
        ...         print(result.values)
        {'fare': 12.0, 'label': 'HIGH'}
        {'fare': 7.5, 'label': 'LOW'}
        {'fare': 10.0, 'label': 'HIGH'}

    References:
        RIoTBench AnnotateDTClass, arXiv 1701.08530, section 4.2.
        Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996), type 6.
    """

    pattern = "N:M"

    def __init__(
        self,
        field: str | None = None,
        *,
        labels: Mapping[str, float] | None = None,
        into: str = "label",
        window: int = 300,
        rows: str = "rows",
    ) -> None:
        self.field = None if field is None else name("field", field)
        self.labels = _rising(labels)
        self.into = name("into", into)
        self.window = whole("window", window, least=1)
        self.rows = name("rows", rows)
        self._waiting: list[Record] = []
        self._numbers: list[float] = []

    def process(self, record: Record) -> Iterable[Record]:
        """The labelled window, if this record fills it; the labelled table, if it brings one."""
        table = record.values.get(self.rows)
        if table is not None:
            text = self._labelled(table_in(self.rows, table)).text()
            return (msgspec.structs.replace(record, values={**record.values, self.rows: text}),)
        found = self._number(record.values)
        if found is None:
            return ()
        for field, value in record.values.items():
            _refuse_unless_it_keeps(field, value)
        self._waiting.append(record)
        self._numbers.append(found)
        return self._taken() if len(self._waiting) >= self.window else ()

    def flush(self) -> Iterable[Record]:
        """The partial window."""
        return self._taken()

    def _taken(self) -> Iterable[Record]:
        """What waits, labelled; begins afresh."""
        waiting, labels = self._waiting, self._labels(self._numbers)
        self._waiting, self._numbers = [], []
        return [
            msgspec.structs.replace(record, id=waiting[-1].id, values={**record.values, self.into: label})
            for record, label in zip(waiting, labels, strict=True)
        ]

    def _labelled(self, table: Table) -> Table:
        field = self.field or _last(table.names)
        found = numbers_in(self.rows, table, field)
        numbers = [each for each in found if each is not None]
        if found and not numbers:
            raise BadRecord(f"{self.rows}: {field[:100] or 'field'} is in none of the rows")
        labels = iter(self._labels(numbers))
        return table.with_column(self.into, [None if each is None else next(labels) for each in found])

    def _labels(self, numbers: list[float]) -> list[str]:
        labels = self.labels or RIOTBENCH
        names = list(labels)
        return [names[band] for band in bands(numbers, list(labels.values()))]

    def _number(self, values: Mapping[str, Value]) -> float | None:
        field = self.field or _last(values)
        if field not in values:
            raise BadRecord(f"{field or 'field'}: the record lacks it, and is labelled by it")
        value = values[field]
        return None if value is None else number(field, value)

    def snapshot(self) -> Mapping[str, Any]:
        """The records that wait for the end of their window."""
        waiting = [
            [each.id, each.source, each.time, dict(each.values), dict(each.units), dict(each.meta)]
            for each in self._waiting
        ]
        return {"version": 1, "waiting": waiting, "numbers": list(self._numbers)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        versioned(state, 1)
        self._waiting = [Record(*each) for each in state["waiting"]]
        self._numbers = list(state["numbers"])


def _last(names: Iterable[str]) -> str:
    return next(reversed(list(names)), "")


def _refuse_unless_it_keeps(field: str, value: Value) -> None:
    """Raise BadRecord for what a snapshot can't hold, and for what no sink could write when the window ends."""
    if type(value) is float and not isfinite(value):
        raise BadRecord(f"{field}: {value} is no number that can be kept")
    if type(value) is int and not -(2**63) <= value < 2**64:
        raise BadRecord(f"{field}: an integer of {value.bit_length()} bits; 64 can be kept")
    if isinstance(value, str) and not value.isascii() and value.encode(errors="replace").decode() != value:
        raise BadRecord(f"{field}: not a text in Unicode")


def _rising(labels: object) -> Mapping[str, float] | None:
    if labels is None:
        return None
    percents = list(labels.values()) if isinstance(labels, Mapping) else []
    numeric = all(isinstance(each, int | float) and not isinstance(each, bool) and 0 < each <= 100 for each in percents)
    if not isinstance(labels, Mapping) or not percents or not numeric or sorted(set(percents)) != percents:
        raise ValueError(
            f"labels: {shown(labels)} maps no labels to rising percentiles up to 100; write {{LOW: 50, HIGH: 90}}"
        )
    if not all(isinstance(label, str) and label for label in labels):
        raise ValueError(
            f"labels: {shown(labels)} has a label that is no text; mind the quotes around yes, no and numbers"
        )
    return labels
