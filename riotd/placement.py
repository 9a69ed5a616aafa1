"""Which shard has which key-group, and which groups go where when the number of shards changes."""

from collections import Counter
from functools import cache
from itertools import cycle
from typing import NamedTuple

import msgspec

GROUPS = 128
"""Key-groups: these, not single keys, are placed on shards, so that a table of 128 says where everything is."""
EVERYWHERE = GROUPS
"""In the place of a key-group: what every shard has, as instances of tasks that serve all keys (`Task.shared`)."""


class Transfer(NamedTuple):
    """State that goes from one shard to another.

    Attributes:
        group: the key-group it is of, or `EVERYWHERE`, for a copy of what every shard has.
        source: the shard that has it.
        target: the shard that gets it.
    """

    group: int
    source: int
    target: int


class Placement(msgspec.Struct, frozen=True):
    """Where the key-groups are.

    Attributes:
        shards: how many there are, 1 to 128; one may be there that has no group.
        table: of each key-group its shard.
    """

    shards: int
    table: bytes

    @property
    def told(self) -> bytes:
        """The table, as far as it must be said: nothing where it is what `even` gives."""
        return b"" if self.table == even(self.shards) else self.table

    @property
    def groups(self) -> list[int]:
        """Of each shard, how many key-groups it has."""
        counts = Counter(self.table)
        return [counts[shard] for shard in range(self.shards)]

    def after(self, transfer: Transfer) -> "Placement":
        """The same with a group in its new place."""
        if transfer.group == EVERYWHERE:
            return self
        table = bytearray(self.table)
        table[transfer.group] = transfer.target
        return Placement(self.shards, bytes(table))


@cache
def even(shards: int) -> bytes:
    """The table that holds where no other is said: group modulo shards."""
    return bytes(group % shards for group in range(GROUPS))


def placed(shards: int) -> Placement:
    """The placement that holds where no other is said."""
    return Placement(shards, even(shards))


def moves(present: Placement, shards: int) -> list[Transfer]:
    """What must move so that so many shards have equal shares, to a group; as few groups as possible.

    The receivers take turns, so that none is behind the others while it goes on.
    """
    counts = Counter(present.table)
    share, over = divmod(GROUPS, shards)
    ranked = sorted(range(shards), key=lambda shard: (-counts[shard], shard))  # who has most keeps the odd ones
    quota = {shard: share + (rank < over) for rank, shard in enumerate(ranked)}
    leaving = []
    for group in reversed(range(GROUPS)):
        shard = present.table[group]
        if counts[shard] > quota.get(shard, 0):
            counts[shard] -= 1
            leaving.append(group)
    found = []
    receivers = cycle(range(shards))
    for group in reversed(leaving):
        target = next(shard for shard in receivers if counts[shard] < quota[shard])
        counts[target] += 1
        found.append(Transfer(group, present.table[group], target))
    return found
