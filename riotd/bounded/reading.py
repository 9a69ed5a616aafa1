"""Lines of an input with their numbers: a file, packed or not, a pipe, or standard input."""

import gzip
import os
import stat
import sys
import time
import zlib
from collections.abc import Generator, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, NamedTuple

from riotd.errors import TransportError

BLOCK = 2**16
"""Bytes read at once: with twice as many the shard's work, which then leaves the cache, takes 5 % longer."""
LONGEST = 2**24
"""Bytes of a line; what is longer is cut, so that a file without line ends is never read into memory."""
STDIN = "-"

_HEAD = 16
"""Blocks that are looked at; of a pipe one, since the next may be long in coming."""
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Successive lines.

    Attributes:
        first: number of the first, from 1.
        lines: without their ends; blank ones are empty.
        overlong: the last of them was cut.
    """

    first: int
    lines: list[bytes]
    overlong: bool = False


class Input:
    """What is read in one run. It is opened when it is iterated over, and let go at the end.

    Args:
        path: of a file or pipe; `-` is standard input.
        block: bytes read at once.

    Attributes:
        name: its path.
        block: bytes read at once; may be set before reading begins.
        size: bytes on disk, for a progress bar; None if only reading tells, and reading can't be done twice.
        written: Unix seconds of its last change, which stand in where a line says no time; for a pipe, now.

    Raises:
        TransportError: it is not there, or may not be read.
    """

    def __init__(self, path: Path | str, *, block: int = BLOCK) -> None:
        self.name = str(path)
        self.block = block
        self._file: IO[bytes] | None = None
        self._held: Iterator[Block] | None = None
        try:
            found = os.fstat(sys.stdin.fileno()) if self.name == STDIN else Path(path).stat()
        except OSError as error:
            raise self._failed(error) from error
        regular = stat.S_ISREG(found.st_mode) and self.name != STDIN
        self.size = found.st_size if regular else None
        self.written = found.st_mtime if regular else time.time()

    def head(self) -> list[bytes]:
        """The first lines, some blocks of them; reading begins with them all the same."""
        blocks = self._blocks()
        first = list(islice(blocks, _HEAD if self.size is not None else 1))
        if self.size is None:
            self._held = chain(first, blocks)
        else:
            blocks.close()
        return [line for block in first for line in block.lines]

    def __iter__(self) -> Iterator[Block]:
        """The blocks.

        Raises:
            TransportError: it can't be read on; says behind which line.
        """
        held, self._held = self._held, None
        return held or self._blocks()

    def position(self) -> int:
        """Bytes read of its `size`."""
        if self.size is None or self._file is None:
            return 0
        return self.size if self._file.closed else self._file.tell()

    def _blocks(self) -> Generator[Block, None, None]:
        number, rest, begun = 1, b"", False
        try:
            with self._opened() as content:
                while chunk := content.read(self.block):
                    chunk, begun = (chunk if begun else chunk.removeprefix(_BOM)), True
                    *lines, rest = (rest + chunk).split(b"\n")
                    overlong = len(rest) > LONGEST
                    if overlong:
                        lines, rest = [*lines, rest[:LONGEST]], _skipped(content, self.block)
                    if lines:
                        yield Block(number, _without_returns(lines, chunk), overlong)
                        number += len(lines)
            if rest:
                yield Block(number, _without_returns([rest], rest))
        except (OSError, EOFError, zlib.error) as error:
            raise self._failed(error, f" behind line {number - 1}" if begun else "") from error

    def _opened(self) -> IO[bytes] | gzip.GzipFile:
        if self.name == STDIN:
            return os.fdopen(sys.stdin.fileno(), "rb", closefd=False)
        self._file = file = Path(self.name).open("rb", buffering=0 if self.size is not None else -1)  # noqa: SIM115 - closed by the caller
        if self.size is None:
            return file
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        return _Gzip(file) if packed else file

    def _failed(self, error: Exception, where: str = "") -> TransportError:
        reason = getattr(error, "strerror", None) or str(error)
        return TransportError(f"{self.name}: can't be read{where}: {reason}")


class _Gzip(gzip.GzipFile):
    """One that closes its file, too."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(fileobj=file)
        self._below = file

    def close(self) -> None:
        super().close()
        self._below.close()


def _skipped(content: IO[bytes] | gzip.GzipFile, block: int) -> bytes:
    """Pass over the rest of an overlong line; the beginning of the next."""
    while chunk := content.read(block):
        _, end, rest = chunk.partition(b"\n")
        if end:
            return rest
    return b""


def _without_returns(lines: list[bytes], chunk: bytes) -> list[bytes]:
    r"""Lines whose ends were `\r\n`; nearly always there are none, which one search in the chunk tells."""
    if b"\r" not in chunk and not lines[0].endswith(b"\r"):
        return lines
    return [line.removesuffix(b"\r") for line in lines]
