"""Positions in files: which file, how far it was given, how far it is done with."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from riotd.sources.lines import Cut


class FileId(msgspec.Struct, frozen=True, gc=False):
    """A file's content between two truncations; what a path leads to changes, this does not.

    Attributes:
        device: number of the file system.
        inode: number of the file in it; given to another file once this one is gone.
        serial: tells the contents of one inode apart; counts what this source began to read.
    """

    device: int
    inode: int
    serial: int


class Position(msgspec.Struct, frozen=True, gc=False):
    """A message's token: the file it came from, and the offset behind its line end."""

    file: FileId
    offset: int


class Piece(msgspec.Struct, frozen=True, gc=False):
    """What was read in one go.

    Attributes:
        topic: path of the file when it was first seen.
        file: which file.
        cut: its lines, perhaps none.
        more: reading on at once may give more; else the end of what is there was reached.
    """

    topic: str
    file: FileId
    cut: Cut
    more: bool = True


class Offsets:
    """How far each file is done with.

    A file that is read to its end is forgotten as soon as its last line is done with, so there are never more
    entries than files that are followed or have lines on their way.
    """

    def __init__(self) -> None:
        self._done: dict[FileId, int] = {}
        self._last: dict[FileId, int] = {}

    @property
    def done(self) -> Mapping[FileId, int]:
        """Offset up to which each file's lines are done with."""
        return MappingProxyType(self._done)

    def settle(self, positions: Iterable[Position]) -> None:
        """These lines, in the order they were given, are done with."""
        touched = {position.file: position.offset for position in positions}
        self._done.update(touched)
        for file in touched:
            self._prune(file)

    def close(self, file: FileId, last: int) -> None:
        """No line of `file` follows the one that ends at `last` (0 if it had none)."""
        self._last[file] = last
        self._prune(file)

    def _prune(self, file: FileId) -> None:
        last = self._last.get(file)
        if last is not None and self._done.get(file, 0) >= last:
            self._done.pop(file, None)
            del self._last[file]
