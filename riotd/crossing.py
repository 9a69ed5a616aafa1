"""Records between shards: the keys that say where they go, and the rows that travel."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from riot_tasks.errors import BadRecord
from riot_tasks.record import Record, text
from riotd.messages import Crossing
from riotd.partitioning import key_group
from riotd.segments import Step

SEPARATOR = "\x1f"
"""Between the parts of a key; no name of a field or a device has it."""

_Row = tuple[str, str, int, str, float, dict[str, Any], dict[str, str], dict[str, str]]
"""Key where it comes from, key where it goes, and the record."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_Row]).decode


class Arrival(NamedTuple):
    """A record that has come to a stage of another key.

    Attributes:
        id: of its message.
        origin: the key it had, where that decides the order among records of one message; else "".
        key: the one it has now.
        record: itself.
    """

    id: int
    origin: str
    key: str
    record: Record


class Refused(NamedTuple):
    """A record that can't pass on, and why."""

    record: Record
    reason: str


def key_of(parts: Sequence[str]) -> Callable[[Record], str]:
    """What gives a record's key; it raises BadRecord where the record has none.

    Args:
        parts: as `Stage.key` has them.
    """
    if len(parts) == 1:
        return _part(parts[0])
    each = [_part(part) for part in parts]
    return lambda record: SEPARATOR.join([part(record) for part in each])


def refined(parts: Sequence[str], present: Sequence[str]) -> Callable[[Record, str], str]:
    """What gives a record's key by these parts where some of them are known from its present key, which is given."""
    known = {part: index for index, part in enumerate(present)}
    each = [(known.get(part), _part(part)) for part in parts]

    def key(record: Record, have: str) -> str:
        had = have.split(SEPARATOR) if len(present) > 1 else [have]
        return SEPARATOR.join([part(record) if index is None else had[index] for index, part in each])

    return key


class Exchange:
    """One edge of the plan: how records get from a stage, or from the messages, to a stage of another key.

    Args:
        step: the stage they go to.
        edge: the edge's number.
        late: whether what they come from may give records of one message on several shards.
    """

    def __init__(self, step: Step, edge: int, *, late: bool) -> None:
        self.level, self.edge = step.level, edge
        self._late = late
        self._key = key_of(step.key)
        self._place = placing(step)

    def arrivals(self, records: Iterable[Record], keys: Iterable[str]) -> tuple[list[Arrival], list[Refused]]:
        """The records, with the keys they had, as the stage takes them; and those without a key for it."""
        found, refused = [], []
        for record, had in zip(records, keys, strict=True):
            try:
                found.append(Arrival(record.id, had if self._late else "", self._key(record), record))
            except BadRecord as error:
                refused.append(Refused(record, str(error)))
        return found, refused

    def sent(self, arrivals: Iterable[Arrival], table: bytes) -> tuple[list[Crossing], list[Refused]]:
        """The same, packed for the shards they go to; and those that can't be written.

        Args:
            arrivals: what passes on.
            table: of each key-group its shard.
        """
        shares: dict[int, list[Arrival]] = {}
        for arrival in arrivals:
            shares.setdefault(table[key_group(self._place(arrival.key))], []).append(arrival)
        crossings, refused = [], []
        for shard, share in sorted(shares.items()):
            rows, bad = _packed(share)
            refused += bad
            crossings.append(Crossing(self.level, shard, self.edge, len(share) - len(bad), rows))
        return crossings, refused


def placing(step: Step) -> Callable[[str], str]:
    """What gives, of a stage's key, the part by which records are placed."""
    if step.placement == step.key:
        return lambda key: key
    places = [step.key.index(part) for part in step.placement]

    def place(key: str) -> str:
        parts = key.split(SEPARATOR)
        return SEPARATOR.join([parts[index] for index in places])

    return place


def received(crossings: Iterable[Crossing], edge: int) -> list[Arrival]:
    """What has come by an edge."""
    return [
        Arrival(row[2], row[0], row[1], Record(*row[2:]))
        for crossing in crossings
        if crossing.edge == edge
        for row in _decode(crossing.rows)
    ]


def split(crossings: Sequence[Crossing]) -> dict[int, list[Crossing]]:
    """The same, message by message: for the search for one that kills its worker."""
    parts: dict[int, list[Crossing]] = {}
    for crossing in crossings:
        rows: dict[int, list[_Row]] = {}
        for row in _decode(crossing.rows):
            rows.setdefault(row[2], []).append(row)
        for number, share in rows.items():
            part = msgspec.structs.replace(crossing, count=len(share), rows=_encode(share))
            parts.setdefault(number, []).append(part)
    return dict(sorted(parts.items()))


def _packed(share: Sequence[Arrival]) -> tuple[bytes, list[Refused]]:
    try:
        return _encode([_row(arrival) for arrival in share]), []
    except (OverflowError, UnicodeEncodeError, TypeError):
        good, refused = [], []
        for arrival in share:
            try:
                _encode(_row(arrival))
                good.append(_row(arrival))
            except (OverflowError, UnicodeEncodeError, TypeError) as error:
                refused.append(Refused(arrival.record, f"can't pass on to another key: {error}"))
        return _encode(good), refused


def _row(arrival: Arrival) -> _Row:
    record = arrival.record
    values, units, meta = record.values, record.units, record.meta
    return arrival.origin, arrival.key, record.id, record.source, record.time, values, units, meta


def _part(part: str) -> Callable[[Record], str]:
    if part == "source":
        return lambda record: record.source
    if part == "one":
        return lambda _record: ""
    return _name if part == "name" else _field(part[1:])


def _name(record: Record) -> str:
    if len(record.values) == 1:
        return next(iter(record.values))
    listed = ", ".join(list(record.values)[:5])
    what = f"this one has {len(record.values)}: {listed}"
    raise BadRecord(f"key: name is of records of one field (senml_parse with explode: true), {what}")


def _field(field: str) -> Callable[[Record], str]:
    def key(record: Record) -> str:
        value = record.values.get(field)
        if value is None:
            value = record.meta.get(field)
        if value is None:
            raise BadRecord(f"{field}: the record has no value in it, and the stage's key asks for one")
        return text(value)

    return key
