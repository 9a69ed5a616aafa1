"""A history in files: which they are, how their lines are to be read, and the pieces that workers read.

A large file is read in pieces, each from the first line that begins in it; a packed one only as a whole.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import IO

import msgspec

from riot_tasks.errors import TaskError
from riot_tasks.record import Record
from riotd import catalog
from riotd.bounded.flows import sampled
from riotd.bounded.forms import Form, form_of, sniff
from riotd.bounded.reading import LONGEST, Input
from riotd.errors import ConfigError, Mistake, TransportError
from riotd.training.reading import Reading

PIECE = 2**24
"""Bytes of a piece: half a second of parsing and more, so that starting a worker's turn is not what costs."""
FORMS = ("senml", "riotbench", "csv", "json")
"""Those of `riotd.bounded.forms` that have fields."""

_SAMPLE = 1000
"""Lines that are looked at."""
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_FILE = 2**42
"""Places of a file: as many bytes as it may have."""


class FilePiece(msgspec.Struct, frozen=True):
    """A stretch of a file; keeps `riotd.training.reading.Piece`.

    Attributes:
        path: of the file.
        number: of the file, in the order in which they count where times are equal.
        form: of its lines.
        start: byte of the file; a line that begins before it is not of this piece.
        end: a line that begins before it is; None is the file's end.
        now: Unix seconds for lines that say no time.
    """

    path: str
    number: int
    form: Form
    start: int
    end: int | None
    now: float

    def readings(self) -> Iterator[Reading]:
        """As `Piece`; a line that its form refuses has a reason that begins with file and byte."""
        front = self.form.front
        assert front is not None  # noqa: S101 - `look` admits no others
        task = catalog.find(front.task)(**front.params)
        for at, line in self._lines():
            place = self.number * _FILE + at
            try:
                for record in task.process(Record(0, "", self.now, {"payload": line})):
                    yield Reading(place, record.time, record.values)
            except TaskError as error:
                yield Reading(place, self.now, {}, f"{self.path}, byte {at:,}: {error}")

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Each line that is not blank, with its first byte; the header and a byte order mark left out."""
        header = self.form.header and self.start == 0
        try:
            for at, line in self._raw():
                bare = (line.removeprefix(_BOM) if at == 0 else line).rstrip(b"\r\n")
                if not bare.strip():
                    continue
                if not header:
                    yield at, bare
                header = False
        except (OSError, EOFError, zlib.error) as error:
            raise TransportError(f"{self.path}: can't be read: {getattr(error, 'strerror', None) or error}") from error

    def _raw(self) -> Iterator[tuple[int, bytes]]:
        """The lines that begin in the piece."""
        with Path(self.path).open("rb") as raw:
            packed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(max(0, self.start - 1))
            file: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=raw) if packed else raw
            if self.start:
                file.readline()
            at = file.tell()
            while (self.end is None or at < self.end) and (line := file.readline(LONGEST)):
                yield at, line
                at += len(line)


def named(inputs: Sequence[str]) -> list[str]:
    """The paths that names and patterns stand for, those of a pattern in alphabetical order; none twice.

    Raises:
        ConfigError: there is no such file.
    """
    paths: dict[str, None] = {}
    mistakes = []
    for name in inputs:
        found = sorted(glob(name, recursive=True)) if has_magic(name) else [name]  # noqa: PTH207 - `~` and roots too
        found = [path for path in found if Path(path).is_file()]
        if not found:
            mistakes.append(Mistake("inputs", f"there is no file {name!r}"))
        paths.update(dict.fromkeys(found))
    if mistakes:
        raise ConfigError(mistakes)
    return list(paths)


def look(path: str, *, form: str | None, schema: str | None, sample: bool = True) -> tuple[Form, list[Record]]:
    """The form of a file's lines, and the records in the first of them; without `sample` none.

    Raises:
        ConfigError: its lines have no fields, or CSV has no header and no schema.
        TransportError: it can't be read.
    """
    lines = [line for line in Input(path).head() if line.strip()][:_SAMPLE]
    name = form or ("csv" if schema else sniff(lines))
    found = form_of(name, lines, schema=schema)
    if found.front is None:
        what = "its lines are text without fields" if lines else "is empty"
        raise ConfigError([Mistake(path, what, f"give files of {', '.join(FORMS)}")])
    body = lines[1 if found.header else 0 :] if sample else []
    return found, sampled(found, body, [""] * len(body))


def pieces(path: str, number: int, form: Form) -> list[FilePiece]:
    """A file's pieces.

    Raises:
        TransportError: it can't be read.
    """
    source = Input(path)
    size = source.size or 0
    with Path(path).open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    if packed or size <= PIECE:
        return [FilePiece(path, number, form, 0, None, source.written)]
    return [
        FilePiece(path, number, form, start, min(start + PIECE, size), source.written)
        for start in range(0, size, PIECE)
    ]
