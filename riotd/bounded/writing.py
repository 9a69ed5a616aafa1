"""Results into a file: there whole, or not at all."""

import csv
import gzip
import io
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Self

import orjson

from riotd.errors import ConfigError, Mistake, TransportError
from riotd.messages import Result

STDOUT = "-"
ENCODINGS = {".jsonl": "line", ".json": "line", ".ndjson": "line", ".csv": "line", ".senml": "senml"}
"""What a file is called, to how its results are encoded."""
_HEAD = ("id", "source", "time")


def encoding_of(path: Path | str) -> str:
    """How results for a file are encoded, as `riotd.formats` names it.

    Raises:
        ConfigError: its name does not say.
    """
    kind = _kind(path)
    if kind not in ENCODINGS:
        raise ConfigError([Mistake(str(path), f"{kind or 'no ending'} says no format", "write .jsonl, .csv or .senml")])
    return ENCODINGS[kind]


def _kind(path: Path | str) -> str:
    return ".jsonl" if str(path) == STDOUT else Path(str(path).removesuffix(".gz")).suffix.lower()


class Output:
    """Where the results of one input go; `.gz` is packed.

    A file gets its name when it is complete, and leaving by an error leaves none; a pipe, a device or standard output
    is written as it comes. With several stages each line says which one it is from.

    Args:
        path: the file, or `-`.
        staged: whether results say their stage.

    Raises:
        TransportError: on entering, or writing: it can't be written.
    """

    def __init__(self, path: Path | str, *, staged: bool = False) -> None:
        self.name = str(path)
        self._staged = staged
        self._direct = self.name == STDOUT or _is_special(Path(self.name))
        self._target = (
            Path(self.name) if self._direct else Path(self.name).with_name(f".{Path(path).name}.{os.getpid()}")
        )
        self._rows = _Rows(staged=staged) if _kind(path) == ".csv" else None
        self._file: Any

    def __enter__(self) -> Self:
        """Open it."""
        try:
            raw: IO[bytes] = sys.stdout.buffer if self.name == STDOUT else self._target.open("wb")
        except OSError as error:
            raise self._failed(error) from error
        # without name and time in it, the same results are the same bytes
        packed = self.name.endswith(".gz")
        self._file = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) if packed else raw
        self._raw = raw
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete it, or take away what there is."""
        try:
            if kind is None and self._rows is not None:
                self._rows.write(self._file)
            self._close()
            if kind is None and not self._direct:
                self._target.replace(self.name)
        except OSError as failure:
            raise self._failed(failure) from failure
        finally:
            if self._rows is not None:
                self._rows.close()
            if not self._direct:
                self._target.unlink(missing_ok=True)

    def send(self, results: Sequence[Result]) -> None:
        """Write results, in this order."""
        if not results:
            return
        payloads = [_with_stage(result) for result in results] if self._staged else [r.payload for r in results]
        try:
            if self._rows is not None:
                self._rows.keep(payloads)
            else:
                payloads.append(b"")
                self._file.write(b"\n".join(payloads))
        except OSError as error:
            raise self._failed(error) from error

    def _close(self) -> None:
        if self._file is not self._raw:
            self._file.close()
        if self.name == STDOUT:
            self._raw.flush()
        else:
            self._raw.close()

    def _failed(self, error: OSError) -> TransportError:
        return TransportError(f"{self.name}: can't be written: {error.strerror or error}")


def _is_special(path: Path) -> bool:
    """Whether it is there and is no plain file, so that it can't be replaced by one."""
    with suppress(OSError):
        return not stat.S_ISREG(path.stat().st_mode)
    return False


def _with_stage(result: Result) -> bytes:
    """A JSON line with one more member; SenML has no place for it."""
    if not result.payload.startswith(b"{"):
        return result.payload
    return b'%b,"stage":%b}' % (result.payload[:-1], orjson.dumps(result.stage))


class _Rows:
    """Results that become CSV: kept on disk until it is known which columns there are."""

    def __init__(self, *, staged: bool) -> None:
        self._head = (*_HEAD, "stage") if staged else _HEAD
        self._kept = TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._columns: dict[str, None] = {}

    def keep(self, payloads: Sequence[bytes]) -> None:
        columns = self._columns
        for payload in payloads:
            values = orjson.loads(payload)["values"]
            if not columns.keys() >= values.keys():
                columns.update(dict.fromkeys(values))
        self._kept.write(b"\n".join([*payloads, b""]))

    def write(self, file: Any) -> None:  # noqa: ANN401 - whatever has a write of bytes
        names = [name if name not in self._head else f"values.{name}" for name in self._columns]
        self._kept.seek(0)
        file.write(_row([*self._head, *names]))
        for line in self._kept:
            record = orjson.loads(line)
            values = record["values"]
            cells = [record[name] for name in self._head] + [values.get(name) for name in self._columns]
            file.write(_row([_cell(cell) for cell in cells]))

    def close(self) -> None:
        self._kept.close()


def _row(cells: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
