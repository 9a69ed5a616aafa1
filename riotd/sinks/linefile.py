"""A file of whole lines: writes that fail are undone, a file that was renamed is left for a new one.

It can be cut back to where it was, which makes an output exact through a crash: what was written since is written
again. The trap: somebody else may have appended too. So what is cut off is kept beside it, in `<path>.cut`.
"""

import asyncio
import logging
import os
from contextlib import suppress
from pathlib import Path

import aiofiles
import aiofiles.os
from aiofiles.threadpool.binary import AsyncFileIO

from riotd.errors import TransportError
from riotd.sinks.extents import Extent, cut_back, extent_of

CHECK = 1.0
"""Seconds between two checks whether logrotate took the file away."""

log = logging.getLogger(__name__)


class LineFile:
    """Appends lines to whatever file its path leads to; one caller at a time, never cancelled within a call.

    A torn line, of a crash or of somebody else who appends, gets a line end of its own before the next line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: AsyncFileIO | None = None
        self._identity = (0, 0)
        self._checked = 0.0
        self._torn = False
        self._failed: tuple[int, int] | None = None  # where a write began that failed, and how far it came

    async def open(self) -> AsyncFileIO:
        """Have it open, made if absent; anew if the path leads to another file, which is checked every `CHECK` seconds.

        Raises:
            OSError: it can't be opened.
        """
        now = asyncio.get_running_loop().time()
        if self._handle is not None and now - self._checked >= CHECK:
            self._checked = now
            if await self._is_elsewhere():
                await self.close()
        return self._handle or await self._open(now)

    async def write(self, data: bytes) -> None:
        """Append all of `data` or nothing.

        Raises:
            OSError: the disk is full, or worse; may be repeated.
        """
        handle = await self.open()
        await self._undo(handle)
        start = await handle.seek(0, os.SEEK_END)
        rest = memoryview(b"\n" + data if self._torn else data)
        written = 0
        try:
            while rest:
                count = await handle.write(rest)
                written += count
                rest = rest[count:]
        except OSError:
            self._failed = (start, written)
            await self._undo(handle)
            raise
        self._torn = False

    def extent(self) -> Extent | None:
        """Which file it is and how far it goes, with what others appended; None if it is not open.

        Looks at the file, on the caller's thread: two sinks may share it, and neither knows what the other wrote.
        """
        return None if self._handle is None else extent_of(self._handle.fileno())

    async def cut_back(self, extent: Extent) -> str:
        """Make it what it was; before anything is written.

        Returns:
            Why it can't be, or "".

        Raises:
            OSError: the disk refuses, and the file is as it was.
        """
        handle = await self.open()
        why = await asyncio.to_thread(cut_back, handle.fileno(), self.path, extent)
        await self._look_at(handle)
        return why

    async def fsync(self) -> None:
        """Return when the disk has all that was written.

        Raises:
            TransportError: the disk says it has not.
        """
        if self._handle is None:
            return
        try:
            await asyncio.to_thread(os.fsync, self._handle.fileno())
        except OSError as error:
            raise TransportError(f"{self.path}: could not be synced: {error.strerror}") from error

    async def close(self) -> None:
        """Sync and close; what the disk refuses is told in the log."""
        if self._handle is None:
            return
        with suppress(OSError):
            await self._undo(self._handle)
        try:
            await self.fsync()
        except TransportError as error:
            log.error("%s; what was written last may not survive a power cut", error)  # noqa: TRY400 - says it all
        handle, self._handle = self._handle, None
        await handle.close()

    async def _open(self, now: float) -> AsyncFileIO:
        handle = await aiofiles.open(self.path, "a+b", buffering=0)
        self._checked = now
        await self._look_at(handle)
        self._handle = handle
        return handle

    async def _look_at(self, handle: AsyncFileIO) -> None:
        found = await asyncio.to_thread(os.fstat, handle.fileno())
        self._identity = found.st_dev, found.st_ino
        self._torn, self._failed = False, None
        if found.st_size:
            await handle.seek(-1, os.SEEK_END)
            self._torn = await handle.read(1) != b"\n"

    async def _is_elsewhere(self) -> bool:
        try:
            found = await aiofiles.os.stat(self.path)
        except FileNotFoundError:
            return True
        return (found.st_dev, found.st_ino) != self._identity

    async def _undo(self, handle: AsyncFileIO) -> None:
        """Cut off what a failed write left, unless somebody else wrote behind it."""
        if self._failed is None:
            return
        start, written = self._failed
        if await handle.seek(0, os.SEEK_END) == start + written:
            await handle.truncate(start)
        else:
            self._torn = True
        self._failed = None
