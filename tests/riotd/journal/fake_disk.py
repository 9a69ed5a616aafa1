"""A disk that forgets what it was not told to keep, and fails when it is told to."""

import errno
from random import Random


class FailedError(OSError):
    """The operation that was to fail."""


class FakeDisk:
    """Keeps `riotd.journal.Disk` in memory.

    What was written and not synced may be lost, in part, and out of order, at `crash`; so may makings, renamings and
    removals of files that no `sync_names` followed. Operation number `fail_at` fails, having done nothing or part.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.files: dict[str, bytearray] = {}
        self.operations = 0
        self.fail_at: int | None = None
        self._random = Random(seed)
        self._durable: dict[str, bytearray] = {}
        self._links: dict[str, str] = {}  # the directory on disk: name to identity
        self._identity: dict[str, str] = {}  # the directory in memory
        self._made = 0

    def names(self) -> list[str]:
        """As `Disk.names`."""
        return list(self._identity)

    def read(self, name: str) -> bytes:
        """As `Disk.read`."""
        return bytes(self.files[self._identity[name]])

    def append(self, name: str, data: bytes) -> None:
        """As `Disk.append`; when it fails, a part is there."""
        part = self._operation(data)
        if name not in self._identity:
            self._made += 1
            self._identity[name] = f"{name}#{self._made}"
            self.files[self._identity[name]] = bytearray()
            self._durable[self._identity[name]] = bytearray()
        self.files[self._identity[name]] += data if part is None else part
        if part is not None:
            raise FailedError(errno.ENOSPC, "no space")

    def cut(self, name: str, size: int) -> None:
        """As `Disk.cut`."""
        self._fail()
        del self.files[self._identity[name]][size:]

    def sync(self, name: str) -> None:
        """As `Disk.sync`."""
        self._fail()
        identity = self._identity[name]
        self._durable[identity] = bytearray(self.files[identity])

    def rename(self, old: str, new: str) -> None:
        """As `Disk.rename`."""
        self._fail()
        self._identity[new] = self._identity.pop(old)

    def remove(self, name: str) -> None:
        """As `Disk.remove`."""
        self._fail()
        self._identity.pop(name, None)

    def sync_names(self) -> None:
        """As `Disk.sync_names`."""
        self._fail()
        self._links = dict(self._identity)

    def crash(self) -> None:
        """Lose what nobody asked to keep: any part of it, in blocks of a few bytes."""
        self.fail_at = None
        names = dict(self._links)
        names |= {name: identity for name, identity in self._identity.items() if self._random.random() < 0.5}
        for name in list(names):
            if name not in self._identity and self._random.random() < 0.5:
                del names[name]
        self._identity = names
        self._links = dict(names)
        for identity in names.values():
            self.files[identity] = self._durable[identity] = self._survived(identity)

    def _survived(self, identity: str) -> bytearray:
        kept, written = self._durable[identity], self.files[identity]
        if written[: len(kept)] != kept:
            return bytearray(written if self._random.random() < 0.5 else kept)  # it was cut shorter meanwhile
        rest = written[len(kept) :]
        rest = rest[: self._random.randint(0, len(rest))]
        for at in range(0, len(rest), 16):
            if self._random.random() < 0.3:
                rest[at : at + 16] = bytes(len(rest[at : at + 16]))
        return bytearray(kept + rest)

    def _operation(self, data: bytes) -> bytes | None:
        """None if it goes well; else how much of the data is written."""
        self.operations += 1
        if self.fail_at == self.operations:
            return data[: self._random.randint(0, len(data))]
        return None

    def _fail(self) -> None:
        if self._operation(b"") is not None:
            raise FailedError(errno.EIO, "broken")
