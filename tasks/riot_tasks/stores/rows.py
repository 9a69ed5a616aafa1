"""What a table is: rows under a partition and a key, each with a time.

All kinds do the same: a row written again is merged into the one there is, a value that is None is not written, and
values come back as they were given (a bool as a bool, bytes as bytes).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from riot_tasks.record import Value

Key = tuple[str, str]
"""A row's partition and its key in it."""


class Row(msgspec.Struct, frozen=True):
    """One row.

    Attributes:
        partition: what lies together; a range is within one.
        key: unique in its partition.
        values: column to value.
        source: whose it is; "" where the table does not say.
        time: Unix seconds; 0 where the table does not say.
    """

    partition: str
    key: str
    values: dict[str, Value]
    source: str = ""
    time: float = 0.0

    def column(self, name: str) -> Value:
        """A value; where there is none by this name, `key`, `source` and `time` are the row's own; else None."""
        if name in self.values:
            return self.values[name]
        own: dict[str, Value] = {"key": self.key, "source": self.source, "time": self.time}
        return own.get(name)


class Table(Protocol):
    """One table of a store. Any thread may call."""

    def upsert(self, rows: Sequence[Row]) -> Mapping[int, str]:
        """Write rows, all of them durable on return; gives why, by index, for those the store can never take.

        A row whose partition and key are there is merged: its values replace those of the same name. No partition
        and key come twice in `rows`.

        Raises:
            Unavailable: out of reach, full, or access refused; some of the rows may be written.
        """

    def lookup(self, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """The rows of these keys, as far as they are there.

        Raises:
            Unavailable: out of reach, or access refused.
        """

    def range(self, partition: str, start: float, end: float, *, most: int) -> Iterator[Row]:
        """The rows of a partition with start <= time < end, in the order of their times, then keys; `most` at most.

        Raises:
            Unavailable: as `lookup`.
        """

    def close(self) -> None:
        """Let go of the connection."""
