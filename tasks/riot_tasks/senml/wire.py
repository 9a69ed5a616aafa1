"""The JSON of a pack: decoded with types, every label accounted for.

msgspec neither sees a label that stands twice nor one it does not know, and both matter (RFC 8428 section 4.4). Each
label and each text is two quotation marks, so the marks that what was decoded would have are counted against those of
the payload; if they differ, the pack is read again, strictly (about 10 µs more).
"""

import json
import re
from collections.abc import Callable
from reprlib import repr as shortened
from typing import Annotated, Any, cast

import msgspec
import orjson
from msgspec import UNSET, Meta, UnsetType

from riot_tasks.errors import BadRecord
from riot_tasks.senml.numbers import WHOLE, number

Number = Annotated[int, Meta(ge=-WHOLE, le=WHOLE - 1)] | float | str | UnsetType
Time = float | str | UnsetType


class Entry(msgspec.Struct, gc=False):
    """One JSON object of a pack, as it stands there. `sv`, and `bv` as a boolean, are the draft's."""

    n: str | UnsetType = UNSET
    u: str | UnsetType = UNSET
    v: Number = UNSET
    bn: str | UnsetType = UNSET
    bt: Time = UNSET
    t: Time = UNSET
    vs: str | UnsetType = UNSET
    sv: Number = UNSET
    vb: bool | UnsetType = UNSET
    vd: str | UnsetType = UNSET
    s: Number = UNSET
    ut: Time = UNSET
    bu: str | UnsetType = UNSET
    bv: Number | bool = UNSET
    bs: Number = UNSET
    bver: int | UnsetType = UNSET


class Draft(msgspec.Struct, gc=False):
    """The older form: bases outside, entries in `e`."""

    e: list[Entry]
    bn: str | UnsetType = UNSET
    bt: Time = UNSET
    bu: str | UnsetType = UNSET
    ver: int | UnsetType = UNSET
    bver: int | UnsetType = UNSET


Pack = list[Entry] | Draft

_typed: Callable[[bytes], Pack] = msgspec.json.Decoder(Pack).decode
_written: Callable[[Pack], bytes] = msgspec.json.Encoder().encode
_LABELS = frozenset(Entry.__struct_fields__ + Draft.__struct_fields__)
_PLACE = re.compile(r"(?:\.e)?(?:\[(\d+)\])?\.?(.*)", re.DOTALL)


def decode(payload: bytes) -> Pack:
    """The pack in a payload; labels not yet accounted for, see `account`.

    Raises:
        BadRecord: not JSON, or not SenML; says where.
    """
    try:
        return _typed(payload)
    except msgspec.ValidationError as error:
        return _mended(payload, error)
    except (ValueError, RecursionError) as error:
        raise BadRecord(_reason(payload, error)) from None


def account(payload: bytes, pack: Pack) -> None:
    """Refuse a pack with a label that stands twice, or that must be understood and is not.

    Raises:
        BadRecord: there is one; names entry and label.
    """
    if _written(pack).count(b'"') == payload.count(b'"') and b"\\u0022" not in payload:
        return
    try:
        _strict(payload)
    except (ValueError, RecursionError) as error:
        raise BadRecord(_reason(payload, error)) from None


def _mended(payload: bytes, error: msgspec.ValidationError) -> Pack:
    """Decode once more with wide integers as doubles: all else that msgspec refuses, RFC 8428 section 5 does too."""
    try:
        return _typed(orjson.dumps(_strict(payload)))
    except (ValueError, TypeError, RecursionError):
        raise BadRecord(_reason(payload, error)) from None


def _strict(payload: bytes) -> Any:  # noqa: ANN401 - what JSON gives
    """The payload as plain data, known labels only."""
    data = json.loads(
        payload.decode(), object_pairs_hook=tuple, parse_int=number, parse_float=number, parse_constant=number
    )
    if isinstance(data, list):
        return [_unique(item, f"entry {index}: ") for index, item in enumerate(data)]
    whole = _unique(data, "")
    if isinstance(whole, dict) and isinstance(whole.get("e"), list):
        whole["e"] = [_unique(item, f"entry {index}: ") for index, item in enumerate(whole["e"])]
    return whole


def _unique(item: object, where: str) -> object:
    """A JSON object, which comes as a tuple of pairs, as a dict of its known labels; anything else as it is."""
    if not isinstance(item, tuple):
        return item
    known: dict[str, object] = {}
    seen: set[str] = set()
    for label, value in cast("tuple[tuple[str, object], ...]", item):
        if label in seen:
            raise BadRecord(f"{where}{shortened(label)}: the label stands twice")
        if label.endswith("_"):
            raise BadRecord(f"{where}{shortened(label)}: must be understood (RFC 8428 section 4.4) and is not")
        seen.add(label)
        if label in _LABELS:
            known[label] = value
    return known


def _reason(payload: bytes, error: Exception) -> str:
    """What msgspec or json says, the place in SenML's words."""
    if not payload.strip():
        return "empty payload"
    if isinstance(error, RecursionError):
        return "not SenML: nested too deeply"
    what = str(error).replace("`", "")
    if not isinstance(error, msgspec.ValidationError):
        return f"not JSON: {what.removeprefix('JSON is malformed: ')}"
    what, _, place = what.partition(" - at $")
    match = _PLACE.fullmatch(place)
    entry, label = match.groups() if match else ("", "")
    where = [f"entry {entry}"] if entry else [] if label else ["not SenML"]
    return ": ".join([*where, *filter(None, [label]), what[:1].lower() + what[1:]])
