"""The packs that nearly all feeds send, read in one go: names, values and units under one base name and time.

The trap is the same as in `wire`: a label that stands twice, or that is not known here, must not pass unseen. Each
label and each text is two quotation marks; so how many those have that were read is known, and a payload with more is
read thoroughly. Whether a number was written as text, which is two marks more, msgspec does not tell; but such a one
begins with `"v":"`, and where it does not, for there are blanks, the count is off, too.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from riot_tasks.record import Record, Value, text
from riot_tasks.senml.names import NAMES, TAILS, is_name, is_tail
from riot_tasks.senml.numbers import HUGE, LATEST, RELATIVE, WHOLE, number, seconds

_Text = str | UnsetType
_Number = Annotated[int, Meta(ge=-WHOLE, le=WHOLE - 1)] | float | UnsetType
_Time = float | str | UnsetType


class _Entry(msgspec.Struct, gc=False):
    """An entry's usual labels. Others are skipped, and show in the count of marks."""

    n: _Text = UNSET
    u: _Text = UNSET
    v: _Number = UNSET
    vs: _Text = UNSET
    sv: _Text = UNSET
    bn: _Text = UNSET
    bt: _Time = UNSET


class _Draft(msgspec.Struct, gc=False):
    """The older form, with the bases outside."""

    e: list[_Entry]
    bn: _Text = UNSET
    bt: _Time = UNSET


_decode = msgspec.json.Decoder(list[_Entry] | _Draft, strict=False).decode
"""Not strict: a text becomes a number in C, 0.1 µs instead of 1, by JSON's grammar, or is nan or inf."""


def read(  # noqa: PLR0913 - what a record is made of
    payload: bytes,
    *,
    id: int,  # noqa: A002 - Record's own word
    source: str,
    now: float,
    explode: bool,
    meta: Collection[str] = (),
) -> list[Record] | None:
    """The records of a usual pack, as `resolving.records` has them; None if it is none, be it right or wrong.

    A pack of eight entries takes 4 µs, or 5 exploded; RIoTBench's with numbers as text 5 and 6, for which the
    thorough way takes 15 and 17.
    """
    try:
        pack = _decode(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pack, _Draft):
        marks, head, entries = 0, pack[0] if pack else _Entry(), pack
    else:
        marks, head, entries = 2, pack, pack.e
    values: dict[str, Value] = {}
    units: dict[str, str] = {}
    base, time = head.bn, _absolute(head.bt, now)
    marks += _gathered(entries, values, units) + 4 * (base is not UNSET) + 2 * (head.bt is not UNSET)
    if time is None or not _good(values, base) or not _accounted(payload, marks + 2 * (type(head.bt) is str), values):
        return None
    about = {"bn": base} if base else {}
    source = source or about.get("bn", "").rstrip(":/-_.")
    for name in meta:
        if name in values:
            about[name] = text(values.pop(name))
            units.pop(name, None)
    if not explode:
        return [Record(id, source, time, values, units, about)] if values else []
    none: dict[str, str] = {}
    return [
        Record(id, source, time, {name: value}, {name: units[name]} if name in units else none, about)
        for name, value in values.items()
    ]


def _gathered(entries: Sequence[_Entry], values: dict[str, Value], units: dict[str, str]) -> int:
    """Take values and units by name; the marks they have, were no number a text. No values if an entry is unusual."""
    marks = 6 * len(entries)
    for entry in entries:
        name, unit = entry.n, entry.u
        value: Value | UnsetType = entry.v
        if value is UNSET:
            value = entry.sv if entry.vs is UNSET else entry.vs
            marks += 2
        if name is UNSET or value is UNSET:
            break
        values[name] = value
        if unit is not UNSET:
            marks += 4
            if unit:
                units[name] = unit
    if len(values) < len(entries):  # also where a field comes again: another record begins
        values.clear()
    return marks


def _good(names: Collection[str], base: _Text) -> bool:
    """Whether there are names, such as RFC 8428 allows after this base name, and none that is the base name."""
    if base is UNSET:
        return bool(names) and (NAMES.issuperset(names) or all(map(is_name, names)))
    if not names or base in names or not (base in NAMES or is_name(base)):
        return False
    return TAILS.issuperset(names) or all(map(is_tail, names))


def _absolute(time: _Time, now: float) -> float | None:
    """Unix seconds of a base time, or now if there is none; None if it is a relative time, or no time."""
    if time is UNSET:
        return now
    if type(time) is float and RELATIVE <= time <= LATEST:
        return time
    try:
        found = seconds(number(time) if isinstance(time, str) else time)
    except ValueError:
        return None
    return found if found >= RELATIVE else None


def _accounted(payload: bytes, marks: int, values: Mapping[str, Value]) -> bool:
    """Whether the payload has no more marks than what was read, and all numbers are finite, which in JSON they are."""
    left = payload.count(b'"') - marks
    if not left:
        return True
    finite = all(-HUGE <= value <= HUGE for value in values.values() if type(value) is float)
    return finite and left == 2 * payload.count(b'"v":"')
