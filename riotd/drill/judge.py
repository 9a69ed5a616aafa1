"""What has become of every message: lost, doubled, out of order, with the wrong state; and for how long none came."""

from bisect import bisect_left
from collections.abc import Hashable
from typing import Final

import msgspec

_OBLIGED: Final = 1
_SEEN: Final = 2
_BACK: Final = 100
"""Equal results that are looked back at."""


class _Stream:
    """What one device, or one topic, is to give: positions in order."""

    def __init__(self) -> None:
        self.contents: list[Hashable] = []
        self.places: dict[Hashable, list[int]] = {}
        self.marks = bytearray()
        self.frontier = 0
        self.last: float | None = None

    def choose(self, key: Hashable) -> int | None:
        """The position a result is taken for: of those with its key the one nearest to what is due.

        So a result that comes again is not taken for an equal one that is to come much later. Of those behind, one
        that has not come goes first.
        """
        places = self.places.get(key)
        if places is None or len(places) == 1:
            return places[0] if places else None
        at = bisect_left(places, self.frontier)
        ahead, behind = places[at:][:1], places[max(at - _BACK, 0) : at]
        behind = [place for place in behind if not self.marks[place] & _SEEN][:1] or behind[-1:]
        return min(ahead + behind, key=lambda place: (abs(place - self.frontier), -place))


class Counts(msgspec.Struct):
    """Results so far.

    Attributes:
        heard: all of them.
        doubled: heard before.
        late: heard for the first time behind a later one of their stream.
        wrong: with another content than the reference's.
        unknown: that nobody expects.
    """

    heard: int = 0
    doubled: int = 0
    late: int = 0
    wrong: int = 0
    unknown: int = 0


class Judge:
    """Told what is to come and what comes; knows neither brokers nor clocks.

    A result counts for the position of its stream that has its key and is nearest to what is due. One that comes again
    is doubled, which at least once allows, and not late: who leaves out what he has had sees the order.

    Attributes:
        counts: of the results.
        outstanding: obliged, and not heard.
        silence: seconds, the longest a stream was silent since `mark`.
        longest: the same since the beginning.
    """

    def __init__(self) -> None:
        self.counts = Counts()
        self.outstanding = 0
        self.silence = self.longest = 0.0
        self.examples: list[str] = []
        self._streams: dict[str, _Stream] = {}

    @property
    def lost(self) -> int:
        """Obliged and not heard; at the end of a drill they are lost."""
        return self.outstanding

    def expect(self, stream: str, key: Hashable, content: Hashable = None) -> int:
        """What the stream gives next; its position. Owed only once it is obliged."""
        found = self._streams.setdefault(stream, _Stream())
        position = len(found.contents)
        found.contents.append(content)
        found.marks.append(0)
        found.places.setdefault(key, []).append(position)
        return position

    def oblige(self, stream: str, position: int) -> None:
        """The broker has acknowledged what it follows from."""
        marks = self._streams[stream].marks
        if not marks[position] & _OBLIGED:
            marks[position] |= _OBLIGED
            self.outstanding += not marks[position] & _SEEN

    def hear(self, stream: str, key: Hashable, content: Hashable = None, *, now: float) -> None:
        """A result has come."""
        counts, found = self.counts, self._streams.get(stream)
        counts.heard += 1
        position = None if found is None else found.choose(key)
        if found is None or position is None:
            counts.unknown += 1
            self._note(f"{stream}: {key} was not expected")
            return
        self._break(found, now)
        if found.contents[position] != content:
            counts.wrong += 1
            self._note(f"{stream}: {key} is {content}, the reference has {found.contents[position]}")
        if found.marks[position] & _SEEN:
            counts.doubled += 1
            return
        found.marks[position] |= _SEEN
        self.outstanding -= bool(found.marks[position] & _OBLIGED)
        if position < found.frontier:
            counts.late += 1
            self._note(f"{stream}: {key} came behind a later one")
        found.frontier = max(found.frontier, position + 1)

    def mark(self) -> None:
        """Measure the longest silence anew."""
        self.silence = 0.0

    def missing(self, most: int = 5) -> list[str]:
        """The first few that are lost, in words."""
        lost = (
            f"{name}: {key} is lost"
            for name, stream in self._streams.items()
            for key, places in stream.places.items()
            for place in places
            if stream.marks[place] == _OBLIGED
        )
        return [text for text, _ in zip(lost, range(most), strict=False)]

    def _break(self, stream: _Stream, now: float) -> None:
        if stream.last is not None:
            silent = now - stream.last
            self.silence = max(self.silence, silent)
            self.longest = max(self.longest, silent)
        stream.last = now

    def _note(self, text: str) -> None:
        if len(self.examples) < 5:
            self.examples.append(text)
