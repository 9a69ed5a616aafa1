"""How far a file went, and making it end there again. Blocks: to be called in a thread, but for `extent_of`."""

import logging
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

import msgspec

TIP = 64
"""Bytes remembered from before the end, to tell whether the file is still the one that was written."""

log = logging.getLogger(__name__)


class Extent(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was at an instant.

    Attributes:
        version: of this layout.
        inode: number of the file; that of its device is not stable over a restart of the machine.
        size: bytes.
        tip: the last of them.
    """

    version: int
    inode: int
    size: int
    tip: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Extent).decode


def extent_of(descriptor: int) -> Extent:
    """What an open file is at present; two calls to the kernel for what it has in memory: 3 µs.

    Raises:
        OSError: it can't be read.
    """
    found = os.fstat(descriptor)
    return Extent(1, found.st_ino, found.st_size, os.pread(descriptor, TIP, max(0, found.st_size - TIP)))


def packed(extent: Extent) -> bytes:
    """As it is kept."""
    return _encode(extent)


def unpacked(data: bytes) -> Extent | None:
    """As it was kept; None if a later riotd did."""
    try:
        extent = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return extent if extent.version == 1 else None


def cut_back(descriptor: int, path: Path, extent: Extent) -> str:
    """Make an open file end where it did; what is cut off is in `<path>.cut` afterwards, in place of what was there.

    Args:
        descriptor: of the file, open for reading and writing.
        path: what leads to it.
        extent: what it was.

    Returns:
        Why it can't be, or "".

    Raises:
        OSError: the disk refuses, or the folder takes no new file; then nothing was cut.
    """
    found = os.fstat(descriptor)
    if found.st_ino != extent.inode:
        return "it is another file now: rotated"
    if found.st_size < extent.size:
        return f"it has {found.st_size} bytes and had {extent.size}: truncated"
    if os.pread(descriptor, len(extent.tip), extent.size - len(extent.tip)) != extent.tip:
        return f"what stands before byte {extent.size} is not what stood there: truncated and written again"
    if found.st_size > extent.size:
        aside = path.with_name(f"{path.name}.cut")
        _keep_aside(descriptor, aside, extent.size)
        os.ftruncate(descriptor, extent.size)
        os.fsync(descriptor)
        cut = found.st_size - extent.size
        log.info("%s: cut back by the %d bytes since the last snapshot, which are now in %s", path, cut, aside)
    return ""


def _keep_aside(descriptor: int, aside: Path, start: int) -> None:
    """Have a copy of what stands behind `start` on disk."""
    part = aside.with_name(f"{aside.name}.part")
    try:
        with part.open("wb") as copy, os.fdopen(os.dup(descriptor), "rb") as file:
            os.fchmod(copy.fileno(), stat.S_IMODE(os.fstat(descriptor).st_mode))
            file.seek(start)
            shutil.copyfileobj(file, copy)
            copy.flush()
            os.fsync(copy.fileno())
        part.replace(aside)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise
