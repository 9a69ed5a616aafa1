"""Packs to observations and records: base fields applied, times made absolute (RFC 8428 section 4.6)."""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec
from msgspec import UNSET

from riot_tasks.errors import BadRecord
from riot_tasks.record import Record, Value, text
from riot_tasks.senml.bases import Bases, Part
from riot_tasks.senml.names import SUM
from riot_tasks.senml.usual import read
from riot_tasks.senml.wire import Draft, Entry, Pack, account
from riot_tasks.senml.wire import decode as decode_pack


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One resolved entry.

    Attributes:
        name: base name and name together.
        time: Unix seconds.
        value: None if the entry has a sum only.
        unit: empty if it has none.
        sum: integral of the values over time, in units times seconds.
        update_time: seconds until the next one comes, at most.
    """

    name: str
    time: float
    value: Value = None
    unit: str = ""
    sum: int | float | None = None
    update_time: float | None = None


def decode(payload: bytes, *, now: float) -> list[Observation]:
    """The observations of a pack, in its order.

    Args:
        payload: the JSON.
        now: Unix seconds, for relative times.

    Raises:
        BadRecord: the pack is refused as a whole; says entry and label.
    """
    pack = decode_pack(payload)
    account(payload, pack)
    return [
        Observation(base + name, time, value, unit, total, update)
        for base, name, time, value, unit, total, update in _resolved(pack, now)
    ]


def records(  # noqa: PLR0913 - what a record is made of
    payload: bytes,
    *,
    id: int,  # noqa: A002 - Record's own word
    source: str,
    now: float,
    explode: bool = False,
    meta: Collection[str] = (),
) -> list[Record]:
    """The records of a pack, in order; a new one where base name, time or update time change or a field comes again.

    Args:
        payload: the JSON.
        id: of the records.
        source: of the records; empty takes the base name, without `:/-_.` at its end.
        now: Unix seconds, for relative times.
        explode: one Record for each observation.
        meta: names of entries that are no values: they stand, as text, in the meta of all records.

    Raises:
        BadRecord: the pack is refused as a whole; says entry and label.
    """
    usual = read(payload, id=id, source=source, now=now, explode=explode, meta=meta)
    if usual is not None:
        return usual
    found = _thorough(payload, id, source, now, explode=explode)
    return _described(found, meta) if meta else found


def _thorough(payload: bytes, id: int, source: str, now: float, *, explode: bool) -> list[Record]:  # noqa: A002
    pack = decode_pack(payload)
    account(payload, pack)
    return _grouped(_resolved(pack, now), id, source, explode=explode)


def _described(records: Sequence[Record], names: Collection[str]) -> list[Record]:
    """The records with these values of any of them in the meta of all; one that has nothing else is left out."""
    said = {name: text(value) for each in records for name, value in each.values.items() if name in names}
    found = []
    for each in records:
        values = {name: value for name, value in each.values.items() if name not in said}
        if values:
            units = {name: unit for name, unit in each.units.items() if name not in said}
            found.append(Record(each.id, each.source, each.time, values, units, {**each.meta, **said}))
    return found


def _resolved(pack: Pack, now: float) -> Iterator[Part]:
    """The observations of a pack whose labels are accounted for.

    Raises:
        BadRecord: an entry is none, or there are none.
    """
    entries, bases = _opened(pack, now)
    found = False
    for index, entry in enumerate(entries):
        try:
            bases.take(entry, first=index == 0)
            if entry.v is UNSET and _only_bases(entry):
                continue
            yield bases.apply(entry)
        except ValueError as error:
            raise BadRecord(f"entry {index}: {error}") from None
        found = True
    if not found:
        raise BadRecord("not SenML: no entry has a value")


def _opened(pack: Pack, now: float) -> tuple[list[Entry], Bases]:
    """The entries, and the bases that hold before the first."""
    if not isinstance(pack, Draft):
        return pack, Bases(now, draft=False)
    bases = Bases(now, draft=True)
    version = pack.ver if pack.bver is UNSET else pack.bver
    try:
        bases.take(Entry(bn=pack.bn, bt=pack.bt, bu=pack.bu, bver=version), first=True)
    except ValueError as error:
        raise BadRecord(str(error)) from None
    return pack.e, bases


def _only_bases(entry: Entry) -> bool:
    """Whether the entry sets base fields for those after it, and is nothing itself (RFC 8428 section 5.1.7)."""
    regular = (entry.n, entry.u, entry.v, entry.t, entry.vs, entry.sv, entry.vb, entry.vd, entry.s, entry.ut)
    bases = (entry.bn, entry.bt, entry.bu, entry.bv, entry.bs, entry.bver)
    return regular.count(UNSET) == len(regular) and bases.count(UNSET) < len(bases)


def _grouped(parts: Iterable[Part], id: int, source: str, *, explode: bool) -> list[Record]:  # noqa: A002
    """The observations as records; see `records` for where a new one begins."""
    found: list[Record] = []
    values: dict[str, Value] = {}
    units: dict[str, str] = {}
    seen: set[str] = set()
    group: tuple[object, ...] = ()
    for base, name, time, value, unit, total, update in parts:
        field = name or base
        if explode or field in seen or group != (base, time, update):
            values, units, seen, group = {}, {}, set(), (base, time, update)
            meta = {"bn": base} if base else {}
            if update is not None:
                meta["ut"] = str(update)
            found.append(Record(id, source or _source(base), time, values, units, meta))
        seen.add(field)
        if value is not None:
            values[field] = value
        if total is not None:
            values[field + SUM] = total
        if unit:
            units[field] = unit
    return found


def _source(base: str) -> str:
    return base.rstrip(":/-_.")
