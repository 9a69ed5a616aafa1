"""One followed file: where reading stands in it, and whether it still is the file that was read.

The trap: a path says nothing about the content, and neither does an inode, which is reused as soon as nobody holds it.
So every read begins a little before the position and compares: if the bytes there are not those that were read, the
file was truncated and refilled, or is another one, and is read from its start.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiofiles
import aiofiles.os
from aiofiles.threadpool.binary import AsyncFileIO

from riotd.sources.lines import Cut, LineCutter
from riotd.sources.positions import FileId, Piece
from riotd.sources.rotation import Rotation
from riotd.sources.watching import TIP, FileKey, Sighting, whereabouts

CHUNK = 2**18
"""Bytes read at once: 1,000 lines of a usual length; twice as much gained nothing measurable."""


class Tail:
    """Reads one file from where it stood, whatever becomes of its name.

    The position is always a line's beginning (or inside an overlong one), so that a file may be closed at any time,
    costs no memory while it is, and what was read of an unfinished line is read again with the rest of it.

    Attributes:
        key: which file.
        path: what leads to it.
        paths: what led to it, as long as that may matter.
        topic: what led to it first, which says more about its lines than a rotated name.
        file: name of the present content, in tokens.
        last: end of the last line given.
        gone: no path leads to it.
        after: the file before it under the same path, to be finished first.
        truncated: how often it had to be read from its start.
        trouble: why it could not be read, or "".
    """

    def __init__(self, sighting: Sighting, cutter: Callable[..., LineCutter], serial: Callable[[], int]) -> None:
        self.key = sighting.key
        self.path = self.topic = sighting.path
        self.paths: set[str] = set()
        self.last = self.truncated = 0
        self.gone = False
        self.after: Tail | None = None
        self.trouble = ""
        self._new_cutter, self._serial = cutter, serial
        self._cutter = cutter()
        self.file = FileId(self.key.device, self.key.inode, serial())
        self._handle: AsyncFileIO | None = None
        self._reached = 0  # where the handle stands
        self._offset = 0
        self._tip = b""
        self._size = CHUNK
        self._rest = 0
        self._hole = False
        self.rotation = Rotation()

    def __repr__(self) -> str:
        return f"Tail({self.path!r}, at={self._offset}, file={self.file}, gone={self.gone})"

    # where reading stands

    def skip_to(self, offset: int, tip: bytes) -> None:
        """Begin at `offset`, before which `tip` stands; the rest of a line that began before is passed over."""
        self._offset, self._tip = offset, tip
        self._cutter = self._new_cutter(torn=bool(tip) and not tip.endswith(b"\n"))

    def go_on(self, topic: str, offset: int, before: bytes) -> None:
        """Begin where an earlier life of the daemon was, after `before`; under another name the file was rotated."""
        self.topic = topic
        self.skip_to(offset, before)
        self.last = offset
        if topic != self.path:
            self.rotation.begin()

    def restart(self) -> None:
        """Read from the start: the content is another one."""
        self._offset, self._tip, self._size, self.last = 0, b"", CHUNK, 0
        self._cutter = self._new_cutter()
        self.topic = self.path
        self.truncated += 1
        self._hole = True
        self.renew()

    def renew(self) -> None:
        """Take a new name for tokens."""
        self.file = FileId(self.key.device, self.key.inode, self._serial())

    def see(self, path: str) -> None:
        """A path leads to it now."""
        if self.gone and path == self.path:
            self.rotation = Rotation()
        elif self.gone or path != self.path:
            self.rotation.begin()
        self.gone = False
        self.path = path
        self.paths.add(path)
        if self._offset == 0:
            self.topic = path

    def vanish(self) -> None:
        """No path leads to it any more."""
        self.gone = True
        self.rotation.begin()

    @property
    def offset(self) -> int:
        """Where the next read begins."""
        return self._offset

    # the handle

    @property
    def is_open(self) -> bool:
        """Whether the file is held, and so can't be lost to a rename or its inode to another file."""
        return self._handle is not None

    async def open(self) -> bool:
        """Hold the file, under its path or another name in the same folder; false if it is not to be found.

        Raises:
            OSError: it is there but can't be opened.
        """
        if await self._open(self.path):
            return True
        other = await _whereabouts(self.key, str(Path(self.path).parent))
        return other is not None and await self._open(other)

    async def _open(self, path: str) -> bool:
        try:
            self._handle = await aiofiles.open(path, "rb", buffering=0, opener=self._opener)
        except FileNotFoundError:
            return False
        self._reached = 0
        return True

    def _opener(self, path: str, flags: int) -> int:
        """Called by aiofiles in its thread: what is opened must be the file that was seen."""
        opened = os.open(path, flags)
        found = os.fstat(opened)
        if FileKey(found.st_dev, found.st_ino) == self.key:
            return opened
        os.close(opened)
        raise FileNotFoundError(path)

    async def close(self) -> None:
        """Let the file go; the position stays."""
        handle, self._handle = self._handle, None
        if handle is not None:
            await handle.close()

    # reading

    async def read(self, now: float) -> Piece:
        """The next lines.

        Raises:
            OSError: the file can't be read.
        """
        data = await self._bytes()
        if data is None:
            self.restart()
            return Piece(self.topic, self.file, Cut())
        if self._hole and data:
            return self._pass_hole(data)
        at_end = len(data) < self._size
        cut = self._cutter.cut(data, self._offset)
        news = cut.used > 0 or len(data) != self._rest
        self._advance(data, cut)
        if cut.used:
            self._size = CHUNK
        elif not at_end:
            self._size *= 2  # a line longer than that: ask for more of it
        if at_end:
            self.rotation.at_end(now, news=news, rest=self._rest > 0)
        return Piece(self.topic, self.file, cut, more=not at_end)

    async def finish(self) -> Piece | None:
        """What stands behind the last line end, as a line: nobody will complete it. None if there is nothing."""
        data = await self._bytes()
        if data is None or len(data) != self._rest:
            self.rotation.disturb()
            return None
        cut = self._cutter.cut(data, self._offset, final=True)
        self._advance(data, cut)
        return Piece(self.topic, self.file, cut, more=False)

    def _pass_hole(self, data: bytes) -> Piece:
        """A writer that does not append leaves a hole after copytruncate: zeros up to where it stood."""
        hole = len(data) - len(data.lstrip(b"\0"))
        self._hole = hole == len(data)
        self._advance(data, Cut(used=hole))
        return Piece(self.topic, self.file, Cut())

    async def _bytes(self) -> bytes | None:
        """From the position on; None if what stands before it is not what was read."""
        assert self._handle is not None  # noqa: S101 - opened by whoever reads
        start = self._offset - len(self._tip)
        if self._reached != start:
            await self._handle.seek(start)
        data = await self._handle.read(len(self._tip) + self._size)
        self._reached = start + len(data)
        return data[len(self._tip) :] if data.startswith(self._tip) else None

    def _advance(self, data: bytes, cut: Cut) -> None:
        self._offset += cut.used
        self._tip = (self._tip + data[max(0, cut.used - TIP) : cut.used])[-TIP:]
        self._rest = len(data) - cut.used
        if cut.ends:
            self.last = cut.ends[-1]


_whereabouts: Any = aiofiles.os.wrap(whereabouts)
