"""The few things the journal asks of a file system, and a folder that does them."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from riotd.errors import ConfigError, Mistake


class Disk(Protocol):
    """A flat folder of files. Every call may raise OSError; then what it was to do is done, half done or not done."""

    def names(self) -> list[str]:
        """The files there are, in no order."""

    def read(self, name: str) -> bytes:
        """A file's content."""

    def append(self, name: str, data: bytes) -> None:
        """Write at the end of a file; made if absent. In the page cache after it, not on disk."""

    def cut(self, name: str, size: int) -> None:
        """Make a file this long, which it is at least."""

    def sync(self, name: str) -> None:
        """Return when all of a file is on disk."""

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in the place of a file that has it."""

    def remove(self, name: str) -> None:
        """Remove a file."""

    def sync_names(self) -> None:
        """Return when all makings, renamings and removals of files are on disk."""


class Folder:
    """A folder of a real file system; keeps `Disk`. One file at a time is kept open for appending.

    Args:
        path: made if absent, mode 0700.

    Raises:
        ConfigError: from `lock`, another daemon has the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: tuple[str, int] | None = None
        self._lock: int | None = None

    def lock(self) -> None:
        """Make the folder ours until `close`."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            remedy = "set state.path to a folder this user may write, or ack: processed, which needs none"
            raise ConfigError([Mistake("state.path", f"{self.path}: {error.strerror}", remedy)]) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            what = "is in use" + (f" by process {owner}" if owner else "")
            raise ConfigError([Mistake(str(self.path), what, "one daemon has one state folder")]) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock = descriptor

    def close(self) -> None:
        """Close what is open, and let others have the folder."""
        self._release()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def names(self) -> list[str]:
        """As `Disk.names`."""
        return [entry.name for entry in os.scandir(self.path) if entry.is_file() and entry.name != "lock"]

    def read(self, name: str) -> bytes:
        """As `Disk.read`."""
        return (self.path / name).read_bytes()

    def append(self, name: str, data: bytes) -> None:
        """As `Disk.append`."""
        descriptor, rest = self._appending(name), memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def cut(self, name: str, size: int) -> None:
        """As `Disk.cut`."""
        os.ftruncate(self._appending(name), size)

    def sync(self, name: str) -> None:
        """As `Disk.sync`."""
        os.fdatasync(self._appending(name))

    def rename(self, old: str, new: str) -> None:
        """As `Disk.rename`."""
        self._release()
        (self.path / old).replace(self.path / new)

    def remove(self, name: str) -> None:
        """As `Disk.remove`."""
        if self._open and self._open[0] == name:
            self._release()
        with suppress(FileNotFoundError):
            (self.path / name).unlink()

    def sync_names(self) -> None:
        """As `Disk.sync_names`."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _appending(self, name: str) -> int:
        if self._open is None or self._open[0] != name:
            self._release()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._open = (name, os.open(self.path / name, flags, 0o600))
        return self._open[1]

    def _release(self) -> None:
        if self._open is not None:
            descriptor, self._open = self._open[1], None
            os.close(descriptor)
