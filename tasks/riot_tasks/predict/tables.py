"""A table in one field: many rows, as a text in CSV or in JSON."""

import csv
from collections.abc import Callable, Sequence
from io import StringIO
from math import isnan
from typing import Any

import msgspec

from riot_tasks.errors import BadRecord
from riot_tasks.fields import LIMIT, number
from riot_tasks.record import Value

Cell = float | int | str | bool | None
_LONGEST = 100
"""Characters of a column's name in a message."""


class CsvTable(msgspec.Struct, frozen=True):
    """Rows of texts.

    Attributes:
        names: the columns, in order.
        lines: a text for each of them; "" is none.
    """

    names: list[str]
    lines: list[list[str]]

    @classmethod
    def read(cls, text: str) -> "CsvTable":
        """What a text in CSV says (RFC 4180; lines may end anyhow), whose first line names the columns.

        Raises:
            ValueError, csv.Error: it is none.
        """
        lines = csv.reader(StringIO(text, newline=""), strict=True)
        names = next(lines, [])
        if not all(names) or len(set(names)) < len(names) or not names:
            raise ValueError("the first line must name each column differently, or the text be a JSON array")
        table = cls(names, [])
        for cells in lines:
            if cells and len(cells) != len(names):
                raise ValueError(f"line {lines.line_num} has {len(cells)} cells, the first line {len(names)}")
            if cells:
                table.lines.append(cells)
        return table

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> list[Value]:
        """Each row's value in a column; None where there is none."""
        if name not in self.names:
            return [None] * len(self)
        place = self.names.index(name)
        return [cells[place] or None for cells in self.lines]

    def with_column(self, name: str, values: Sequence[str | None]) -> "CsvTable":
        """The table with one column more, or another one in its place."""
        place = self.names.index(name) if name in self.names else len(self.names)
        lines = [
            [*cells[:place], value or "", *cells[place + 1 :]] for cells, value in zip(self.lines, values, strict=True)
        ]
        return CsvTable([*self.names[:place], name, *self.names[place + 1 :]], lines)

    def text(self) -> str:
        """The table in CSV."""
        written = StringIO()
        writer = csv.writer(written, lineterminator="\r\n")  # with less, a lone \r would not be quoted
        writer.writerow(self.names)
        writer.writerows(self.lines)
        return written.getvalue()


class JsonTable(msgspec.Struct, frozen=True):
    """Rows that say of each value what it is called.

    Attributes:
        rows: they need not have the same names.
    """

    rows: list[dict[str, Cell]]

    @classmethod
    def read(cls, text: str) -> "JsonTable":
        """What a JSON array of objects says.

        Raises:
            msgspec.DecodeError: it is none.
        """
        return cls(msgspec.json.decode(text, type=list[dict[str, Cell]]))

    @property
    def names(self) -> list[str]:
        """The columns of the first row."""
        return list(self.rows[0]) if self.rows else []

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[Value]:
        """Each row's value of a name; None where there is none."""
        return [row.get(name) for row in self.rows]

    def with_column(self, name: str, values: Sequence[str | None]) -> "JsonTable":
        """The table with one value more in each row, or another one in its place."""
        return JsonTable([{**row, name: value} for row, value in zip(self.rows, values, strict=True)])

    def text(self) -> str:
        """The table in JSON."""
        return msgspec.json.encode(self.rows).decode()


Table = CsvTable | JsonTable


def table_in(field: str, value: Value) -> Table:
    """The table in a field: CSV whose first line names the columns, or a JSON array of objects.

    Raises:
        BadRecord: it holds neither; says where it breaks.
    """
    if not isinstance(value, str | bytes):
        raise BadRecord(f"{field}: holds no table, but a {type(value).__name__}")
    try:
        # a str may hold half a character, and what Excel has saved begins with a mark
        text = (value.encode() if isinstance(value, str) else value).decode("utf-8-sig")
        return JsonTable.read(text) if text.lstrip().startswith("[") else CsvTable.read(text)
    except (ValueError, RecursionError, csv.Error, msgspec.DecodeError) as error:
        raise BadRecord(f"{field}: {str(error)[:300]}") from error


def numbers_in(field: str, table: Table, name: str) -> list[float | None]:
    """The numbers in a column of the table in a field; None stays None.

    Raises:
        BadRecord: a value is no number; says in which row.
    """
    column = table.column(name)
    at_once = _at_once(column)
    if at_once is not None:
        return at_once
    return in_rows(field, column, lambda value: number(name[:_LONGEST], value))


def in_rows(field: str, column: Sequence[Value], convert: Callable[[Value], float]) -> list[float | None]:
    """What becomes of a column's values; None stays None.

    Raises:
        BadRecord: `convert` refuses one; says in which row.
    """
    found: list[float | None] = []
    for count, value in enumerate(column, start=1):
        try:
            found.append(None if value is None else convert(value))
        except BadRecord as error:
            raise BadRecord(f"{field}: row {count}: {error}") from error
    return found


def _at_once(column: Sequence[Any]) -> list[float | None] | None:
    """The numbers of a column that has nothing else, as `number` would find them but in a quarter of the time."""
    kinds = set(map(type, column))
    if not (kinds <= {float, int} or (kinds == {str} and "_" not in "".join(column))):
        return None
    try:
        found = list(map(float, column))
    except (ValueError, OverflowError):
        return None
    within = not found or (min(found) > -LIMIT and max(found) < LIMIT and not isnan(sum(found)))
    return [*found] if within else None
