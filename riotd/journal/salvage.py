"""A file's frames, and the holes between them.

The trap: behind a damaged frame the next one has to be searched for. It is looked for where the damaged one says that
it ends; only if there is none there, byte by byte, and what is found must go on with the numbers.
"""

from typing import NamedTuple

from riotd.journal.frames import HEADER, MAGIC, Found, Group, frame_at


class Hole(NamedTuple):
    """A stretch of a file without frames: its offsets, what is wrong, whether a later frame says it was on disk."""

    at: int
    end: int
    why: str
    vouched: bool


def pieces(data: bytes, *, expected: int = 0) -> list[Found | Hole]:
    """A file's frames, and the holes between them.

    Args:
        data: its content.
        expected: number of the next message; groups with lower ones are none.
    """
    found: list[Found | Hole] = []
    at = 0
    while at < len(data):
        frame = frame_at(data, at)
        if isinstance(frame, Found):
            expected = max(expected, frame.frame.end if isinstance(frame.frame, Group) else 0)
            found.append(frame)
        else:
            found.append(Hole(at, _resumed(data, at, expected), frame, vouched=False))
        at = found[-1][1]
    synced = 0
    for index, piece in reversed(list(enumerate(found))):
        if isinstance(piece, Found):
            synced = max(synced, piece.synced)
        else:
            found[index] = piece._replace(vouched=synced > piece.at)
    return found


def _resumed(data: bytes, wrong: int, expected: int) -> int:
    """Offset of the next frame behind a wrong one; the end if there is none."""
    if len(data) - wrong >= HEADER.size:
        magic, length, *_ = HEADER.unpack_from(data, wrong)
        said = wrong + HEADER.size + int(length)
        if magic == MAGIC and said < len(data) and _goes_on(data, said, expected):
            return said
    at = wrong + 1
    while (at := data.find(MAGIC.to_bytes(4, "little"), at)) >= 0:
        if _goes_on(data, at, expected):
            return at
        at += 1
    return len(data)


def _goes_on(data: bytes, at: int, expected: int) -> bool:
    found = frame_at(data, at)
    if not isinstance(found, Found):
        return False
    return not isinstance(found.frame, Group) or found.frame.first >= expected
