"""Blocks of lines, cut into portions for shards."""

from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter
from typing import NamedTuple

from riotd.bounded.keys import SEVERAL, Keys
from riotd.bounded.reading import Block
from riotd.messages import Portion
from riotd.partitioning import key_group

_KEPT = 65_536
"""Keys whose shard is remembered; then all are forgotten."""


class Cut(NamedTuple):
    """What travels together; its results are written before those of the next.

    Attributes:
        number: 0, 1, 2, ...
        portions: each with its shard, in the order of the shards.
        messages: lines in them.
        bytes: of these.
        began: `perf_counter` when they had been read.
        hasty: whether the results are wanted before more is read.
        mixed: whether messages of several devices have one id.
    """

    number: int
    portions: list[tuple[int, Portion]]
    messages: int
    bytes: int
    began: float
    hasty: bool = False
    mixed: bool = False


class Cutter:
    """Cuts successive blocks; blank lines are left out, but counted in the numbers that become the ids.

    Args:
        keys_of: the keys of lines.
        shards: numbers of the shards there are for it.
        now: Unix seconds, for lines that say no time.

    Attributes:
        unnamed: lines without a key.
    """

    def __init__(self, keys_of: Keys, *, shards: Sequence[int], now: float) -> None:
        self.unnamed = 0
        self._keys_of, self._shards, self._now = keys_of, tuple(shards), now
        self._known: dict[str, int] = {}
        self._number = 0

    def cut(self, blocks: Iterable[Block]) -> Iterator[Cut]:
        """The cuts of blocks."""
        for first, lines, _ in blocks:
            ids = list(range(first, first + len(lines)))
            if not all(lines):
                ids = [number for number, line in zip(ids, lines, strict=True) if line]
                lines = [line for line in lines if line]  # noqa: PLW2901 - the rest of the block
            if lines:
                keys = self._keys_of(lines)
                if SEVERAL in keys:
                    yield self._several(ids, keys, lines)
                else:
                    yield self.of(ids, keys, lines)

    def of(self, ids: list[int], keys: list[str], payloads: list[bytes], *, hasty: bool = False) -> Cut:
        """One cut of messages; takes the lists over."""
        number, self._number = self._number, self._number + 1
        self.unnamed += keys.count("")
        if len(self._shards) == 1:
            portions = [(self._shards[0], Portion(number, self._now, ids, keys, payloads))]
        else:
            portions = self._split(number, ids, keys, payloads)
        return Cut(number, portions, len(ids), sum(map(len, payloads)), perf_counter(), hasty)

    def _several(self, ids: list[int], keys: list[str], lines: list[bytes]) -> Cut:
        """A cut with lines that speak for several devices: a message for each of these, all of the line's number."""
        messages = [
            (number, *message)
            for number, key, line in zip(ids, keys, lines, strict=True)
            for message in (self._keys_of.apart(line, self._now) if key == SEVERAL else [(key, line)])
        ]
        numbers, owners, payloads = map(list, zip(*messages, strict=True))
        return self.of(numbers, owners, payloads)._replace(messages=len(lines), mixed=True)

    def end(self) -> list[tuple[int, Portion]]:
        """What tells the shards that nothing follows."""
        return [(shard, Portion(-1, self._now, [], [], [])) for shard in self._shards]

    def _split(self, number: int, ids: list[int], keys: list[str], payloads: list[bytes]) -> list[tuple[int, Portion]]:
        known = self._known
        if len(known) > _KEPT:
            known.clear()
        portions = [Portion(number, self._now, [], [], []) for _ in self._shards]
        for message, key, payload in zip(ids, keys, payloads, strict=True):
            index = known.get(key)
            if index is None:
                index = known[key] = key_group(key) % len(portions)
            portion = portions[index]
            portion.ids.append(message)
            portion.keys.append(key)
            portion.payloads.append(payload)
        return [(shard, each) for shard, each in zip(self._shards, portions, strict=True) if each.ids]
