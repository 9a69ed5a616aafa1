"""RIoTBench's log of a source: when each message was sent, under which number."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from random import SystemRandom
from typing import Final, Self

from riotd.errors import TransportError
from riotd.replay.player import Outbox, Pair

_KEPT = 2**16
"""Characters gathered before they are written: some 800 lines at a time."""
_BASE: Final = 10**12


def first_id() -> int:
    """A number to begin with, by chance, so that those of several replays differ: 10^12, and up to 999 * 10^9 + 9."""
    random = SystemRandom()
    return _BASE + random.randrange(1000) * 10**9 + random.randrange(10)


class SourceLog:
    """An outbox that notes what goes through it, a line for each message: `host,pid,component,epoch ms,MSGID,id,topic`.

    The first six columns are RIoTBench's (its second is a thread). Time is taken before a message is sent, and the last
    line is in the file at the end; RIoTBench takes it after, and loses the last line.

    Args:
        outbox: where messages go.
        path: of the file, which is written anew.
        component: third column.
        first: the first message's number; the others count on from it.
        wall: seconds since 1970.

    Raises:
        TransportError: from entering, sending and leaving, if the file can't be written.
    """

    def __init__(self, outbox: Outbox, path: Path, *, component: str, first: int, wall: Callable[[], float]) -> None:
        self._outbox, self._path, self._wall = outbox, path, wall
        self._head = f"{socket.gethostname()},{os.getpid()},{component}"
        self._next = first
        self._lines: list[str] = []
        self._length = 0
        self._file: TextIOWrapper | None = None

    async def __aenter__(self) -> Self:
        """Open the file."""
        with self._translated():
            self._file = await asyncio.to_thread(self._path.open, "w", encoding="utf-8", newline="\n")
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Write what is left."""
        if self._file is None:
            return
        with self._translated():
            try:
                await self._write(self._file)
            finally:
                await asyncio.to_thread(self._file.close)

    async def send_all(self, pairs: Sequence[Pair], *, qos: int = 0) -> int:
        """As `Outbox.send_all`."""
        stamp = int(self._wall() * 1000)
        for number, (topic, _) in enumerate(pairs, start=self._next):
            line = f"{self._head},{stamp},MSGID,{number},{topic}\n"
            self._lines.append(line)
            self._length += len(line)
        self._next += len(pairs)
        if self._length >= _KEPT and self._file is not None:
            with self._translated():
                await self._write(self._file)
        return await self._outbox.send_all(pairs, qos=qos)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TransportError(f"{self._path} can't be written: {error.strerror}") from error

    async def _write(self, file: TextIOWrapper) -> None:
        text, self._lines, self._length = "".join(self._lines), [], 0
        await asyncio.to_thread(file.write, text)
