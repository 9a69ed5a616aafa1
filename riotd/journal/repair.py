"""A damaged journal made whole again: what is damaged is cut out, what was lost stands there as refused messages.

So numbers stay without gaps, the books of the next start show each lost message as a dead letter, and nothing passes
for having been done. The damaged files stay beside the repaired ones. The order of the steps is such that a repair
that is cut short can be begun again: nothing is renamed before all is written and on disk.
"""

import msgspec

from riotd.errors import RiotdError
from riotd.journal.disk import Disk
from riotd.journal.frames import UNREADABLE, Found, Frame, Group, packed
from riotd.journal.salvage import pieces
from riotd.journal.survey import Damage, Survey, number, surveyed
from riotd.journal.suspects import Suspects

REASON = "lost: the journal was damaged where it was"
"""Why a lost message is refused."""
MAYBE = "perhaps lost: the journal was damaged, and does not say how many messages were there"
_PART, _DAMAGED = ".part", ".damaged"
_GROUP = 10_000
"""Messages in a group that stands for lost ones."""


class UnrepairableError(RiotdError):
    """It is not damage."""


class Repair(msgspec.Struct, frozen=True):
    """What a repair does.

    Attributes:
        files: names of the files that are written anew, or made, with their content.
        copies: of those that were there, the name that the damaged one gets.
        refused: why, by number, of the messages that are lost and would be done again.
    """

    files: dict[str, bytes]
    copies: dict[str, str]
    refused: dict[int, str]


def planned(disk: Disk, survey: Survey) -> Repair:
    """What would have to be done; nothing if there is no damage.

    Raises:
        UnrepairableError: a frame is whole, and from a later riotd.
        OSError: a file can't be read.
    """
    files: dict[str, bytes] = {}
    copies: dict[str, str] = {}
    refused: dict[int, str] = {}
    damages = [damage for damage in survey.damages if not damage.torn]
    for damage in damages:
        if damage.why.startswith(UNREADABLE):
            raise UnrepairableError(f"{damage.name}: byte {damage.at}: {damage.why}: start the riotd that wrote it")
        refused |= {each: REASON if each < damage.sure else MAYBE for each in survey.harm(damage)}
        if damage.whole:
            files |= _made(disk, damage)
    for name in dict.fromkeys(damage.name for damage in damages if not damage.whole):
        files[name] = _without(disk.read(name), [damage for damage in damages if damage.name == name])
        copies[name] = _free(disk, name)
    return Repair(files, copies, refused)


def repaired(disk: Disk, repair: Repair, suspects: Suspects) -> Survey:
    """Do it; what is then there.

    Args:
        disk: locked.
        repair: of this disk, as it is.
        suspects: of the same folder.

    Raises:
        OSError: a step failed; the damaged files are there, and it can be done again.
    """
    for name, data in repair.files.items():
        disk.remove(name + _PART)
        disk.append(name + _PART, data)
        disk.sync(name + _PART)
    suspects.refuse(repair.refused)
    for name, copy in repair.copies.items():
        disk.append(copy, disk.read(name))
        disk.sync(copy)
    disk.sync_names()
    for name in repair.files:
        disk.rename(name + _PART, name)
    disk.sync_names()
    return surveyed(disk)


def _made(disk: Disk, damage: Damage) -> dict[str, bytes]:
    """A file in the place of a missing one; if one has that name it has no messages, and goes on to be there."""
    name = f"{damage.first:020d}.journal"
    there = pieces(disk.read(name)) if name in disk.names() else []
    return {name: _written([piece.frame for piece in there if isinstance(piece, Found)] + _lost(damage))}


def _without(data: bytes, damages: list[Damage]) -> bytes:
    """A file's frames, and in the place of damage what stands for the lost messages."""
    due = {damage.at: damage for damage in damages}
    frames: list[Frame] = []
    for piece in pieces(data, expected=number(damages[0].name)):
        if isinstance(piece, Found):
            frames.append(piece.frame)
        elif piece.at in due:
            frames += _lost(due[piece.at])
    return _written(frames)


def _lost(damage: Damage) -> list[Frame]:
    """Messages without content, in their place."""
    frames: list[Frame] = []
    for first in range(damage.first, damage.end, _GROUP):
        count = min(_GROUP, damage.end - first)
        frames.append(Group(first, 0.0, [(0, "", b"", 0)] * count))
    return frames


def _written(frames: list[Frame]) -> bytes:
    data = bytearray()
    for frame in frames:
        data += packed(frame, len(data))
    return bytes(data)


def _free(disk: Disk, name: str) -> str:
    """A name for the damaged file."""
    taken, copy, count = set(disk.names()), name + _DAMAGED, 1
    while copy in taken:
        count += 1
        copy = f"{name}{_DAMAGED}-{count}"
    return copy
