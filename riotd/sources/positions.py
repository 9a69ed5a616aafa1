"""Positions in files: which file, how far it was given, how far it is done with."""

from collections.abc import Mapping

import msgspec

from riotd.sources.lines import Cut

VERSION = 1
"""Of the layout of `Progress`."""
TIP = 64
"""Bytes kept of the line before an offset."""


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


class Spot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How far a file is done with, in words that outlive the daemon.

    Attributes:
        device: number of the file system; not stable over a restart of the machine.
        inode: number of the file in it.
        path: what led to it last.
        topic: the topic of its messages, which is what led to it first.
        offset: behind the last line that is done with; in a compressed file, of its content.
        tip: the end of that line, without its line end, to tell whether the file is still the same; empty if the line
            was shortened, or there was none.
        finished: whether it was read to its end and is not to be read again.
    """

    device: int
    inode: int
    path: str
    topic: str
    offset: int
    tip: bytes = b""
    finished: bool = False


class Progress(msgspec.Struct, frozen=True):
    """How far a source is done with what it reads.

    Attributes:
        pattern: the path or glob it reads.
        spots: of the files it has begun; those that follow others under the same path behind them.
        version: of this layout.
    """

    pattern: str
    spots: list[Spot]
    version: int = VERSION


class Offsets:
    """How far each file is done with.

    A file that is read to its end is forgotten as soon as its last line is done with, so there are never more
    entries than files that are followed or have lines on their way.

    Args:
        keep: whether finished ones are remembered, a spot each, so that they are not read again.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self._spots: dict[FileId, Spot] = {}
        self._last: dict[FileId, int] = {}
        self._still: dict[str, Spot] = {}  # by path: those of files that are finished, or not yet begun again
        self._keep = keep

    @property
    def done(self) -> Mapping[FileId, int]:
        """Offset up to which each file's lines are done with."""
        return {file: spot.offset for file, spot in self._spots.items() if spot.offset}

    def begin(self, file: FileId, path: str, *, topic: str = "", offset: int = 0, tip: bytes = b"") -> None:
        """A file is read from an offset on, before which a line ends so."""
        self._still.pop(path, None)
        self._spots[file] = Spot(file.device, file.inode, path, topic or path, offset, tip[-TIP:])

    def remember(self, spot: Spot) -> None:
        """How far a file came in an earlier life, which is finished, or not begun again before others are read."""
        self._still[spot.path] = spot

    def move(self, file: FileId, path: str) -> None:
        """Another path leads to a file."""
        if (spot := self._spots.get(file)) and spot.path != path:
            self._spots[file] = msgspec.structs.replace(spot, path=path)

    def settle(self, ends: Mapping[FileId, tuple[int, bytes]]) -> None:
        """Lines are done with: for each file the offset behind the last of them, and that line."""
        for file, (offset, line) in ends.items():
            if (spot := self._spots.get(file)) is not None:
                self._spots[file] = msgspec.structs.replace(spot, offset=offset, tip=line[-TIP:])
                self._prune(file)

    def close(self, file: FileId, last: int) -> None:
        """No line of `file` follows the one that ends at `last` (0 if it had none)."""
        self._last[file] = last
        self._prune(file)

    def drop(self, file: FileId) -> None:
        """Its content is gone: what is not done with can't be read again."""
        self._spots.pop(file, None)
        self._last.pop(file, None)

    def spots(self) -> list[Spot]:
        """Where to go on, were it now."""
        return [*self._still.values(), *self._spots.values()]

    def _prune(self, file: FileId) -> None:
        last, spot = self._last.get(file), self._spots.get(file)
        if last is None or spot is None or spot.offset < last:
            return
        if self._keep:
            self._still[spot.path] = msgspec.structs.replace(spot, finished=True)
        self.drop(file)
