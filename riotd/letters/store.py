"""The store: numbered letters in a few files, the oldest of which goes when there are too many."""

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from riotd.letters.encoding import decode_letter, encode_letter, fingerprint
from riotd.letters.reading import parts
from riotd.letters.replayed import Replayed
from riotd.messages import DeadLetter
from riotd.units import size_text

_CHUNK = 2**20
log = logging.getLogger(__name__)


class Store:
    """Letters as lines of JSON in `<path>`, those before in `<path>.1`, those before that in `<path>.2`, ...

    A letter has a number, which rises by one over all files, restarts and rotations. All methods block; any thread may
    call them. One process at a time writes; others may read.

    Args:
        path: of the newest file; its folder must be there.
        size: bytes of all files together, past which the oldest file goes. What came last stays, however large.
        files: how many there are, at least two.

    Attributes:
        next: number of the next letter.
        kept: letters since the start.
        dropped: letters that went to make room since the start.
    """

    def __init__(self, path: Path, *, size: int, files: int) -> None:
        self.next, self.kept, self.dropped = 1, 0, 0
        self._path, self._size, self._files = path, size, files
        self._replayed = Replayed(path)
        self._lock = Lock()
        self._descriptor: int | None = None
        self._end = 0

    def open(self) -> None:
        """Open the newest file, made if absent, and see which number comes next.

        Raises:
            OSError: that can't be done.
        """
        with self._lock:
            self._open()

    def append(self, letters: Sequence[DeadLetter]) -> None:
        """Keep all of them, or none.

        Raises:
            OSError: none is kept.
        """
        with self._lock:
            if self._descriptor is None or self._elsewhere():
                self._open()
            lines = [self._line(letter, self.next + index) for index, letter in enumerate(letters)]
            data = b"".join(lines)
            if self._end and self._end + len(data) > self._size // self._files:
                self._rotate()
            self._write(data)
            self.next += len(lines)
            self.kept += len(lines)
            with suppress(OSError):  # the letters are kept, and the next one tries again
                self._make_room()

    def cut(self, number: int) -> None:
        """Forget the letters from this number on; before any is appended.

        Raises:
            OSError: that can't be done.
        """
        with self._lock:
            for part in reversed(parts(self._path)):
                offset = _offset(part, number)
                if offset or part == self._path:
                    os.truncate(part, offset)
                else:
                    part.unlink()
                if offset:
                    break
            self._open()
            self.next = max(number, 1)

    def sync(self) -> None:
        """Return when the disk has all letters.

        Raises:
            OSError: it has not.
        """
        with self._lock:
            if self._descriptor is not None:
                os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._close()

    def _line(self, letter: DeadLetter, number: int) -> bytes:
        times = self._replayed.times(fingerprint(letter)) if self._replayed.any() else 0
        return encode_letter(letter, number=number, times=times + 1) + b"\n"

    def _open(self) -> None:
        self._close()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o640)
        try:
            self._end = _whole(descriptor)
            os.ftruncate(descriptor, self._end)
            self.next = max(self.next, 1 + max((_last(part) for part in parts(self._path)[-2:]), default=0))
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _elsewhere(self) -> bool:
        """Whether somebody moved or removed the file."""
        assert self._descriptor is not None  # noqa: S101 - it is open
        try:
            return not os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return True

    def _write(self, data: bytes) -> None:
        assert self._descriptor is not None  # noqa: S101 - it is open
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            with suppress(OSError):  # else the next opening removes what is torn
                os.ftruncate(self._descriptor, self._end)
            self._close()
            raise
        self._end += len(data)

    def _rotate(self) -> None:
        """Begin a new file; the others are one older, and the oldest goes."""
        self._sync_old()
        oldest = self._older(self._files - 1)
        self._drop([part for part in parts(self._path) if part == oldest])
        for age in range(self._files - 1, 0, -1):
            younger = self._older(age - 1)
            with suppress(FileNotFoundError):
                younger.rename(self._older(age))
        self._open()

    def _sync_old(self) -> None:
        """A snapshot may count on what will be out of `sync`'s reach."""
        assert self._descriptor is not None  # noqa: S101 - it is open
        os.fsync(self._descriptor)

    def _older(self, age: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{age}") if age else self._path

    def _make_room(self) -> None:
        """Remove the oldest files while there is too much, never the newest."""
        found = parts(self._path)
        sizes = [part.stat().st_size for part in found]
        gone = 0
        while gone < len(found) - 1 and sum(sizes[gone:]) > self._size:
            gone += 1
        self._drop(found[:gone])

    def _drop(self, files: Sequence[Path]) -> None:
        for file in files:
            count, size = _count(file), file.stat().st_size
            file.unlink()
            self.dropped += count
            what = f"dropped the oldest dead letters to make room: {count}, {size_text(size)}"
            log.warning("%s: %s; %d since the start", self._path, what, self.dropped)


def _whole(descriptor: int) -> int:
    """Where the last whole line of a file ends: a crash may have torn one."""
    end = os.fstat(descriptor).st_size
    while end:
        begin = max(0, end - _CHUNK)
        found = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _last(path: Path) -> int:
    """The number of the last letter in a file; lines without a number count as one each."""
    last = 0
    with path.open("rb") as file:
        for line in file:
            last = _numbered(line) or last + 1
    return last


def _offset(path: Path, number: int) -> int:
    """Where the letters of a file begin that have this number or a higher one."""
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if _numbered(line) >= number:
                break
            offset += len(line)
    return offset


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _numbered(line: bytes) -> int:
    """The number in a line, 0 if there is none; read without the rest where it is in front, as it is in ours."""
    if line.startswith(b'{"letter":') and (digits := line[10:32].partition(b",")[0]).isdigit():
        return int(digits)
    try:
        return decode_letter(line)[1]
    except ValueError:
        return 0
