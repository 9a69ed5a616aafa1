"""SenML in CBOR (RFC 8428 section 6): packs to the JSON they stand for, records to packs.

A pack in CBOR says what one in JSON says, so it is read as that JSON: one place decides what SenML is, and a pack of
five readings takes 12 µs where JSON takes 3. What JSON does not need to care about is settled here: labels that
are integers, labels that stand twice, octets, decimal fractions, numbers that are not finite or too long.

cbor2 builds whatever a tag asks for: regular expressions, e-mails, references to itself, or a decimal fraction of
a million digits, which takes a minute and a half. None of it has a place in SenML, so only decimal fractions (tag 4),
and integers of any length (tags 2, 3), are read; anything else that is tagged stays opaque.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from reprlib import repr as shortened
from typing import Any, cast

import cbor2
import orjson

from riot_tasks.errors import BadRecord
from riot_tasks.record import Record
from riot_tasks.senml import encoding
from riot_tasks.senml.numbers import HUGE, WHOLE, narrow

NUMBERS = {
    "bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6,
    "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8,
}  # fmt: skip
"""RFC 8428 table 4: a label's integer."""
_LABELS: Mapping[object, str] = {number: label for label, number in NUMBERS.items()}

_SELF_DESCRIBED = b"\xd9\xd9\xf7"
"""Tag 55799, which a file of CBOR may begin with (RFC 8949 section 3.4.6)."""
_DEPTH = 16
"""Arrays and maps within each other; SenML itself has two."""
_OPAQUE = (0, 1, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
"""The other tags for which cbor2 has a meaning."""


_BITS = 1024
"""Of a decimal fraction's parts; writing an integer in decimal takes time that grows with the square of them."""
_LONGEST = 120
"""Characters of cbor2's messages that are kept: they quote labels whole."""


class _Tagged:
    """Something that is tagged, unread."""


def _unread(_content: object, _immutable: bool) -> type[_Tagged]:  # noqa: FBT001 - as cbor2 calls it
    return _Tagged


def _fraction(content: Any, _immutable: bool) -> float:  # noqa: ANN401, FBT001 - as cbor2 calls it
    """The double next to a decimal fraction."""
    exponent, mantissa = content
    if type(exponent) is not int or type(mantissa) is not int:
        raise TypeError("exponent and mantissa must be integers")
    if max(exponent.bit_length(), mantissa.bit_length()) > _BITS:
        raise ValueError("too many digits")
    return float(f"{mantissa}e{exponent}")


_KINDS: dict[type, str] = {
    int: "int", float: "float", bool: "bool", str: "str", bytes: "bytes", type(None): "null", _Tagged: "a tagged value",
    list: "array", tuple: "array", dict: "map", cbor2.frozendict: "map", type(cbor2.undefined): "undefined",
    cbor2.CBORTag: "a tagged value", cbor2.CBORSimpleValue: "a simple value",
}  # fmt: skip
_JSON = (str, bool, type(None))
_TAGS = {**dict.fromkeys(_OPAQUE, _unread), 4: _fraction}


def to_json(payload: bytes) -> bytes:
    """The JSON that a pack in CBOR stands for.

    Its array may be of indefinite length, as in a stream (SensML), if it is all there. Labels may also be text.

    Raises:
        BadRecord: not CBOR, no array of maps, a label stands twice or must be understood and is not, a number is not
            finite, octets are where none may be.
    """
    pack = _decoded(payload.removeprefix(_SELF_DESCRIBED))
    if type(pack) is not list:
        raise BadRecord(f"not SenML: expected array, got {_kind(pack)}")
    entries = [_entry(index, entry) for index, entry in enumerate(pack)]
    try:
        return orjson.dumps(entries)
    except TypeError as error:
        raise BadRecord(f"not SenML: {error}") from None


def encode_record(record: Record) -> bytes:
    """As `riot_tasks.senml.encode_record`, in CBOR; numbers are 64-bit integers and doubles.

    Raises:
        BadRecord: as there.
    """
    return _written(encoding.compact(record))


def encode(records: Sequence[Record]) -> bytes:
    """As `riot_tasks.senml.encode`, in CBOR.

    Raises:
        BadRecord: as there.
    """
    return _written(encoding.resolved(records))


def _written(pack: encoding.Entries) -> bytes:
    try:
        return cbor2.dumps([{NUMBERS[label]: value for label, value in entry.items()} for entry in pack])
    except (cbor2.CBORError, UnicodeError) as error:
        raise BadRecord(f"can't be said in CBOR: {error}") from None


def _decoded(payload: bytes) -> object:
    stream = cbor2.CBORDecoder(BytesIO(payload), semantic_decoders=_TAGS, max_depth=_DEPTH, allow_duplicate_keys=False)
    try:
        pack = cast("object", stream.decode())
    except cbor2.CBORDecodeEOF:
        raise BadRecord("not CBOR: it ends too early" if payload else "empty payload") from None
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise BadRecord(f"not CBOR: {_reason(error)}") from None
    try:
        stream.read(1)
    except cbor2.CBORDecodeEOF:
        return pack
    raise BadRecord("not CBOR: more follows after its end")


def _entry(index: int, entry: object) -> dict[str, object]:
    """An entry with text labels and values that JSON has, without what nobody knows."""
    if type(entry) is not dict:
        raise BadRecord(f"entry {index}: expected map, got {_kind(entry)}")
    known: dict[str, object] = {}
    for label, value in entry.items():
        name = _LABELS.get(label) if type(label) is int else _named(index, label)
        if name is None:
            continue
        if name in known:
            raise BadRecord(f"entry {index}: {name!r}: the label stands twice")
        known[name] = value if _is_plain(name, value) else _value(f"entry {index}: {name}", name, value)
    return known


def _named(index: int, label: object) -> str | None:
    """A label that is no integer, if it is known."""
    if type(label) is not str:
        raise BadRecord(f"entry {index}: expected a label of type int or str, got {_kind(label)}")
    if label in NUMBERS:
        return label
    if label.endswith("_"):
        raise BadRecord(f"entry {index}: {shortened(label)}: must be understood (RFC 8428 section 4.4) and is not")
    return None


def _is_plain(name: str, value: object) -> bool:
    """Whether the JSON has the value as it is; most are."""
    if type(value) is float:
        return -HUGE <= value <= HUGE
    if type(value) is int:
        return -WHOLE <= value < WHOLE
    return name != "vd" and type(value) in _JSON


def _value(where: str, name: str, value: object) -> object:
    """What the JSON has for any other value."""
    if isinstance(value, bytes) and name == "vd":
        return encoding.base64url(value)
    if isinstance(value, int | float):
        try:
            return narrow(value)
        except ValueError as error:
            raise BadRecord(f"{where}: {error}") from None
    wanted = "bytes" if name == "vd" else "a number, a text or a boolean"
    raise BadRecord(f"{where}: expected {wanted}, got {_kind(value)}")


def _kind(value: object) -> str:
    return _KINDS.get(value if isinstance(value, type) else type(value), "something else")


def _reason(error: BaseException) -> str:
    """What cbor2 says, and what it says that comes from; not all of a text of the payload."""
    said = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
    return said if len(said) <= _LONGEST else said[:_LONGEST] + "…"
