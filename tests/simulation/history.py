"""What counts of all that was done: the portions behind the snapshot that was gone on from, life after life."""

from collections import deque
from collections.abc import Sequence

import msgspec

from riotd.messages import Portion


class Histories:
    """The events that led to the present state, and to each state that was ever kept.

    An event is what all shards were told at once: a batch, or the time. A life that goes on from a snapshot has the
    events that led to it; what was done behind it is as if it had never been, unless it is done again.

    Attributes:
        events: as one shard would be given them.
    """

    def __init__(self) -> None:
        self.events: list[Portion] = []
        self._led_to: dict[tuple[bytes, ...], list[Portion]] = {(): []}
        self._asked: deque[int] = deque()
        self._open = -1

    def begin(self, states: Sequence[bytes]) -> None:
        """A life goes on from these."""
        self.events = list(self._led_to[tuple(states)])
        self._asked.clear()
        self._open = -1

    def kept(self, states: Sequence[bytes]) -> None:
        """The oldest cut that was asked for is there."""
        self._led_to[tuple(states)] = self.events[: self._asked.popleft()]

    def submitted(self, shard: int, portion: Portion) -> None:
        """A shard is told something; of a batch each its part."""
        if portion.level or portion.states:
            return
        if portion.ids:
            self._add(portion)
        elif shard == 0:
            self._open = -1
            if portion.snapshot:
                self._asked.append(len(self.events))
            else:
                self.events.append(portion)

    def _add(self, portion: Portion) -> None:
        if portion.batch != self._open:
            self._open = portion.batch
            self.events.append(_unmuted(portion))
        else:
            self.events[-1] = _together(self.events[-1], _unmuted(portion))


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
    return msgspec.structs.replace(portion, mute=[], **columns)
