"""Annotation tables: what is known about each id, from a mapping or a file."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from riot_tasks import parameters
from riot_tasks.record import Value, text
from riot_tasks.showing import shown

Row = Mapping[str, Value]
"""Fields that an id adds, with their values; shared by all who have the table, and never changed."""
Table = Mapping[str, Row]
"""Id, as text, to its row."""

_KEPT = 8
"""Files kept in memory, so that a process reads one once, however many tasks, stages and shards want it."""


def listed(table: object, fields: Sequence[str] | None) -> Table:
    """The table of a mapping: id to a list of values in the order of `fields`, or to a mapping if that is None.

    Raises:
        ValueError: it is something else; names the entry.
    """
    if not isinstance(table, Mapping) or not table:
        raise ValueError(f"table: must be ids with their values, {{dev7: [indoor]}}, or a path (is {shown(table)})")
    rows = ((_id(who), values) for who, values in table.items())
    return {who: _row(f"table.{who}", values, fields) for who, values in rows}


def read(path: str, separator: str, fields: Sequence[str] | None) -> Table:
    """The table of a file of lines `id:value,value`, the values in CSV; read once, until the file changes.

    Args:
        path: a file in UTF-8.
        separator: what ends the id; with "," the whole line is CSV.
        fields: the fields of the values; None: the first line has them, which must be CSV.

    Raises:
        ValueError: it can't be read, or a line does not fit; names the path and the line.
    """
    if fields is None and separator != ",":
        raise ValueError(f"names: needed, as lines like id{separator}value do not say them; write [location, type]")
    try:
        now = Path(parameters.path("table", path)).stat()
        stamp = (now.st_ino, now.st_size, now.st_mtime_ns)
        return _read(path, separator, None if fields is None else tuple(fields), stamp)
    except OSError as error:
        raise ValueError(f"table: {path} can't be read: {error.strerror}; give a file's path or a mapping") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"table: {path} is not UTF-8: {error.reason}; convert it") from error


@lru_cache(maxsize=_KEPT)
def _read(path: str, separator: str, fields: tuple[str, ...] | None, _stamp: tuple[int, ...]) -> Table:
    table: dict[str, Row] = {}
    rows: dict[tuple[str, ...], Row] = {}  # ids with the same values share a row
    for where, who, values in _lines(path, separator):
        if fields is None:
            fields = tuple(parameters.names(where, values) or ())
            continue
        if values not in rows:
            rows[values] = dict(zip(fields, (value or None for value in _counted(where, values, fields)), strict=True))
        if table.setdefault(who, rows[values]) is not rows[values]:
            raise ValueError(f"{where}: has {who!r} again, with other values; keep one of the two")
    if not table:
        raise ValueError(f"table: {path} holds no ids; write one a line, id{separator}value,value")
    return table


def _lines(path: str, separator: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Where each line is, its id, its values."""
    with Path(path).open(encoding="utf-8-sig") as file:
        for count, line in enumerate(file, start=1):
            if not line.isspace():
                where = f"table: {path}:{count}"
                who, *values = _parts(where, line.rstrip("\n"), separator)
                yield where, who.strip(), tuple(values)


def _parts(where: str, line: str, separator: str) -> list[str]:
    if separator == ",":
        return _cells(where, line)
    who, found, rest = line.partition(separator)
    if not found:
        raise ValueError(f"{where}: has no {separator!r} after the id; give the separator it has")
    return [who, *_cells(where, rest)]


def _cells(where: str, line: str) -> list[str]:
    try:
        cells = next(csv.reader((line,), strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise ValueError(f"{where}: is not CSV: {error}") from error
    return [cell.strip() for cell in cells] or [""]


def _id(who: object) -> str:
    if not isinstance(who, str | int | float) or isinstance(who, bool):
        raise ValueError(f"table: {shown(who)} is no id; put it in quotes")  # noqa: TRY004 - one error for all of config
    return text(who)


def _row(where: str, values: object, fields: Sequence[str] | None) -> Row:
    if isinstance(values, Mapping) and fields is None:
        row = dict(values)
        parameters.names(where, list(row))
    elif isinstance(values, Sequence) and not isinstance(values, str | bytes) and fields is not None:
        row = dict(zip(fields, _counted(where, values, fields), strict=True))
    else:
        wanted = "a list in the order of names" if fields else "a mapping of fields to values; or give names and lists"
        raise ValueError(f"{where}: must be {wanted} (is {shown(values)})")
    for field, value in row.items():
        if not isinstance(value, str | int | float | bytes | None):
            raise ValueError(f"{where}.{field}: must be a text or a number (is {shown(value)})")  # noqa: TRY004 - as above
    return row


def _counted(where: str, values: Sequence[Value], fields: Sequence[str]) -> Sequence[Value]:
    if len(values) != len(fields):
        raise ValueError(f"{where}: has {len(values)} values for {len(fields)} names, {', '.join(fields)}")
    return values
