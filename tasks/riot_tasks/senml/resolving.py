"""Packs to observations and records: base fields applied, times made absolute (RFC 8428 section 4.6)."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import UNSET

from riot_tasks.errors import BadRecord
from riot_tasks.record import Record, Value
from riot_tasks.senml.bases import Bases, Part
from riot_tasks.senml.names import NAMES, SUM, TAILS, is_name, is_tail
from riot_tasks.senml.numbers import LATEST, RELATIVE
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


def records(payload: bytes, *, id: int, source: str, now: float, explode: bool = False) -> list[Record]:  # noqa: A002 - Record's own word
    """The records of a pack, in order; a new one where base name, time or update time change or a field comes again.

    Args:
        payload: the JSON.
        id: of the records.
        source: of the records; empty takes the base name, without `:/-_.` at its end.
        now: Unix seconds, for relative times.
        explode: one Record for each observation.

    Raises:
        BadRecord: the pack is refused as a whole; says entry and label.
    """
    pack = decode_pack(payload)
    if not explode and type(pack) is list:
        plain = _plain(payload, pack, id, source, now)
        if plain is not None:
            return [plain]
    account(payload, pack)
    return _grouped(_resolved(pack, now), id, source, explode=explode)


def _plain(payload: bytes, pack: list[Entry], id: int, source: str, now: float) -> Record | None:  # noqa: A002
    """The one Record of a pack whose every entry is n, v and perhaps u, the first also bn and bt; None if it is not.

    2.6 µs for five entries, decoding included, where the general way takes 9. The count of quotation marks shows that
    there is nothing else in it: an entry with another label, or one without its name, has more or fewer of them.
    """
    values: dict[str, Value] = {}
    units: dict[str, str] = {}
    unset = UNSET
    for entry in pack:
        name, value, unit = entry.n, entry.v, entry.u
        if value is unset or name is unset:
            return None
        values[name] = value
        if unit is not unset and unit:  # an empty one is none, and left to the general way
            units[name] = unit
    if len(values) != len(pack) or not values:
        return None
    base, time = pack[0].bn, pack[0].bt
    marks = 6 * len(values) + 4 * len(units)
    meta: dict[str, str] = {}
    if base is not unset:
        if base in values or not (base in NAMES or is_name(base)):
            return None
        meta["bn"] = base
        marks += 4
    if time is unset:
        time = now
    elif type(time) is float and RELATIVE <= time <= LATEST:
        marks += 2
    else:
        return None
    if marks != payload.count(b'"') or not _all_good(values, whole=base is unset):
        return None
    return Record(id, source or _source(meta.get("bn", "")), time, values, units, meta)


def _all_good(names: Iterable[str], *, whole: bool) -> bool:
    """Whether all may be names: whole ones, or after a base name."""
    if whole:
        return NAMES.issuperset(names) or all(map(is_name, names))
    return TAILS.issuperset(names) or all(map(is_tail, names))


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
