"""Learning: rows gathered from a stream, or brought as a table, and the model they make."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from riot_tasks import models
from riot_tasks.errors import BadRecord
from riot_tasks.fields import LIMIT, number, versioned
from riot_tasks.parameters import name, names, whole
from riot_tasks.predict.tables import Table, in_rows, numbers_in, table_in
from riot_tasks.record import Record, Value
from riot_tasks.task import Task

Row = Sequence[float]
"""The features, in their order, and the target: a number, or the position of a class."""

_CALLED = "name"
"""Field in which a record with a table says what the model's version begins with."""
_LONGEST = 100
"""Characters of it, or of the source, in the version."""
_RANGE = ("rowstart", "rowend")
"""Fields in which it says of which time the table is, in ms; RIoTBench's timer and `table_range` call them so."""
_FARTHEST = 1e12
"""Seconds from 1970, beyond which nothing is a time."""


class Trainer(Task):
    """A task that makes a model of every so many records, or of a record that brings a table.

    Args:
        features: the fields to learn from.
        target: the field to foretell.
        window: records in a model.
        rows: field in which a record brings a table.
        least: rows that a model needs.
    """

    pattern = "N:1"
    _infix: ClassVar[str]
    """RIoTBench's code for the task that applies the model: part of the version."""
    _limit: ClassVar[float] = LIMIT
    """Numbers learnt from are within ± this."""

    def __init__(self, features: Sequence[str], target: str, window: int, rows: str, least: int) -> None:
        self.features = names("features", features) or []
        self.target = name("target", target)
        self.window = whole("window", window, least=least)
        self.rows = name("rows", rows)
        if not self.features:
            raise ValueError("features: must list the fields to learn from, like [temperature, humidity]")
        if target in self.features:
            raise ValueError(f"target: {target} is among the features; foretell one field by the others")
        self._least = least
        self._fields = [*self.features, self.target]
        self._begin()

    def _begin(self) -> None:
        self._gathered: list[Row] = []
        self._times = (float("inf"), float("-inf"))  # of the earliest and the latest of them
        self._last: Record | None = None

    @abstractmethod
    def _outcome(self, value: Value) -> float:
        """The target's value as it stands in a row; raises BadRecord if it can't be learnt."""

    @abstractmethod
    def learn(self, rows: Sequence[Row], head: Mapping[str, Any]) -> models.LinearModel | models.TreeModel:
        """The model that rows make, whoever has gathered them; nothing of the task's state goes into it.

        Args:
            rows: at least as many as a model needs; each the features, in their order, and the target.
            head: what all kinds of models have: format, version, features, target, training.
        """

    def process(self, record: Record) -> Iterable[Record]:
        """The model, if this record fills the window or brings a table."""
        table = record.values.get(self.rows)
        if table is not None:
            return (self._of_table(record, table_in(self.rows, table)),)
        if missing := next((field for field in self._fields if field not in record.values), None):
            raise BadRecord(f"{missing}: the record lacks it, and learning needs it")
        row = self._row(record.values)
        if row is None:
            return ()
        self._gathered.append(row)
        self._times = (min(self._times[0], record.time), max(self._times[1], record.time))
        self._last = record
        return self._taken() if len(self._gathered) >= self.window else ()

    def flush(self) -> Iterable[Record]:
        """The model of the partial window, if it has rows enough."""
        return self._taken()

    def _taken(self) -> Iterable[Record]:
        """The model of the rows gathered; begins afresh."""
        last, rows, times = self._last, self._gathered, self._times
        self._begin()
        return (self._announced(last, rows, times),) if last and len(rows) >= self._least else ()

    def _row(self, values: Mapping[str, Value]) -> Row | None:
        """The row in a record's values; None if one of them is None."""
        row = []
        for field in self.features:
            value = values[field]
            if value is None:
                return None
            row.append(self._checked(field, number(field, value)))
        value = values[self.target]
        return None if value is None else [*row, self._outcome(value)]

    def _of_table(self, record: Record, table: Table) -> Record:
        """The model of a table's rows, those left out that are not complete."""
        columns = [*(self._numbers(table, field) for field in self.features), self._outcomes(table)]
        rows = [row for row in zip(*columns, strict=True) if None not in row]
        if len(rows) < self._least:
            bare = (field for field, column in zip(self._fields, columns, strict=True) if set(column) == {None})
            why = "".join(f"; {field} is in none" for field in list(bare)[:1])
            raise BadRecord(
                f"{self.rows}: {len(rows)} of {len(table)} rows are complete, a model needs {self._least}{why}"
            )
        called = record.values.get(_CALLED)
        return self._announced(record, rows, _times(record), called if isinstance(called, str) else "")

    def _numbers(self, table: Table, field: str) -> list[float | None]:
        """A column's numbers; None where there is none."""
        column = numbers_in(self.rows, table, field)
        if found := [value for value in column if value is not None]:
            self._checked(field, min(found))
            self._checked(field, max(found))
        return column

    def _outcomes(self, table: Table) -> list[float | None]:
        """The target's values as they stand in the rows; None where there is none."""
        return in_rows(self.rows, table.column(self.target), self._outcome)

    def _checked(self, field: str, found: float) -> float:
        if not -self._limit < found < self._limit:
            raise BadRecord(f"{field}: {found:g} is too large to learn from; numbers must be within ±{self._limit:g}")
        return found

    def _announced(self, record: Record, rows: Sequence[Row], times: tuple[float, float], called: str = "") -> Record:
        """The model of these rows, in a record that follows from `record`; `called` begins its version."""
        source, called = (text.encode(errors="replace").decode() for text in (record.source, called or record.source))
        since, until = times
        model = self.learn(
            rows,
            {
                "format": models.FORMAT,
                "version": f"{called[:_LONGEST]}-{self._infix}-{round(until * 1000)}",
                "features": list(self.features),
                "target": self.target,
                "training": models.Training(len(rows), since, until, source, record.id),
            },
        )
        values: dict[str, Value] = {
            "version": model.version,
            "model": models.write(model),
            "trained_on": len(rows),
            **model.metrics,
        }
        return Record(record.id, record.source, record.time, values, {}, record.meta)

    def snapshot(self) -> Mapping[str, Any]:
        """The rows gathered, when they were, and the last record of them."""
        last = self._last
        return {
            "version": 1,
            "rows": list(self._gathered),  # which are never changed
            "times": list(self._times) if last else [],
            "last": last and [last.id, last.source, last.time, dict(last.meta)],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        saved = versioned(state, 1)
        if saved["last"]:
            message, source, time, meta = saved["last"]
            self._last = Record(message, source, time, {}, {}, meta)
            self._gathered = list(saved["rows"])
            self._times = (saved["times"][0], saved["times"][1])


def _times(record: Record) -> tuple[float, float]:
    """From when to when a record's table is, if it says both; else the record's own time."""
    if any(record.values.get(field) is None for field in _RANGE):
        return record.time, record.time
    since, until = (number(field, record.values[field]) / 1000.0 for field in _RANGE)
    if max(abs(since), abs(until)) > _FARTHEST:
        raise BadRecord(f"{_RANGE[0]}, {_RANGE[1]}: are no times in ms")
    return since, until
