"""Lines of a recorded file, of a .gz, or of what a pipe brings, without ever blocking the loop."""

import asyncio
import gzip
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Lock
from typing import IO

_BLOCK = 1 << 17  # bytes; one trip to a thread, 0.1 ms, for some 350 lines
_LONGEST = 1 << 24  # bytes; a longer line is cut, so that a file without any is not read into memory

Read = Callable[[], Awaitable[bytes]]


async def lines(path: Path | None) -> AsyncGenerator[list[bytes], None]:
    """The file's lines in groups, without their ends; a last line without one is a line too.

    Args:
        path: the file, .gz packed or not, or a pipe; None is standard input.

    Raises:
        OSError: it can't be opened or read; EOFError if a .gz ends too early.
    """
    rest = b""
    async with _opened(path) as read:
        while block := await read():
            *whole, rest = (rest + block).split(b"\n")
            if len(rest) > _LONGEST:
                whole, rest = [*whole, rest], b""
            yield whole
    if rest:
        yield [rest]


def size(path: Path) -> int | None:
    """Bytes of all lines together, for a progress bar; None if only reading tells."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        return None
    if path.suffix != ".gz":
        return found.st_size
    with path.open("rb") as file:
        file.seek(max(0, found.st_size - 4))
        return int.from_bytes(file.read(4), "little")  # RFC 1952: right for one member below 4 GiB, as ours are


@asynccontextmanager
async def _opened(path: Path | None) -> AsyncIterator[Read]:
    opening = _Opening(path)
    try:
        file = await asyncio.to_thread(opening.run)
    except asyncio.CancelledError:
        opening.give_up()
        raise
    with file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            unpacked = gzip.GzipFile(fileobj=file) if path is not None and path.suffix == ".gz" else file
            yield lambda: asyncio.to_thread(unpacked.read, _BLOCK)
        else:
            async with _piped(file) as read:
                yield read


class _Opening:
    """Opens a file in a thread, which for a pipe may take until somebody writes; closes what nobody waits for."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = Lock()
        self._file: IO[bytes] | None = None
        self._given_up = False

    def run(self) -> IO[bytes]:
        """The open file; closed, if it comes too late."""
        file = os.fdopen(0, "rb", closefd=False) if self._path is None else self._path.open("rb")
        with self._lock:
            self._file = file
            if self._given_up:
                file.close()
        return file

    def give_up(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._given_up = True
            if self._file is not None:
                self._file.close()


@asynccontextmanager
async def _piped(file: IO[bytes]) -> AsyncIterator[Read]:
    """Read as it comes: a thread that waits for a pipe could not be stopped."""
    reader = asyncio.StreamReader(limit=_BLOCK)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), file
    )
    try:
        yield lambda: reader.read(_BLOCK)
    finally:
        transport.close()
