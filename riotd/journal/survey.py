"""What a journal's files say of themselves: messages, snapshots, damage and what is lost by it; changes nothing."""

from contextlib import suppress
from typing import NamedTuple

import msgspec

from riotd.journal.checkpoints import Checkpoint, Checkpoints
from riotd.journal.disk import Disk
from riotd.journal.frames import HEADER, Dispatch, Frame, Group, Mark
from riotd.journal.log import ours
from riotd.journal.salvage import Hole, pieces

LEAST = 5
"""Bytes a message takes in a group, at least."""


class Snapshot(NamedTuple):
    """A snapshot that can be read: number of the first message it lacks, Unix seconds, bytes, shards."""

    sequence: int
    wall: float
    size: int
    shards: int


class Segment(msgspec.Struct):
    """A file of the journal.

    Attributes:
        name: of the file.
        size: bytes.
        first: number of the first message that may be in it.
        end: number behind its last.
        messages: how many are in it.
        batches: how many it says were dispatched.
        begun: Unix seconds at which the first of its messages came; 0 if it has none.
        ended: and the last.
    """

    name: str
    size: int
    first: int
    end: int
    messages: int = 0
    batches: int = 0
    begun: float = 0.0
    ended: float = 0.0


class Damage(msgspec.Struct):
    """A place that is not as it was written.

    Attributes:
        name: of the file.
        at: offset.
        until: offset at which it is right again; the same where a whole file is missing before this one.
        why: in words.
        torn: whether it is the end of the last file, which nobody was promised: the daemon cuts it off by itself.
        first: number of the first message that was there.
        end: number behind the last that was, or can have been.
        sure: number behind the last that certainly was.
    """

    name: str
    at: int
    until: int
    why: str
    torn: bool
    first: int
    end: int = 0
    sure: int = 0

    @property
    def whole(self) -> bool:
        """Whether it is a file that is missing, before the one that is named."""
        return self.until == 0

    @property
    def lost(self) -> int:
        """Messages that were there, or can have been."""
        return 0 if self.torn else max(0, self.end - self.first)


class Kept(NamedTuple):
    """A message in the journal: its number, its file, when it came (Unix seconds), which source's, and what it says."""

    number: int
    name: str
    wall: float
    origin: int
    topic: str
    payload: bytes


class Survey(msgspec.Struct):
    """A journal and its snapshots.

    Attributes:
        segments: in order.
        damages: in order.
        snapshots: those that can be read, the oldest first.
        refused: files of snapshots that can't, and why.
        settled: the results of all messages below this number are with the sinks.
    """

    segments: list[Segment]
    damages: list[Damage]
    snapshots: list[Snapshot]
    refused: dict[str, str]
    settled: int

    @property
    def since(self) -> int:
        """Number of the first message that a start would do again."""
        if self.snapshots:
            return self.snapshots[-1].sequence
        return self.segments[0].first if self.segments else 0

    def harm(self, damage: Damage) -> range:
        """Numbers of the messages lost by a damage that are in no snapshot either."""
        return range(max(damage.first, self.since), max(damage.first, damage.end, self.since) if damage.lost else 0)


def surveyed(disk: Disk) -> Survey:
    """Look through all of it.

    Raises:
        OSError: a file can't be read.
    """
    walk = _Walk()
    names = sorted((name for name in disk.names() if ours(name)), key=number)
    for name in names:
        with suppress(FileNotFoundError):  # a daemon that runs has just dropped it: a snapshot has what was in it
            walk.file(name, disk.read(name), last=name == names[-1])
    walk.finish()
    snapshots, refused = _snapshots(disk)
    return Survey(walk.segments, walk.damages, snapshots, refused, walk.settled)


def message(disk: Disk, wanted: int) -> Kept | None:
    """The message of this number; None if there is none.

    Raises:
        OSError: a file can't be read.
    """
    names = sorted((name for name in disk.names() if ours(name) and number(name) <= wanted), key=number)
    for name in names[-1:]:
        for piece in pieces(disk.read(name), expected=number(name)):
            frame = None if isinstance(piece, Hole) else piece.frame
            if isinstance(frame, Group) and frame.first <= wanted < frame.end:
                origin, topic, payload, _ = frame.messages[wanted - frame.first]
                return Kept(wanted, name, frame.wall, origin, topic, payload)
    return None


def number(name: str) -> int:
    """Of the first message that may be in a file of this name."""
    return int(name.partition(".")[0])


class _Walk:
    """Keeps account from file to file."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.damages: list[Damage] = []
        self.settled = 0
        self._next: int | None = None
        self._open: list[Damage] = []  # how much they cost is not known before the next messages

    def file(self, name: str, data: bytes, *, last: bool) -> None:
        """The next file."""
        first = number(name)
        if self._open:
            self._close(first)
        elif self._next is not None and first > self._next:
            gap = Damage(name, 0, 0, "a file before it is missing", torn=False, first=self._next, end=first, sure=first)
            self.damages.append(gap)
        self._next = max(first, self._next or 0)
        segment = Segment(name, len(data), first, first)
        self.segments.append(segment)
        for piece in pieces(data, expected=self._next):
            if isinstance(piece, Hole):
                torn = last and not piece.vouched
                self._open.append(
                    Damage(name, piece.at, piece.end, piece.why, torn, self._next, self._next, self._next)
                )
                self.damages.append(self._open[-1])
            else:
                self._take(segment, piece.frame)
        segment.end = self._next

    def finish(self) -> None:
        """There are no more files."""
        if not self._open:
            return
        sure = max(self._open[0].first, self._open[-1].sure)
        room = sum(each.until - each.at for each in self._open if not each.torn) - HEADER.size
        self._close(sure + max(0, room // LEAST - (sure - self._open[0].first)), sure)

    def _take(self, segment: Segment, frame: Frame) -> None:
        if isinstance(frame, Group):
            self._close(frame.first)
            self._next = frame.end
            segment.messages += len(frame.messages)
            segment.begun, segment.ended = segment.begun or frame.wall, frame.wall
        elif isinstance(frame, Dispatch):
            segment.batches += 1
            for damage in self._open:
                damage.sure = max(damage.sure, frame.first + frame.count)
        elif isinstance(frame, Mark):
            self.settled = frame.settled
            for damage in self._open:
                damage.sure = max(damage.sure, frame.settled)

    def _close(self, following: int, sure: int | None = None) -> None:
        """The message behind the damages has this number: the first of them bears what is missing."""
        for index, damage in enumerate(self._open):
            damage.end = following if index == 0 else damage.first
            damage.sure = damage.end if sure is None or index else sure
        self._open.clear()


def _snapshots(disk: Disk) -> tuple[list[Snapshot], dict[str, str]]:
    found, refused = [], {}
    for name in Checkpoints(disk).names():
        data = disk.read(name)
        checkpoint = Checkpoints.decoded(data)
        if isinstance(checkpoint, Checkpoint):
            found.append(Snapshot(checkpoint.sequence, checkpoint.wall, len(data), len(checkpoint.shards)))
        else:
            refused[name] = checkpoint
    return found, refused
