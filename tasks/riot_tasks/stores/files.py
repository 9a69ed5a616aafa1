"""Files written whole: there under their name, on the disk, or not at all."""

import os
from pathlib import Path

from riot_tasks.errors import Unavailable


def write(path: Path, data: bytes) -> None:
    """Make the file, or replace it, at once; folders above it are made. On the disk when it returns.

    Raises:
        Unavailable: the disk is full, or does not let us.
    """
    part = path.with_name(f".{path.name}.part")  # the same name at every try: nothing piles up after crashes
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        to_disk(part)
        part.replace(path)
        to_disk(path.parent)
    except OSError as error:
        raise Unavailable(f"{path} can't be written: {error.strerror}") from error


def to_disk(path: Path) -> None:
    """Have a file's content, or a folder's names, survive a power cut.

    Raises:
        OSError: the disk fails.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
