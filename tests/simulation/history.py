"""What counts of all that was done: the portions behind the snapshot that was gone on from, life after life."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from unittest.mock import patch

import msgspec

from riotd.messages import Cut, Portion
from riotd.pump import Ends
from riotd.pump.flights import Flight, Flights


class Histories:
    """The events that led to the present state, and to each state that was ever kept.

    An event is what all shards were told at once: a batch, or the time. A life that goes on from a snapshot has the
    events that led to it; what was done behind it is as if it had never been, unless it is done again.

    Attributes:
        events: as one shard would be given them.
    """

    def __init__(self) -> None:
        self.events: list[Portion] = []
        self._led_to: dict[tuple[int, bytes], list[Portion]] = {}
        self._asked: deque[int] = deque()

    def begin(self, sequence: int, states: Sequence[bytes]) -> None:
        """A life goes on from these; the first one from none."""
        self.events = list(self._led_to[sequence, b"".join(states)]) if states else []
        self._asked.clear()

    def kept(self, sequence: int, states: Sequence[bytes]) -> None:
        """The oldest cut that was asked for is there."""
        self._led_to[sequence, b"".join(states)] = self.events[: self._asked.popleft()]

    def started(self, portions: Mapping[int, Portion]) -> None:
        """What the shards are told next, each its part."""
        told = [_unmuted(portion) for _, portion in sorted(portions.items()) if not portion.states]
        if not told:
            return
        if told[0].snapshot:
            self._asked.append(len(self.events))
        else:
            self.events.append(reduce(_together, told))


@contextmanager
def watched(histories: Histories) -> Iterator[None]:
    """Have them told of all that pumps launch, and of the cuts that come of it."""
    start, cut = Flights.start, Ends.cut

    def started(flights: Flights, flight: Flight, portions: dict[int, Portion]) -> None:
        histories.started(portions)
        start(flights, flight, portions)

    def kept(ends: Ends, sequence: int, states: list[bytes]) -> Cut:
        if states:
            histories.kept(sequence, states)
        return cut(ends, sequence, states)

    with patch.object(Flights, "start", started), patch.object(Ends, "cut", kept):
        yield


def _unmuted(portion: Portion) -> Portion:
    muted = frozenset(portion.mute)
    return _chosen(portion, [at for at, number in enumerate(portion.ids) if number not in muted])


def _together(one: Portion, other: Portion) -> Portion:
    columns = {
        name: [*getattr(one, name), *getattr(other, name)] for name in ("ids", "keys", "payloads", "topics", "origins")
    }
    both = msgspec.structs.replace(one, **columns)
    return _chosen(both, sorted(range(len(both.ids)), key=both.ids.__getitem__))


def _chosen(portion: Portion, places: Sequence[int]) -> Portion:
    columns = {}
    for name in ("ids", "keys", "payloads", "topics", "origins"):
        column = getattr(portion, name)
        columns[name] = [column[at] for at in places] if column else []
    return msgspec.structs.replace(portion, mute=[], shards=1, table=b"", **columns)
