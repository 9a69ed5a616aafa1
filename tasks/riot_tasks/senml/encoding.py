"""Records to packs: compact ones of one Record, resolved ones of many (RFC 8428 sections 4.1 and 4.6)."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from operator import attrgetter
from reprlib import repr as shortened

from orjson import dumps

from riot_tasks.errors import BadRecord
from riot_tasks.record import Record, Value
from riot_tasks.senml.names import NAMES, SUM, TAILS, is_name, is_tail
from riot_tasks.senml.numbers import HUGE, LATEST, RELATIVE, WHOLE, narrow, number

_Entry = dict[str, object]
Entries = list[_Entry]
"""A pack's entries by SenML's labels; octets (`vd`) are bytes still, as JSON and CBOR write them each in its way."""

_LABELS: dict[type, str] = {str: "vs", bool: "vb"}


def encode_record(record: Record) -> bytes:
    """The compact pack of one record: base name and base time in the first entry.

    The base name is `meta["bn"]`, or else the source and ":". None values are left out.

    Raises:
        BadRecord: no field has a value; one can't be said in SenML (not finite, no SenML name, a time before 1978).
    """
    return _json(compact(record))


def encode(records: Sequence[Record]) -> bytes:
    """The resolved pack of some records: whole names, absolute times, in chronological order.

    Names begin with `meta["bn"]`, or else the source and ":". None values are left out.

    Raises:
        BadRecord: as for `encode_record`; one such record refuses them all.
    """
    return _json(resolved(records))


def compact(record: Record) -> Entries:
    """The entries of `encode_record`; errors as there, but texts and units are not looked at."""
    meta, time, units = record.meta, record.time, record.units
    base = meta.get("bn")
    if base is None:
        base = record.source + ":"
    if not RELATIVE <= time <= LATEST or not (base in NAMES or is_name(base)) or "ut" in meta:
        return _thorough(record)
    pack: Entries = []
    entry: _Entry = {"bn": base, "bt": time}
    for field, value in record.values.items():
        if value is None:
            continue
        if field not in TAILS or field == base:
            return _thorough(record)
        entry["n"] = field
        if field in units:
            entry["u"] = units[field]
        if (type(value) is float and -HUGE <= value <= HUGE) or (type(value) is int and -WHOLE <= value < WHOLE):
            entry["v"] = value
        elif type(value) in _LABELS:
            entry[_LABELS[type(value)]] = value
        else:
            return _thorough(record)
        pack.append(entry)
        entry = {}
    return pack or _thorough(record)


def resolved(records: Sequence[Record]) -> Entries:
    """The entries of `encode`; errors as for `compact`."""
    pack: Entries = []
    for record in sorted(records, key=attrgetter("time")):
        base = _base(record)
        for name, entry in _entries(record, base):
            pack.append({"n": base + name, "t": record.time} | entry)
    return _some(pack)


def _thorough(record: Record) -> Entries:
    """The compact pack of a record that has more than numbers, texts and booleans, or something wrong."""
    base = _base(record)
    start: _Entry = {"bn": base, "bt": record.time} if base else {"bt": record.time}
    pack = []
    for name, entry in _entries(record, base):
        pack.append(start | ({"n": name} if name else {}) | entry)
        start = {}
    return _some(pack)


def _some(pack: Entries) -> Entries:
    if not pack:
        raise BadRecord("no field has a value: there is nothing to encode")
    return pack


def _base(record: Record) -> str:
    base = record.meta.get("bn")
    if base is None:
        return f"{record.source}:" if record.source else ""
    return base


def _entries(record: Record, base: str) -> Iterator[tuple[str, _Entry]]:
    """Name after the base name, and unit, value, sum and update time, of each entry of a record."""
    _check(record, base)
    values = record.values
    update: _Entry = {"ut": _update(record)} if "ut" in record.meta else {}
    # a sum goes with its value; where there is none, it stands alone in its own place
    names = dict.fromkeys(field.removesuffix(SUM) for field in values)
    for name in names:
        value, total = values.get(name), values.get(name + SUM)
        if value is None and total is None:
            continue
        _check_name(name, base)
        unit = {"u": record.units[name]} if name in record.units else {}
        said = {} if value is None else _said(name, value)
        sums = {} if total is None else {"s": _number(name + SUM, total)}
        yield ("" if name == base else name), unit | said | sums | update


def _check(record: Record, base: str) -> None:
    if not RELATIVE <= record.time <= LATEST:
        raise BadRecord(f"time {record.time!r} can't be said in SenML: absolute times are from 2**28 (1978) to 1e11")
    if base and not is_name(base):
        raise BadRecord(f"base name {shortened(base)} is no SenML name (RFC 8428 section 4.5.1)")


def _check_name(name: str, base: str) -> None:
    if not (is_tail(name) if base else is_name(name)):
        raise BadRecord(f"field {shortened(name)} is no SenML name (RFC 8428 section 4.5.1)")


def _said(field: str, value: Value) -> _Entry:
    """Label and value."""
    if isinstance(value, bool):
        return {"vb": value}
    if isinstance(value, str):
        return {"vs": value}
    if isinstance(value, bytes):
        return {"vd": value}
    return {"v": _number(field, value)}


def _number(field: str, value: Value) -> int | float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadRecord(f"field {shortened(field)}: a {type(value).__name__} can't be said in SenML")
    try:
        return narrow(value if isinstance(value, int) else float(value))
    except ValueError as error:
        raise BadRecord(f"field {shortened(field)}: {error}") from None


def _update(record: Record) -> int | float:
    try:
        return number(record.meta["ut"])
    except ValueError:
        raise BadRecord(f"meta ut: {shortened(record.meta['ut'])} is not a number of seconds") from None


def _json(pack: Entries) -> bytes:
    try:
        # a copy, because orjson's own bytes keep a buffer of a kilobyte: as long as they live, 1.5 µs instead of 1.0
        return b"%b" % dumps(pack, default=base64url)
    except TypeError as error:
        raise BadRecord(f"can't be said in JSON: {error}") from None


def base64url(data: object) -> str:
    """Octets as SenML's JSON has them: base64url without padding (RFC 8428 section 4.3).

    Raises:
        TypeError: they are no bytes.
    """
    if not isinstance(data, bytes):
        raise TypeError(f"a {type(data).__name__} is no value of SenML")
    return urlsafe_b64encode(data).rstrip(b"=").decode()
