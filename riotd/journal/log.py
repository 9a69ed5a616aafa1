"""The log: frames in segment files, appended and read again; one caller at a time, everything blocking.

Segments are named by the first sequence number that may be in them, so that what is no longer needed can be removed
file by file. A segment is wholly on disk before the next one begins: only the last can have a torn tail.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from riotd.journal.damage import damaged, missing
from riotd.journal.disk import Disk
from riotd.journal.frames import Dispatch, Found, Frame, Group, Identity, Mark, Tick, Wrong, identity, packed, scan

_SUFFIX = ".journal"
_TAIL = 65_535
"""Messages that may be unacknowledged at a time: MQTT has no more packet identifiers."""


class _Place(NamedTuple):
    """Where a group is: its segment, the offsets of its two ends; and the number behind its last message."""

    segment: str
    at: int
    end: int
    next: int


class _Segment(msgspec.Struct):
    """A segment file.

    Attributes:
        name: of the file.
        first: no sequence number in it is lower.
        size: bytes.
    """

    name: str
    first: int
    size: int


class Log:
    """Frames in the order they were appended.

    Args:
        disk: the folder; other files in it are left alone.
        segment: bytes after which a new file is begun.

    Attributes:
        next: sequence number of the next message.
        settled: the last mark: results of all messages below it are with the sinks.
        tail: the last messages that were there when it was opened: those whose acknowledgement may not have arrived.
            What they are known by, since themselves they take 30 MB; whoever has taken note of it may clear it.
        cut: bytes of a torn tail that `open` has cut off.

    Raises:
        OSError: from any method; a failed append has left nothing behind, or the next append removes it.
    """

    def __init__(self, disk: Disk, *, segment: int = 64 * 2**20) -> None:
        self.next = self.settled = self.cut = 0
        self.tail: deque[Identity] = deque(maxlen=_TAIL)
        self._disk, self._limit = disk, segment
        self._segments: list[_Segment] = []
        self._synced = 0
        self._loose: list[Frame] = []  # written since the last sync: written again if a sync fails
        self._unclean = False

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(segment.size for segment in self._segments)

    @property
    def first(self) -> int:
        """The lowest sequence number that may still be there."""
        return self._segments[0].first if self._segments else self.next

    def open(self, *, start: int = 0, needed: int | None = None) -> None:
        """Find what is there; a torn tail is cut off.

        Args:
            start: sequence number to begin with if there is nothing.
            needed: messages from this number on must not be missing between others; None is none.

        Raises:
            DamagedError: elsewhere than in the tail, or a file with messages that are needed is gone.
        """
        self._segments = sorted(
            (_Segment(name, int(name.removesuffix(_SUFFIX)), 0) for name in self._disk.names() if ours(name)),
            key=lambda segment: segment.first,
        )
        self.next = self.settled = start
        groups: deque[_Place] = deque()
        for segment in self._segments:
            if segment is not self._segments[0] and needed is not None and segment.first > max(self.next, needed):
                raise missing(segment.name, max(self.next, needed), segment.first)
            self._look(segment, groups, last=segment is self._segments[-1])
        self._note_last(groups)
        if self._segments:
            self._disk.sync(self._segments[-1].name)
            self._synced = self._segments[-1].size

    def append(self, frames: Iterable[Frame], *, sync: bool) -> None:
        """Write frames at the end; with `sync` return when they, and all before them, are on disk."""
        frames, again = list(frames), self._clean() if self._unclean else ()
        if not self._segments or (self._is_full() and not again):
            self._begin_segment()
        segment = self._segments[-1]
        data = b"".join([packed(frame, self._synced) for frame in (*again, *frames)])
        self._unclean = True
        self._disk.append(segment.name, data)
        if sync:
            self._disk.sync(segment.name)
        self._unclean = False
        segment.size += len(data)
        self._loose += frames
        if sync:
            self._synced = segment.size
            self._loose.clear()
        for frame in frames:
            self._note(frame)

    def read(self, *, since: int = 0) -> Iterator[Frame]:
        """The frames of messages from a sequence number on, and what came behind the last batch before them.

        Groups and batches that begin before it are cut to what is asked for: suspects are done again one by one, so a
        snapshot may lie within a batch.

        Raises:
            DamagedError: a segment is not what it was when it was opened.
        """
        nexts = [segment.first for segment in self._segments[1:]]
        wanted = [
            (segment.name, segment.size)
            for segment, following in zip(self._segments, [*nexts, math.inf], strict=False)
            if following > since
        ]
        return self._frames(wanted, since)  # what is appended from now on is not among them

    def prune(self, needed: int) -> None:
        """Remove the segments in which there is nothing from this sequence number on; never the last.

        The one before it stays too if the two are no larger than two should be: the acknowledgements of its messages
        may have been lost.
        """
        if self._is_full():
            self._begin_segment()  # else it would stay, however large it is
        while len(self._segments) > 1 and self._segments[1].first <= needed:
            if len(self._segments) == 2 and self.size <= 2 * self._limit:
                break
            self._disk.remove(self._segments[0].name)
            del self._segments[0]

    def forget(self) -> None:
        """Remove everything; the next message goes on with its number."""
        for segment in self._segments:
            self._disk.remove(segment.name)
        self._segments.clear()
        self._loose.clear()
        self._unclean = False

    def _frames(self, segments: Iterable[tuple[str, int]], since: int) -> Iterator[Frame]:
        begun = False
        for name, size in segments:
            for found in scan(self._disk.read(name)[:size]):
                if isinstance(found, Wrong):
                    raise damaged(name, found)
                frame = found.frame
                if isinstance(frame, Group) and frame.end > since:
                    yield _cut_to(frame, since)
                elif isinstance(frame, Dispatch):
                    end = frame.first + frame.count
                    begun = begun or end >= since
                    if end > since:
                        yield frame if frame.first >= since else Dispatch(since, end - since, frame.now)
                elif isinstance(frame, Tick) and begun:
                    yield frame

    def _note_last(self, groups: Iterable[_Place]) -> None:
        """What the messages in these are known by, one group in memory at a time."""
        for name, places in groupby(groups, key=lambda place: place.segment):
            data = memoryview(self._disk.read(name))
            for place in places:
                for found in scan(data[place.at : place.end]):
                    if isinstance(found, Found) and isinstance(found.frame, Group):
                        self.tail.extend(identity(*row) for row in found.frame.messages)

    def _look(self, segment: _Segment, groups: deque[_Place], *, last: bool) -> None:
        """Take note of what a segment has, with the groups that the last messages are in; cut off its torn tail."""
        data = self._disk.read(segment.name)
        segment.size = len(data)
        self.next = max(self.next, segment.first)
        for found in scan(data):
            if isinstance(found, Wrong):
                if found.vouched or not last:
                    raise damaged(segment.name, found)
                self._disk.cut(segment.name, found.at)
                self.cut, segment.size = len(data) - found.at, found.at
            else:
                self._note(found.frame)
                if isinstance(found.frame, Group):
                    groups.append(_Place(segment.name, found.at, found.end, found.frame.end))
                    while self.next - groups[0].next >= _TAIL:
                        groups.popleft()

    def _note(self, frame: Frame) -> None:
        if isinstance(frame, Group):
            self.next = frame.end
        elif isinstance(frame, Mark):
            self.settled = frame.settled

    def _is_full(self) -> bool:
        """Whether the last segment is as large as it should be, and the next would have another name."""
        return bool(self._segments and self._segments[-1].size >= self._limit and self._segments[-1].first < self.next)

    def _begin_segment(self) -> None:
        if self._segments:
            self._unclean = True  # a sync that fails may have lost what it was to keep
            self._disk.sync(self._segments[-1].name)
            self._unclean = False
            self._synced = self._segments[-1].size
            self._loose.clear()
        name = f"{self.next:020d}{_SUFFIX}"
        self._disk.append(name, b"")
        self._disk.sync_names()
        self._segments.append(_Segment(name, self.next, 0))
        self._synced = 0

    def _clean(self) -> Sequence[Frame]:
        """Remove what a failed append has left, and what a failed sync may have lost; gives what to write again.

        That stays known until it is written: this time, too, may fail.
        """
        segment = self._segments[-1]
        self._disk.cut(segment.name, self._synced)
        segment.size = self._synced
        return tuple(self._loose)


def ours(name: str) -> bool:
    """Whether a file is a segment."""
    return name.endswith(_SUFFIX) and name.removesuffix(_SUFFIX).isdigit()


def _cut_to(group: Group, since: int) -> Group:
    if group.first >= since:
        return group
    return Group(since, group.wall, group.messages[since - group.first :])
