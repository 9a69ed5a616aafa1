"""A history in a table: from when to when it goes, and stretches of time that workers read side by side."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import msgspec

from riot_tasks.record import Record
from riot_tasks.stores import tables
from riot_tasks.stores.rows import Row, Table
from riotd.errors import ConfigError, Mistake
from riotd.training.reading import Reading

PAGE = 20_000
"""Rows that are read at once."""
SAMPLE = 1000
"""Rows that are looked at."""

_INSTANT = 1e-3
"""Seconds: the precision of times in rows' keys."""
_PRECISION = 0.5
"""Seconds to which the ends of a history are found."""
_PIECE = 2**42
"""Places of a piece: as many rows as it may have."""


class Place(msgspec.Struct, frozen=True):
    """Where rows are.

    Attributes:
        store: the URL of a store of tables.
        table: the table's name.
        partition: what in it.
        credentials: a reference to what opens it; None is the environment.
    """

    store: str
    table: str
    partition: str = "all"
    credentials: Mapping[str, str] | None = None

    def check(self) -> None:
        """Look whether it can be what it says.

        Raises:
            ConfigError: it is no store, or what it needs is not there.
        """
        try:
            tables.check(self.store, self.table, self.credentials, reading=True)
        except ValueError as error:
            raise ConfigError([Mistake("inputs", str(error))]) from error
        if self.store.startswith("memory:"):
            what = f"{self.store} is one process's own, and the history is read by several"
            raise ConfigError([Mistake("inputs", what, "give a sqlite:// or aztable:// store")])

    def opened(self) -> Table:
        """The table; raises Unavailable if it is out of reach."""
        return tables.table(self.store, self.table, self.credentials)


class TablePiece(msgspec.Struct, frozen=True):
    """A stretch of time in a table; keeps `riotd.training.reading.Piece`.

    Attributes:
        place: where.
        number: of the stretch, in the order of time.
        start: Unix seconds.
        end: the first that is not in it.
    """

    place: Place
    number: int
    start: float
    end: float

    def readings(self) -> Iterator[Reading]:
        """As `Piece`."""
        for count, row in enumerate(paged(self.place.opened(), self.place.partition, self.start, self.end)):
            yield Reading(self.number * _PIECE + count, row.time, row.values)


def paged(table: Table, partition: str, start: float, end: float, *, page: int = PAGE) -> Iterator[Row]:
    """The rows of a stretch in the order of their times, little more than a page of them in memory.

    A stretch with more is read as two halves. It can't be gone on with behind the last row: where there are more rows
    than are asked for, Azure gives any of them. What is shorter than `_INSTANT` is not halved, but taken as it is.
    """
    rows = list(table.range(partition, start, end, most=page))
    if len(rows) < page:
        yield from rows
    elif end - start < _INSTANT:
        yield from paged(table, partition, start, end, page=page * 4)
    else:
        middle = (start + end) / 2
        yield from paged(table, partition, start, middle, page=page)
        yield from paged(table, partition, middle, end, page=page)


def extent(table: Table, partition: str, since: float, until: float) -> tuple[float, float] | None:
    """From when to when there are rows in a stretch of time, to half a second; None if there are none.

    Found by halving, since a table only tells what is in a stretch: 35 short questions for fifty years.
    """

    def anything(start: float, end: float) -> bool:
        return any(True for _ in table.range(partition, start, end, most=1))

    if not anything(since, until):
        return None
    first, high = since, until
    while high - first > _PRECISION:
        middle = (first + high) / 2
        first, high = (first, middle) if anything(first, middle) else (middle, high)
    low, last = first, until
    while last - low > _PRECISION:
        middle = (low + last) / 2
        low, last = (middle, last) if anything(middle, last) else (low, middle)
    return first, last


def pieces(place: Place, first: float, last: float, count: int) -> list[TablePiece]:
    """So many equal stretches of the time from `first` up to, but without, `last`."""
    cuts = [first + (last - first) * number / count for number in range(count)] + [last]
    return [TablePiece(place, number, start, end) for number, (start, end) in enumerate(pairwise(cuts)) if start < end]


def sample(table: Table, partition: str, first: float, last: float) -> list[Record]:
    """The first rows, as records."""
    rows = table.range(partition, first, last, most=SAMPLE)
    return [Record(0, row.source, row.time, row.values) for row in rows]
