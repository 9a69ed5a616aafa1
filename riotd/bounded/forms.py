"""Which form an input's lines have, and what has to stand in front of a task for it."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import orjson

from riot_tasks.senml import number
from riotd.bounded.keys import SOURCES
from riotd.bounded.parsing import TIMES
from riotd.dataflow import Stage
from riotd.errors import ConfigError, Mistake

FORMS = ("senml", "riotbench", "csv", "json", "raw")
"""SenML packs; `<epoch ms>,<SenML>`; CSV with a header or a schema; JSON records or objects of fields; any text, in the
field `payload`."""

_STAMPED = re.compile(rb"\d{9,15},\s*[\[{]")
_SNIFFED = 20
"""Lines that are looked at: one may be damaged."""
_UNFIT = re.compile(r"[^A-Za-z0-9:./_-]+")


class Form(msgspec.Struct, frozen=True):
    """What is known of an input before its first record.

    Attributes:
        name: one of `FORMS`.
        front: makes records of lines; None where a line is a record with its `payload`.
        bare: makes payloads of lines, for a task that wants them; None where they are.
        columns: of CSV.
        header: whether the first line says them, and is no row.
    """

    name: str
    front: Stage | None = None
    bare: Stage | None = None
    columns: tuple[str, ...] = ()
    header: bool = False


def form_of(
    name: str, lines: Sequence[bytes], *, key: str | None = None, schema: str | None = None, needed: bool = True
) -> Form:
    """The form of an input.

    Args:
        name: of the form, as `sniff` says or somebody else.
        lines: the first ones, blank ones left out.
        key: the column that says who.
        schema: path of a schema file for CSV; None takes names from the header, types from the lines.
        needed: whether records are wanted; of CSV the rows can be given without a header, too.

    Raises:
        ConfigError: CSV without header or schema, or with a wrong one.
    """
    if name == "senml":
        return Form(name, Stage("senml_parse", "senml_parse"))
    if name == "riotbench":
        room = "riotd.bounded.parsing"
        return Form(name, Stage("senml_parse", f"{room}:StampedSenml"), Stage("stamp", f"{room}:Unstamped"))
    if name == "json":
        return Form(name, Stage("json", "riotd.bounded.parsing:JsonLine"))
    if name == "csv":
        if schema:
            return _of_schema(schema, lines)
        return _of_header(lines, key) if needed or (lines and _is_header(_cells(lines[0]))) else Form(name)
    return Form(name)


def sniff(lines: Sequence[bytes]) -> str:
    """The name of the form that most of the first lines have."""
    filled = [line for line in lines[: 2 * _SNIFFED] if line.strip()][:_SNIFFED]
    return Counter(map(_sniffed, filled)).most_common(1)[0][0] if filled else "raw"


def _sniffed(line: bytes) -> str:
    if _STAMPED.match(line):
        return "riotbench"
    if line.lstrip()[:1] not in (b"[", b"{"):
        return "csv" if b"," in line else "raw"
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return "senml" if line.lstrip()[:1] == b"[" or b'"e"' in line else "json"
    return "senml" if isinstance(found, list) or "e" in found else "json"


def _of_schema(schema: str, lines: Sequence[bytes]) -> Form:
    try:
        with Path(schema).open(encoding="utf-8-sig", newline="") as file:
            names = tuple(cell.strip() for cell in next(csv.reader(file), []))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError([Mistake("schema", f"{schema} can't be read: {error}", "give a CSV schema file")]) from error
    params = {"schema": schema, "timestamp": _first(TIMES, names)}
    header = bool(lines) and tuple(cell.strip() for cell in _cells(lines[0])) == names
    return Form("csv", Stage("csv_to_senml", "csv_to_senml", params), columns=names, header=header)


def _of_header(lines: Sequence[bytes], key: str | None) -> Form:
    head = _cells(lines[0]) if lines else []
    if not _is_header(head):
        what = "the first line of the CSV is no header"
        raise ConfigError([Mistake("schema", what, "say with a schema file which columns there are")])
    names = tuple(_UNFIT.sub("_", cell.strip()).strip("_") or f"column{index}" for index, cell in enumerate(head))
    if twice := next((name for name in names if names.count(name) > 1), ""):
        what = f"the header has the column {twice!r} twice"
        raise ConfigError([Mistake("schema", what, "say with a schema file what they are called")])
    rows = [row for row in map(_cells, lines[1:]) if len(row) == len(names)]
    texts = {key or _first(SOURCES, names)}
    schema = [
        {"name": name, "type": "v" if name not in texts and _numeric([row[index] for row in rows]) else "sv"}
        for index, name in enumerate(names)
    ]
    when = _first(TIMES, names)
    if when is not None and not all(_is_time(row[names.index(when)]) for row in rows):
        when = None
    stage = Stage("csv_to_senml", "csv_to_senml", {"schema": schema, "timestamp": when})
    return Form("csv", stage, columns=names, header=True)


def _is_header(cells: Sequence[str]) -> bool:
    return bool(cells) and not any(not cell.strip() or _is_time(cell) for cell in cells)


def _first(usual: Sequence[str], names: Sequence[str]) -> str | None:
    return next((name for name in usual if name in names), None)


def _cells(line: bytes) -> list[str]:
    try:
        return next(csv.reader((line.decode(errors="replace"),)), [])
    except csv.Error:
        return []


def _numeric(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers, as far as the first lines tell."""
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and all(map(_is_number, filled))


def _is_number(cell: str) -> bool:
    try:
        number(cell.strip())
    except ValueError:
        return False
    return True


def _is_time(cell: str) -> bool:
    if _is_number(cell):
        return True
    try:
        datetime.fromisoformat(cell.strip())
    except ValueError:
        return False
    return True
