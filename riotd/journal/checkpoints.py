"""Snapshots on disk: whole or not there, the last ones kept until a newer one is proven."""

import errno
from collections.abc import Mapping
from zlib import crc32

import msgspec

from riotd.journal.disk import Disk

VERSION = 1
"""Of the file's layout; later riotds read earlier versions."""
_SUFFIX = ".snapshot"
_PART = ".part"
_CHECK = 4
"""Bytes of the CRC-32 in front."""


class Checkpoint(msgspec.Struct, frozen=True):
    """The state of everything after all messages below a sequence number, and of what follows from none later.

    Attributes:
        sequence: the first message that is not in it.
        wall: Unix seconds at which it was taken.
        shards: of each shard its snapshot.
        sinks: of each sink that can be cut back, by name, where it was.
        source: where the source was, by name of what is in it.
        plan: a fingerprint of the plan it was taken under.
        rejects: where the dead letters' sink was, if it can be cut back.
        version: of the layout.
    """

    sequence: int
    wall: float
    shards: list[bytes]
    sinks: dict[str, bytes] = {}
    source: dict[str, bytes] = {}
    plan: str = ""
    version: int = VERSION
    rejects: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Checkpoint).decode


class Checkpoints:
    """The snapshots in a folder.

    Args:
        disk: the folder; other files in it are left alone.
        keep: how many there are; the older ones for the case that the newest can't be read.
    """

    def __init__(self, disk: Disk, *, keep: int = 2) -> None:
        self._disk, self._keep = disk, keep
        self.refused: Mapping[str, str] = {}
        """Snapshots that could not be read at the last `latest`, and why."""

    def save(self, checkpoint: Checkpoint, *, alone: bool = False) -> int:
        """Put a snapshot on disk, and read it again before older ones go; how many bytes it has.

        Args:
            checkpoint: what to keep.
            alone: whether all older ones go.

        Raises:
            OSError: it is not there, or not right, and all earlier ones are.
        """
        body = _encode(checkpoint)
        name = f"{checkpoint.sequence:020d}{_SUFFIX}"
        data = crc32(body).to_bytes(_CHECK, "little") + body
        self._disk.remove(name + _PART)
        self._disk.append(name + _PART, data)
        self._disk.sync(name + _PART)
        self._disk.rename(name + _PART, name)
        self._disk.sync_names()
        if self._disk.read(name) != data:
            self._disk.remove(name)
            raise OSError(errno.EIO, f"{name} is not what was written")
        for old in self.names()[: -1 if alone else -self._keep]:
            self._disk.remove(old)
        return len(data)

    def latest(self) -> Checkpoint | None:
        """The newest that can be read; None if there is none. Half-written ones are removed.

        Raises:
            OSError: the folder can't be read.
        """
        refused: dict[str, str] = {}
        for name in self._disk.names():
            if name.endswith(_SUFFIX + _PART):
                self._disk.remove(name)
        for name in reversed(self.names()):
            found = self.decoded(self._disk.read(name))
            if isinstance(found, Checkpoint):
                self.refused = refused
                return found
            refused[name] = found
        self.refused = refused
        return None

    def why_none(self) -> str:
        """Why none could be read, and what to do: to begin without their state would be to lose it."""
        why = "; ".join(f"{name}: {reason}" for name, reason in self.refused.items())
        return (
            f"{why}; there is no other snapshot: install the riotd that wrote it, restore the state folder from a "
            "copy, or move it away: the daemon then begins afresh, without what it knew"
        )

    def forget(self) -> None:
        """Remove all of them."""
        for name in self.names():
            self._disk.remove(name)

    def needed(self) -> int:
        """The sequence number from which on the journal must be kept, so that every snapshot here can be used."""
        names = self.names()
        return int(names[0].removesuffix(_SUFFIX)) if names else 0

    def names(self) -> list[str]:
        """Their files, the oldest first."""
        return sorted(
            name for name in self._disk.names() if name.endswith(_SUFFIX) and name.removesuffix(_SUFFIX).isdigit()
        )

    @staticmethod
    def decoded(data: bytes) -> Checkpoint | str:
        """What a file of this content has, or what is wrong with it."""
        body = memoryview(data)[_CHECK:]
        if len(data) < _CHECK or crc32(body).to_bytes(_CHECK, "little") != data[:_CHECK]:
            return "the checksum is wrong"
        try:
            found = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return f"it can't be read: {error}"
        return found if found.version <= VERSION else f"it is of version {found.version}; this riotd reads {VERSION}"
