"""Which letters were sent again: a small file beside the store, written by `riotd dlq`, read by the daemon."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

_MOST = 100_000
"""Entries that are kept; of more the oldest are forgotten."""


class Entry(msgspec.Struct, frozen=True):
    """A letter that was sent again.

    Attributes:
        letter: its number.
        time: when, Unix seconds; None while it is being sent: it may be refused again before that is noted.
        message: the fingerprint of its message.
        times: how often that had been refused by then.
    """

    letter: int
    time: float | None
    message: str
    times: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode


class Replayed:
    """What was sent again of a store's letters; read anew whenever the file has changed.

    Args:
        path: of the store; this file is `<path>.replayed`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.name}.replayed")
        self._seen: tuple[int, int] | None = None
        self._letters: dict[int, Entry] = {}
        self._messages: dict[str, Entry] = {}

    def letter(self, number: int) -> Entry | None:
        """The entry of a letter, if it was sent again."""
        self._refresh()
        entry = self._letters.get(number)
        return None if entry is None or entry.time is None else entry

    def times(self, message: str) -> int:
        """How often a message with this fingerprint was refused before it was sent again; 0 if it was not."""
        self._refresh()
        entry = self._messages.get(message)
        return 0 if entry is None else entry.times

    def any(self) -> bool:
        """Whether there is any."""
        self._refresh()
        return bool(self._letters)

    def add(self, entries: Iterable[Entry], *, oldest: int = 0) -> None:
        """Note more of them, in place of what is noted of the same letters.

        Those of letters below `oldest`, which are gone, are forgotten.

        Raises:
            OSError: the file can't be written.
        """
        with self._alone():
            self._seen = None
            self._refresh()
            new = {entry.letter: entry for entry in entries}
            kept = [entry for entry in self._letters.values() if entry.letter >= oldest and entry.letter not in new]
            lines = b"".join([_encode(entry) + b"\n" for entry in [*kept, *new.values()][-_MOST:]])
            part = self.path.with_name(f"{self.path.name}.part")
            part.write_bytes(lines)
            part.replace(self.path)

    def _refresh(self) -> None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._seen, self._letters, self._messages = None, {}, {}
            return
        if self._seen != (found.st_mtime_ns, found.st_ino):
            self._seen = (found.st_mtime_ns, found.st_ino)
            entries = list(_entries(self.path.read_bytes()))
            self._letters = {entry.letter: entry for entry in entries}
            self._messages = {entry.message: entry for entry in entries}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One `riotd dlq` at a time."""
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _entries(data: bytes) -> Iterator[Entry]:
    for line in data.splitlines():
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            yield _decode(line)
