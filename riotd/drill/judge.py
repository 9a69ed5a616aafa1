"""What has become of every message: lost, doubled, out of order, with the wrong state; and for how long none came."""

from bisect import bisect_left
from collections.abc import Hashable
from typing import Final

import msgspec

_OBLIGED: Final = 1
_SEEN: Final = 2
_KEPT: Final = 5_000
"""Positions of a stream that are kept although they are settled: what comes again later is not compared any more."""
_BACK: Final = 100
"""Equal results that are looked back at."""


class _Stream:
    """What one device, or one topic, is to give: positions in order; those long heard are forgotten."""

    def __init__(self) -> None:
        self.places: dict[Hashable, list[int]] = {}
        self.frontier = 0
        self.last: float | None = None
        self.forgotten: Hashable = None
        """The last key that was."""
        self._first = 0  # position of what is not forgotten
        self._rows: list[tuple[Hashable, Hashable]] = []
        self._marks = bytearray()

    def add(self, key: Hashable, content: Hashable) -> int:
        """What comes next; its position."""
        position = self._first + len(self._rows)
        self._rows.append((key, content))
        self._marks.append(0)
        self.places.setdefault(key, []).append(position)
        return position

    def marks(self, position: int) -> int:
        """What is known of a position."""
        return self._marks[position - self._first] if position >= self._first else _OBLIGED | _SEEN

    def mark(self, position: int, what: int) -> None:
        """Note that."""
        self._marks[position - self._first] |= what

    def content(self, position: int) -> Hashable:
        """What the reference has there."""
        return self._rows[position - self._first][1]

    def forget(self) -> None:
        """Be rid of positions that are settled, all but the last; looks seldom, so that it costs nothing."""
        if self.frontier - self._first < 2 * _KEPT:
            return
        count, both = 0, _OBLIGED | _SEEN
        while count < self.frontier - self._first - _KEPT and self._marks[count] == both:
            key = self._rows[count][0]
            self.places[key].remove(self._first + count)
            if not self.places[key]:
                del self.places[key]
            self.forgotten = key
            count += 1
        del self._rows[:count], self._marks[:count]
        self._first += count

    def is_forgotten(self, key: Hashable) -> bool:
        """Whether a key was there, as far as keys are numbers that grow."""
        return isinstance(key, int) and isinstance(self.forgotten, int) and key <= self.forgotten

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
        behind = [place for place in behind if not self.marks(place) & _SEEN][:1] or behind[-1:]
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
    is doubled, which at least once allows, and not late: who leaves out what he has had sees the order. What was
    settled long ago is forgotten, so that memory is bounded; if it comes again it is doubled, where keys are numbers.

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
        return found.add(key, content)

    def oblige(self, stream: str, position: int) -> None:
        """The broker has acknowledged what it follows from."""
        found = self._streams[stream]
        if not found.marks(position) & _OBLIGED:
            found.mark(position, _OBLIGED)
            self.outstanding += not found.marks(position) & _SEEN

    def hear(self, stream: str, key: Hashable, content: Hashable = None, *, now: float) -> None:
        """A result has come."""
        counts, found = self.counts, self._streams.get(stream)
        counts.heard += 1
        position = None if found is None else found.choose(key)
        if found is not None and position is None and found.is_forgotten(key):
            counts.doubled += 1
            return
        if found is None or position is None:
            counts.unknown += 1
            self._note(f"{stream}: {key} was not expected")
            return
        self._break(found, now)
        if found.content(position) != content:
            counts.wrong += 1
            self._note(f"{stream}: {key} is {content}, the reference has {found.content(position)}")
        if found.marks(position) & _SEEN:
            counts.doubled += 1
            return
        found.mark(position, _SEEN)
        self.outstanding -= bool(found.marks(position) & _OBLIGED)
        if position < found.frontier:
            counts.late += 1
            self._note(f"{stream}: {key} came behind a later one")
        found.frontier = max(found.frontier, position + 1)
        found.forget()

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
            if stream.marks(place) == _OBLIGED
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
