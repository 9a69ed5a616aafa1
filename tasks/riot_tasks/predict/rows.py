"""Many rows in one field: a text in CSV or JSON, and what is in it."""

import csv
from collections.abc import Sequence
from io import StringIO

import msgspec

from riot_tasks.errors import BadRecord
from riot_tasks.record import Value

Row = dict[str, float | int | str | bool | None]


class Rows(msgspec.Struct, frozen=True):
    """Rows of named values, and how they were written.

    Attributes:
        rows: an empty cell of CSV is None; its other cells are texts.
        names: the columns of CSV; None for JSON.
    """

    rows: list[Row]
    names: list[str] | None


def rows_of(field: str, value: Value) -> Rows:
    """The rows in a field: CSV whose first line names the columns, or a JSON array of objects.

    Raises:
        BadRecord: it holds neither; says where it breaks.
    """
    if not isinstance(value, str | bytes):
        raise BadRecord(f"{field}: holds no rows, but a {type(value).__name__}")
    try:
        text = (value.encode() if isinstance(value, str) else value).decode()  # a str may hold half a character
        return _json(text) if text.lstrip().startswith("[") else _csv(text)
    except (ValueError, RecursionError, csv.Error, msgspec.DecodeError) as error:
        raise BadRecord(f"{field}: {str(error)[:300]}") from error


def text_of(rows: Rows) -> str:
    """The rows, written as they were."""
    if rows.names is None:
        return msgspec.json.encode(rows.rows).decode()
    written = StringIO()
    writer = csv.writer(written, lineterminator="\r\n")  # RFC 4180; with less, a lone \r would not be quoted
    writer.writerow(rows.names)
    writer.writerows([row[name] for name in rows.names] for row in rows.rows)
    return written.getvalue()


def _json(text: str) -> Rows:
    return Rows(msgspec.json.decode(text, type=list[Row]), None)


def _csv(text: str) -> Rows:
    lines = csv.reader(StringIO(text, newline=""), strict=True)
    names = next(lines, [])
    if not all(names) or len(set(names)) < len(names) or not names:
        raise ValueError("the first line must name each column differently, or the text be a JSON array")
    return Rows([_row(names, cells, lines.line_num) for cells in lines if cells], names)


def _row(names: Sequence[str], cells: Sequence[str], line: int) -> Row:
    if len(cells) != len(names):
        raise ValueError(f"line {line} has {len(cells)} cells, the first line {len(names)}")
    return dict(zip(names, [cell or None for cell in cells], strict=True))
