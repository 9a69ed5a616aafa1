"""RIoTBench's timer files: at which time of the feed to ask for which stretch of the table."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

HEADER: Final = "msgId,timestamp,rowstart,rowend"
"""First line of the files RIoTBench ships; may be left out."""

MAX_BYTES: Final = 16 * 2**20
"""Largest file that is read: a quarter of a million rows."""

_FURTHEST: Final = 253_402_300_800_000
"""Milliseconds from 1970 to the year 10000."""


class Row(msgspec.Struct, frozen=True):
    """One row.

    Attributes:
        line: its line in the file, from 1.
        id: its `msgId`.
        time: milliseconds of the feed's own time.
        start: first millisecond since 1970 of the stretch asked for.
        end: first one behind it.
    """

    line: int
    id: int
    time: int
    start: int
    end: int


class WrongRow(msgspec.Struct, frozen=True):
    """A line that is no row: which, what it says, why."""

    line: int
    text: str
    reason: str


def read(path: Path) -> Sequence[Row | WrongRow]:
    """The rows of a file; waits for the disk.

    Raises:
        ValueError: it can't be read, or is longer than `MAX_BYTES`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path} is longer than {MAX_BYTES} bytes")
    return rows(content)


def rows(content: bytes) -> Sequence[Row | WrongRow]:
    """What a file has, in the order of its lines; blank ones and the header are left out."""
    return list(_rows(content.decode("utf-8-sig", errors="replace").splitlines()))


def _rows(lines: Sequence[str]) -> Iterator[Row | WrongRow]:
    latest: int | None = None
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or (number == 1 and text.replace(" ", "") == HEADER):
            continue
        try:
            row = _row(number, text, latest)
        except ValueError as error:
            yield WrongRow(number, text, str(error))
        else:
            latest = row.time
            yield row


def _row(number: int, text: str, latest: int | None) -> Row:
    cells = [cell.strip() for cell in text.split(",")]
    if len(cells) != 4:
        raise ValueError(f"has {len(cells)} columns, not the 4 of {HEADER}")
    row = Row(
        number,
        _whole("msgId", cells[0]),
        _seconds(cells[1]),
        _whole("rowstart", cells[2]),
        _whole("rowend", cells[3]),
    )
    if row.end <= row.start:
        raise ValueError(f"rowend: must be after rowstart, {row.start} (is {row.end})")
    if latest is not None and row.time < latest:
        raise ValueError(f"timestamp: must not be before the row above's, {latest / 1000:.15g} (is {cells[1]})")
    return row


def _whole(name: str, cell: str) -> int:
    digits = cell.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 15 and int(digits) < _FURTHEST):
        raise ValueError(f"{name}: must be a whole number{_of(name)} (is {cell[:40]!r})")
    return int(cell)


def _of(name: str) -> str:
    return "" if name == "msgId" else " of milliseconds since 1970"


def _seconds(cell: str) -> int:
    try:
        time = float(cell)
    except ValueError:
        time = float("nan")
    if not abs(time) < _FURTHEST / 1000 or "_" in cell:
        raise ValueError(f"timestamp: must be a number of seconds (is {cell[:40]!r})")
    return round(time * 1000)
