"""`csv_to_senml`: a row of CSV into a record that can be written as SenML."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from reprlib import repr as shortened

from riot_tasks import parameters
from riot_tasks.errors import BadRecord
from riot_tasks.parameters import name
from riot_tasks.parse import columns
from riot_tasks.parse.columns import Column
from riot_tasks.record import Record, Value
from riot_tasks.showing import shown
from riot_tasks.task import Task

_SAMPLE = "[{name: temperature, unit: Cel, type: v}]"


class CsvToSenml(Task):
    """Turns a row of CSV into one record with named, typed values and units, which a SenML sink then encodes.

    A record that has named fields instead of a row (several rows joined, or annotated) keeps its values and gets the
    units; its timestamp field, if it has one, becomes its time.

    Args:
        schema: the columns in order, each {name, unit, type}, type `v` for numbers (the default) or `sv` for text; or
            the path of a schema file of RIoTBench: a line of names, one of units, one of types, in CSV.
        field: the field that holds the row, as bytes or text.
        timestamp: the column that says when: Unix seconds, or milli-, micro- or nanoseconds, told by their size; or a
            date and time as in ISO 8601, UTC if it does not say. Its type does not matter. None keeps the record's
            time.

    Source, id and meta stay those of the record, units are kept as the schema has them, a number left empty is None.

    Example:
        >>> from riot_tasks import Record
        >>> schema = [{"name": "timestamp", "type": "sv"}, {"name": "temperature", "unit": "Cel"}]
        >>> row = Record(1, "dev7", 0.0, {"payload": b"1422748800000,26.7"})
        >>> [(record.time, record.values, record.units) for record in CsvToSenml(schema).process(row)]
        [(1422748800.0, {'temperature': 26.7}, {'temperature': 'Cel'})]

    References:
        RFC 4180 (CSV); RFC 8428 (SenML).
        RIoTBench C2S (CsvToSenMLParse), arXiv 1701.08530, section 4.1; it gives SenML text, in the draft form.
    """

    code = "C2S"
    stateful = False
    pattern = "1:1"

    def __init__(
        self,
        schema: Sequence[Mapping[str, str]] | str,
        *,
        field: str = "payload",
        timestamp: str | None = "timestamp",
    ) -> None:
        self.schema = schema
        self.field = name("field", field)
        self.timestamp = None if timestamp is None else name("timestamp", timestamp)
        self._columns = _file(schema) if isinstance(schema, str) else _listed(schema)
        self._check()
        self._units = {column.name: column.unit for column in self._columns if column.unit and column.name != timestamp}

    def _check(self) -> None:
        names = [column.name for column in self._columns]
        if twice := {found for found in names if names.count(found) > 1}:
            raise ValueError(f"schema: column {min(twice)!r} stands twice; rename one")
        if self.timestamp is not None and self.timestamp not in names:
            raise ValueError(
                f"timestamp: {self.timestamp!r} is no column of the schema ({', '.join(names)}); "
                "name the one that says when, or null to keep the time of receipt"
            )

    def process(self, record: Record) -> Iterable[Record]:
        """Give the record of the row, or the record with units.

        Raises:
            BadRecord: neither a row nor fields of the schema, a wrong number of columns, a cell that is no number or
                no time; names column and value.
        """
        values = record.values
        if self.field in values:
            values = self._typed(self._cells(values[self.field]))
        elif not any(column.name in values for column in self._columns):
            raise BadRecord(f"no field {self.field!r}, and none of the schema's")
        time = record.time
        if self.timestamp in values:
            said = values[self.timestamp]
            values = {field: value for field, value in values.items() if field != self.timestamp}
            time = columns.time(self.timestamp, said)
        units = {field: unit for field, unit in self._units.items() if field in values}
        return (Record(record.id, record.source, time, values, {**record.units, **units}, record.meta),)

    def _cells(self, row: Value) -> list[str]:
        try:
            text = row.decode() if isinstance(row, bytes) else row
            if isinstance(text, str):
                return next(csv.reader((text,), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise BadRecord(f"not one row of CSV: {error}") from None
        raise BadRecord(f"field {self.field!r}: a {type(row).__name__}, not bytes or text")

    def _typed(self, cells: list[str]) -> dict[str, Value]:
        if len(cells) != len(self._columns):
            raise BadRecord(_miscounted(cells, self._columns))
        return {
            column.name: columns.number(column.name, cell) if column.numeric and column.name != self.timestamp else cell
            for column, cell in zip(self._columns, cells, strict=True)
        }


def _listed(schema: object) -> tuple[Column, ...]:
    if not isinstance(schema, Sequence) or not schema:
        raise ValueError(f"schema: must be a list of columns or a path, write {_SAMPLE} (is {shown(schema)})")
    return tuple(columns.column(f"schema[{index}]", column, _SAMPLE) for index, column in enumerate(schema))


def _file(path: str) -> tuple[Column, ...]:
    """The columns of a schema file of RIoTBench."""
    try:
        with Path(parameters.path("schema", path)).open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except OSError as error:
        raise ValueError(f"schema: {path} can't be read: {error.strerror}; give a file's path or a list") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"schema: {path} is not CSV in UTF-8: {error}") from error
    if len(lines) != 3 or len({len(line) for line in lines}) != 1:
        counts = ", ".join(str(len(line)) for line in lines)
        raise ValueError(
            f"schema: {path} must have three lines, names, units and types, of as many columns (has lines of {counts})"
        )
    return tuple(
        columns.column(
            f"schema: {path}: column {index}", {"name": title.strip(), "unit": unit, "type": kind.strip()}, _SAMPLE
        )
        for index, (title, unit, kind) in enumerate(zip(*lines, strict=True), start=1)
    )


def _miscounted(cells: Sequence[str], wanted: Sequence[Column]) -> str:
    """Which column is the first missing, or which value the first too many."""
    count = f"{len(cells)} columns, not the schema's {len(wanted)}"
    if len(cells) < len(wanted):
        return f"{count}: none for {wanted[len(cells)].name!r}"
    return f"{count}: {shortened(cells[len(wanted)])} is too many"
