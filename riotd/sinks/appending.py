"""Appends to a file, in the order they were asked for, whatever the disk does meanwhile."""

import asyncio
import logging
import os
import random
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from riotd.errors import ConfigError, Mistake, TransportError
from riotd.sinks.extents import packed, unpacked
from riotd.sinks.linefile import LineFile

GROUP = 2**20
"""Bytes of waiting appends written in one go."""
QUICKEST, SLOWEST = 0.1, 5.0
"""Pauses between attempts at a disk that refuses, seconds: the first and the longest."""

log = logging.getLogger(__name__)


class Appender:
    """Writes what is appended, all that waits in one go, so that many small appends cost little.

    Nothing is lost while the disk is full or broken: it tries again for ever, says so once, and writes no line twice.

    Attributes:
        retries: attempts that failed.
    """

    def __init__(self, path: Path) -> None:
        self.retries = 0
        self._file = LineFile(path)
        self._trouble = ""
        self._waiting: deque[tuple[bytes, asyncio.Future[None]]] = deque()
        self._work = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the file; made if absent.

        Raises:
            ConfigError: its folder is not there, or this user may not write it.
        """
        if mistake := await asyncio.to_thread(_mistake, self._file.path):
            raise ConfigError([mistake])
        try:
            await self._file.open()
        except OSError as error:
            self._fail(error)
        self._task = asyncio.create_task(self._run(), name=f"appender of {self._file.path}")
        self._task.add_done_callback(self._ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sync and close. An append that still waits is given up with a `TransportError`."""
        task, self._task = self._task, None
        if task is None:
            return
        self._closing.set()
        self._work.set()
        await asyncio.wait({task})  # not cancelled: a file must not be closed under a thread that writes it
        await self._file.close()
        task.result()

    async def append(self, data: bytes) -> None:
        """Return when the operating system has all of `data`, which ends with a line end.

        Waits while the disk refuses. Cancelled: it may be written or not.

        Raises:
            TransportError: the file was closed before it could be written.
        """
        if self._task is None or self._task.done():
            raise self._closed()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((data, done))
        self._work.set()
        await done

    def position(self) -> bytes:
        """As `Rewindable.position`; called while nothing is being appended."""
        try:
            extent = self._file.extent()
        except OSError as error:
            self._fail(error)
            return b""
        return b"" if extent is None else packed(extent)

    async def rewind(self, position: bytes) -> bool:
        """As `Rewindable.rewind`: what was appended behind it is cut off, and kept in `<path>.cut`.

        False, and said so, if that would be another file's content: it was rotated away or truncated meanwhile.
        """
        extent = unpacked(position)
        try:
            why = await self._file.cut_back(extent) if extent else "a later riotd has written down where it was"
        except OSError as error:
            why = error.strerror or str(error)
        if why:
            again = "what was written since the last snapshot, if anything, may be there twice"
            log.warning("%s: can't be cut back to where it was: %s; %s", self._file.path, why, again)
        return not why

    async def fsync(self) -> None:
        """Return when the disk has all that was appended.

        Raises:
            TransportError: the disk says it has not.
        """
        await self._file.fsync()

    async def _run(self) -> None:
        while not self._closing.is_set():
            if self._waiting:
                await self._write(self._group())
            else:
                self._work.clear()
                await self._work.wait()

    def _group(self) -> list[tuple[bytes, "asyncio.Future[None]"]]:
        group = []
        size = 0
        for data, done in self._waiting:
            group.append((data, done))
            size += len(data)
            if size >= GROUP:
                break
        return group

    async def _write(self, group: list[tuple[bytes, "asyncio.Future[None]"]]) -> None:
        data = b"".join([data for data, done in group if not done.cancelled()])
        pause = QUICKEST
        while not await self._attempt(data):
            if await self._closed_within(pause * random.uniform(0.5, 1.0)):  # noqa: S311 - jitter, not cryptography
                return
            pause = min(SLOWEST, 2 * pause)
        for _, done in group:
            self._waiting.popleft()
            if not done.done():
                done.set_result(None)

    async def _attempt(self, data: bytes) -> bool:
        try:
            await self._file.write(data)
        except OSError as error:
            self.retries += 1
            self._fail(error)
            return False
        if self._trouble:
            log.warning("%s: can be written again", self._file.path)
            self._trouble = ""
        return True

    def _ended(self, task: "asyncio.Task[None]") -> None:
        failure = self._closed() if task.cancelled() else task.exception() or self._closed()
        while self._waiting:
            _, done = self._waiting.popleft()
            if not done.done():
                done.set_exception(failure)

    def _closed(self) -> TransportError:
        return TransportError(f"{self._file.path}: closed before it could be written")

    async def _closed_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._closing.wait()
        except TimeoutError:
            return False

    def _fail(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        if reason != self._trouble:
            log.error("%s: can't be written: %s; waiting, and trying again", self._file.path, reason)
        self._trouble = reason


def _mistake(path: Path) -> Mistake | None:
    folder = path.parent
    if not folder.is_dir():
        return Mistake(
            str(path), f"its folder {folder} is not there", f"create it (mkdir -p {folder}), or correct the path"
        )
    if path.exists() and not path.is_file():
        return Mistake(str(path), "is not a regular file", "give the path of a file")
    if not os.access(path if path.exists() else folder, os.W_OK):
        return Mistake(str(path), "may not be written by this user", "give it write permission, or choose another path")
    return None
