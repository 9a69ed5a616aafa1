"""Where a timer's last tick ended, kept in a file, for the start after the daemon's end."""

import asyncio
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

_PART: Final = ".part"
log = logging.getLogger(__name__)


class Memory:
    """A moment in a file of a folder, which is made if it is not there; whole or as it was, also after a power cut.

    Args:
        folder: the daemon's state folder.
        name: of the timer.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / f"timer-{quote(name, safe='')}"
        self._kept: int | None = None
        self._trouble = ""

    async def recall(self) -> int | None:
        """Milliseconds since 1970; None if there are none, or they can't be read."""
        try:
            text = await asyncio.to_thread(self._file.read_text, encoding="ascii")
            self._kept = int(text)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("%s can't be read: %s; what ended since the last tick is left out", self._file, error)
            return None
        return self._kept

    async def keep(self, moment: int | None) -> None:
        """Have it on disk, unless it is; a disk that refuses is said, and tried again with the next one."""
        if moment is None or moment == self._kept:
            return
        try:
            await asyncio.to_thread(self._write, moment)
        except OSError as error:
            if str(error) != self._trouble:
                log.warning("%s can't be written: %s", self._file, error.strerror or error)
            self._trouble = str(error)
        else:
            self._kept, self._trouble = moment, ""

    def _write(self, moment: int) -> None:
        part = self._file.with_name(self._file.name + _PART)
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            part.unlink()
        with part.open("x", encoding="ascii") as file:
            file.write(str(moment))
            file.flush()
            os.fdatasync(file.fileno())
        part.replace(self._file)
