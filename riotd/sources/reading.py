"""Reading files to their end, compressed ones too."""

import asyncio
import gzip
import logging
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aiofiles.threadpool import wrap
from aiofiles.threadpool.binary import AsyncBufferedIOBase

from riotd.errors import ConfigError, Mistake, TransportError
from riotd.sources.lines import LineCutter
from riotd.sources.positions import FileId, Offsets, Piece, Spot
from riotd.sources.resuming import Beginning, rest
from riotd.sources.tailing import CHUNK
from riotd.sources.watching import paths

log = logging.getLogger(__name__)


class Reader:
    """Reads each file a pattern leads to, from start to end, in the sorted order of their paths.

    Attributes:
        ended: all were read.
        in_place: the files of an earlier life were where and what they were.
    """

    def __init__(self, pattern: str, *, max_line: int, offsets: Offsets) -> None:
        self.ended = False
        self._pattern = pattern
        self._max_line = max_line
        self._offsets = offsets
        self._begun: Sequence[Spot] | None = None
        self.in_place = True
        self._paths: Iterator[Beginning] = iter(())
        self._current: Whole | None = None
        self._files = 0

    def go_on(self, spots: Sequence[Spot]) -> None:
        """Before it is opened: where an earlier life was."""
        self._begun = spots

    def counters(self) -> Mapping[str, int]:
        """Files begun."""
        return {"files": self._files}

    async def open(self) -> None:
        """Find the files.

        Raises:
            ConfigError: there are none, or what is there is not a file, or may not be read.
        """
        found = await asyncio.to_thread(_readable, self._pattern)
        if self._begun is not None:
            beginnings = await asyncio.to_thread(list, rest(found, self._begun))
            found_again = [one.spot for one in beginnings if one.spot is not None]
            for spot in found_again:
                self._offsets.remember(spot)
            left = [one for one in beginnings if not one.finished]
            self.in_place = set(self._begun) <= set(found_again)
            log.info("%s: going on; %d of %d files are done with", self._pattern, len(found) - len(left), len(found))
            self._paths = iter(left)
        else:
            self._paths = iter([Beginning(path) for path in found])

    async def close(self) -> None:
        """Let the present file go."""
        current, self._current = self._current, None
        if current is not None:
            await current.close()

    async def tend(self) -> float | None:
        """Nothing to look for; None: never."""
        return None

    async def read(self) -> Piece | None:
        """The next lines; None when all files are read.

        Raises:
            TransportError: a file can't be read, or a compressed one is damaged. The lines before were given.
        """
        while self._current is not None or await self._open_next():
            assert self._current is not None  # noqa: S101 - for mypy, which does not see through the line above
            piece = await self._current.read()
            if piece is not None:
                return piece
            self._offsets.close(self._current.file, self._current.last)
            await self.close()
        self.ended = True
        return None

    async def _open_next(self) -> bool:
        begin = next(self._paths, None)
        if begin is None:
            return False
        self._files += 1
        current = await Whole.open(begin.path, LineCutter(self._max_line), self._files, at=begin.offset)
        tip = b"" if begin.spot is None else begin.spot.tip
        self._offsets.begin(current.file, begin.path, offset=begin.offset, tip=tip)
        self._current = current
        return True


class Whole:
    """One file, from start to end.

    Attributes:
        file: its name in tokens.
        last: end of the last line given; in a compressed file, of its content.
    """

    def __init__(
        self, path: str, handle: AsyncBufferedIOBase, cutter: LineCutter, file: FileId, *, at: int = 0
    ) -> None:
        self.file = file
        self.last = at
        self._path, self._handle, self._cutter = path, handle, cutter
        self._rest = b""
        self._at = at
        self._ended = False

    @classmethod
    async def open(cls, path: str, cutter: LineCutter, serial: int, *, at: int = 0) -> "Whole":
        """Open it, and read from an offset on; a compressed one is read through up to there.

        Raises:
            TransportError: it can't be.
        """
        try:
            file = await asyncio.to_thread(gzip.open if path.endswith(".gz") else open, path, "rb")
            found = await asyncio.to_thread(os.fstat, file.fileno())
            await asyncio.to_thread(file.seek, at)
        except (OSError, EOFError, zlib.error) as error:
            raise TransportError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
        return cls(path, wrap(file), cutter, FileId(found.st_dev, found.st_ino, serial), at=at)

    async def read(self) -> Piece | None:
        """The next lines, perhaps none; None behind the last one.

        Raises:
            TransportError: it can't be read on.
        """
        if self._ended:
            return None
        chunk = await self._chunk()
        self._ended = not chunk
        data = self._rest + chunk
        cut = self._cutter.cut(data, self._at, final=self._ended)
        self._rest = data[cut.used :]
        self._at += cut.used
        self.last = cut.ends[-1] if cut.ends else self.last
        return Piece(self._path, self.file, cut)

    async def close(self) -> None:
        """Let it go."""
        await self._handle.close()

    async def _chunk(self) -> bytes:
        try:
            return await self._handle.read(max(CHUNK, len(self._rest)))
        except (OSError, EOFError, zlib.error) as error:
            where = f"{self._path}: after byte {self._at} of its content"
            raise TransportError(f"{where}: {error}; the lines before were processed") from error


def _readable(pattern: str) -> list[str]:
    found = [path for path in paths(pattern) if not (Path(path).is_dir() and path != pattern)]
    if not found:
        remedy = "correct the path, or say `follow: true` to wait for it"
        raise ConfigError([Mistake("source.path", f"there is no file {pattern}", remedy)])
    mistakes = [Mistake("source.path", what, remedy) for path in found for what, remedy in _why_not(Path(path))]
    if mistakes:
        raise ConfigError(mistakes)
    return found


def _why_not(path: Path) -> list[tuple[str, str]]:
    if not path.is_file():
        return [(f"{path} is not a regular file", "give a file, or a glob such as /data/*.csv")]
    if not os.access(path, os.R_OK):
        return [(f"{path} may not be read by this user", "give it read permission")]
    return []
