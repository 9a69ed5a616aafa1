"""Where the files went that a source was reading when the daemon ended. Blocks: to be called in a thread.

The trap: neither a path nor an inode says which file it is. While nobody held it, the file may have been renamed,
truncated, or deleted, and its inode given to another one. So the line before the position must still stand there.
"""

import gzip
import logging
import os
import stat
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import msgspec

from riotd.sources.positions import Spot
from riotd.sources.watching import TIP, FileKey, Sighting

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a file's content goes on.

    Attributes:
        spot: how far it was done with.
        key: the file it is in; None if nowhere.
        path: what leads to that file now.
        offset: where to go on.
        before: the bytes in front of it.
        trouble: what became of it, if it is nowhere, or no longer where it was.
    """

    spot: Spot
    key: FileKey | None
    path: str
    offset: int
    before: bytes
    trouble: str = ""


def places(spots: Iterable[Spot], sighted: Sequence[Sighting]) -> Iterator[Place]:
    """For each spot where to go on.

    Looked for, in this order, are the same file under whatever name in its folder, and a copy of it beside it, as
    copytruncate makes them.

    Args:
        spots: how far files were done with.
        sighted: the files that the source's pattern leads to.
    """
    folders = _Folders(sighted)
    for spot in spots:
        path = folders.find(spot)
        before = None if path is None else before_spot(path, spot)
        if path is not None and before is not None:
            yield _place(spot, path, before)
            continue
        trouble = "gone" if path is None else "truncated, or replaced"
        copy = next(((path, data) for path in folders.copies(spot) if (data := before_spot(path, spot))), None)
        yield _place(spot, *copy, trouble) if copy else Place(spot, None, spot.path, 0, b"", trouble)


class Beginning(NamedTuple):
    """A file that is read once through, and from where.

    Attributes:
        path: what leads to it.
        offset: where it is read from.
        spot: how far it came in an earlier life; None if it is read from its start.
    """

    path: str
    offset: int = 0
    spot: Spot | None = None

    @property
    def finished(self) -> bool:
        """Whether it is not to be read again."""
        return self.spot is not None and self.spot.finished


def rest(paths: Iterable[str], spots: Sequence[Spot]) -> Iterator[Beginning]:
    """For each of the files from where it is to be read; what is gone is said in the log."""
    known = {(spot.device, spot.inode): spot for spot in spots}
    named = {(spot.path, spot.inode): spot for spot in spots}
    left = {spot for spot in spots if not spot.finished}
    for path in paths:
        found = os.stat(path)  # noqa: PTH116 - as in watching
        spot = known.get((found.st_dev, found.st_ino)) or named.get((path, found.st_ino))
        yield Beginning(path) if spot is None else _beginning(path, spot)
        if spot is not None:
            left.discard(spot)
    for spot in left:
        log.log(*said(Place(spot, None, spot.path, 0, b"", "gone")))


def _beginning(path: str, spot: Spot) -> Beginning:
    here = msgspec.structs.replace(spot, path=path)
    if spot.finished and path.endswith(".gz"):  # not worth reading all of it; nobody appends to one
        return Beginning(path, spot.offset, here)
    before = before_spot(path, spot)
    if before is None:
        log.warning("%s: is another file than before, or a shorter one; reading it from its start", path)
        return Beginning(path)
    return Beginning(path, spot.offset - min(spot.offset, TIP) + len(before), here)


def said(place: Place) -> tuple[int, str]:
    """What the log should have of it, and how loud."""
    spot, trouble = place.spot, place.trouble
    if place.key is None:
        lost = f"what it got after byte {spot.offset}, if anything, is lost"
        return logging.WARNING, f"{spot.path}: {trouble} while the daemon was down; {lost}"
    if trouble:
        where = f"going on after byte {place.offset} of the copy {place.path}"
        return logging.INFO, f"{spot.path}: {trouble} while the daemon was down; {where}"
    return logging.DEBUG, f"{place.path}: going on after byte {place.offset}"


def before_spot(path: str, spot: Spot) -> bytes | None:
    """The bytes in front of an offset in a file; None if it does not go so far, or another line stands there.

    Of a compressed file, in its content; which takes as long as reading all of it up to there.
    """
    try:
        with _opened(path) as file:
            file.seek(max(0, spot.offset - TIP))
            before = file.read(min(spot.offset, TIP))
    except (OSError, EOFError, zlib.error):
        return None
    if len(before) < min(spot.offset, TIP) - 1:  # - 1: a last line may have been taken without a line end
        return None
    return before if before.rstrip(b"\r\n").endswith(spot.tip.rstrip(b"\r\n")) else None


def _place(spot: Spot, path: str, before: bytes, trouble: str = "") -> Place:
    found = os.stat(path)  # noqa: PTH116 - as in watching
    short = min(spot.offset, TIP) - len(before)
    return Place(spot, FileKey(found.st_dev, found.st_ino), path, spot.offset - short, before, trouble)


def _opened(path: str) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path, "rb")) if path.endswith(".gz") else Path(path).open("rb")


class _Folders:
    """The files there are, each folder read once.

    Args:
        sighted: files that are known already.
    """

    def __init__(self, sighted: Sequence[Sighting]) -> None:
        self._paths = {sighting.key: sighting.path for sighting in sighted}
        self._read: dict[str, list[tuple[str, os.stat_result]]] = {}

    def find(self, spot: Spot) -> str | None:
        """What leads to the file that a spot is in; of another device only if its path still leads to it."""
        known = self._paths.get(FileKey(spot.device, spot.inode))
        if known is not None:
            return known
        for path, found in self._files(spot):
            if found.st_ino == spot.inode and (found.st_dev == spot.device or Path(path).name == Path(spot.path).name):
                return path
        return None

    def copies(self, spot: Spot) -> Iterator[str]:
        """What may be a copy: a file beside it whose name begins as its name does, and which is long enough."""
        begin = Path(spot.path).name.split(".")[0]
        if spot.tip:
            for path, found in self._files(spot):
                name = Path(path).name
                if name.startswith(begin) and not name.endswith(".gz") and found.st_size >= spot.offset:
                    yield path

    def _files(self, spot: Spot) -> list[tuple[str, os.stat_result]]:
        folder = str(Path(spot.path).parent)
        if folder not in self._read:
            self._read[folder] = list(_regular(folder))
        return self._read[folder]


def _regular(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        try:
            found = entry.stat()
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode):
            yield str(Path(folder) / entry.name), found
