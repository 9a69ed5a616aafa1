"""The journal's frames: what is in them, how they lie in a file, how torn and damaged ones are told apart.

A frame is a header and a body. The header has a magic number, the body's length, a CRC-32 over the rest, and how far
the file was known to be on disk when the frame was written. A frame that is wrong although a later one vouches for
its place is damage; one that nobody vouches for was never promised to anybody, and is a torn tail.
"""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple
from zlib import crc32

import msgspec

HEADER = Struct("<IIIQ")
"""Magic number, length of the body, checksum, how far the file was on disk."""
_COVERED = Struct("<IQ")
"""What of the header the checksum covers beside the body: its length, and how far the file was on disk."""
MAGIC = 0x4A_54_4F_49  # "IOTJ" on disk
UNREADABLE = "the frame is whole but can't be read, as if a later riotd had written it"
"""How what is said of a frame begins whose checksum is right: a later riotd wrote it."""
_MAGIC_BYTES = MAGIC.to_bytes(4, "little")


class Group(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """Messages that came in together.

    Attributes:
        first: sequence number of the first; the others follow.
        wall: Unix seconds at which they came.
        messages: of each the index of its source, its topic, its payload, and its mark (`Message.mark`).
    """

    first: int
    wall: float
    messages: list[tuple[int, str, bytes, int]]

    @property
    def end(self) -> int:
        """The sequence number after its last."""
        return self.first + len(self.messages)


class Dispatch(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Messages `first` to `first + count - 1` went to the shards as one batch, at `now` (Unix seconds)."""

    first: int
    count: int
    now: float


class Tick(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """The shards were told the time, Unix seconds, behind the batches before it."""

    now: float


class Mark(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """The results of all messages below this sequence number are with the sinks."""

    settled: int


Frame = Group | Dispatch | Tick | Mark
Identity = tuple[int, int, int]
"""What a message that comes again is known by: its source, its mark, a checksum of topic and payload."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


class Found(NamedTuple):
    """A frame in a file.

    Attributes:
        at: offset of its header.
        end: offset behind it.
        synced: how far the file was on disk when it was written.
        frame: what is in it.
    """

    at: int
    end: int
    synced: int
    frame: Frame


class Wrong(NamedTuple):
    """Where a file stops being right.

    Attributes:
        at: offset.
        why: in words.
        vouched: whether a later frame says that this place was on disk: damage, not a torn tail.
    """

    at: int
    why: str
    vouched: bool


def identity(origin: int, topic: str, payload: bytes, mark: int) -> Identity:
    """What a message of a group is known by when it comes again."""
    return origin, mark, crc32(payload, crc32(topic.encode()))


def packed(frame: Frame, synced: int) -> bytes:
    """A frame as it lies in the file.

    Args:
        frame: what is in it.
        synced: how far the file is on disk, bytes.
    """
    body = _encode(frame)
    check = crc32(body, crc32(_COVERED.pack(len(body), synced)))
    return HEADER.pack(MAGIC, len(body), check, synced) + body


def scan(data: bytes | memoryview) -> Iterator[Found | Wrong]:
    """The frames of a file in order; last a `Wrong` if it does not end with a whole frame."""
    at = 0
    while at < len(data):
        found = frame_at(data, at)
        if isinstance(found, str):
            yield Wrong(at, found, found.startswith(UNREADABLE) or _vouched(data, at))  # its own checksum does, too
            return
        yield found
        at = found.end


def frame_at(data: bytes | memoryview, at: int) -> Found | str:
    """The frame at an offset, or what is wrong there."""
    if len(data) - at < HEADER.size:
        return "the file ends within a frame's header"
    magic, length, check, synced = HEADER.unpack_from(data, at)
    if magic != MAGIC:
        return "no frame begins here"
    begin = at + HEADER.size
    if len(data) - begin < length:
        return "the file ends within a frame"
    body = data[begin : begin + length]
    if crc32(body, crc32(_COVERED.pack(length, synced))) != check:
        return "the checksum is wrong"
    try:
        return Found(at, begin + length, synced, _decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"{UNREADABLE}: {error}"


def _vouched(data: bytes | memoryview, wrong: int) -> bool:
    """Whether a whole frame behind a wrong one says that the wrong one's place was on disk."""
    whole, at = bytes(data), wrong + 1
    while (at := whole.find(_MAGIC_BYTES, at)) >= 0:
        found = frame_at(whole, at)
        if isinstance(found, Found) and found.synced > wrong:
            return True
        at += 1
    return False
