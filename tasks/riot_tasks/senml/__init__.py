"""SenML (RFC 8428): packs to records and back, in JSON and in CBOR.

How a pack and a `Record` correspond:

* Consecutive entries of one base name and one time are one Record; its `meta["bn"]` is the base name.
* A field is called by the local name `n`; by the whole name if there is no `n`; `n + "#sum"` holds a sum (`s`).
  "#" can't stand in a SenML name, so nothing else is ever called so.
* The value is a float or int (`v`), text (`vs`), bool (`vb`) or bytes (`vd`); `units` has what `u` or `bu` say.
* `meta["ut"]` is the update time as text, the same for all fields of a Record.

Where RFC 8428 leaves a choice: an entry of base fields only is no observation (as in 5.1.7); base value and base sum
make up for a missing `v` or `s` of an entry that has no other value (4.5.4), and are not added to text or booleans.

Also taken: the draft form that RIoTBench speaks, `{"e": [...], "bn": "", "bt": 0}` with `sv` for text and `bv` for
booleans; in both forms numbers as text, and times in milli-, micro- or nanoseconds, told by their size.

A pack in CBOR (section 6) is read by way of the JSON it stands for: `records(from_cbor(payload), ...)`. Which of the
two a payload is, its first byte tells.
"""

from collections.abc import Sequence

from riot_tasks.record import Record
from riot_tasks.senml.encoding import encode, encode_record
from riot_tasks.senml.numbers import number, seconds
from riot_tasks.senml.resolving import Observation, decode, records

__all__ = [
    "Observation",
    "decode",
    "encode",
    "encode_cbor",
    "encode_record",
    "encode_record_cbor",
    "from_cbor",
    "is_cbor",
    "number",
    "records",
    "seconds",
]

# cbor2 takes 15 ms to import, which those who have JSON only are spared: hence the imports in functions, 0.3 µs a call


def is_cbor(payload: bytes) -> bool:
    """Whether a payload is CBOR, as its first byte tells: no text in UTF-8 begins with one from 0x80 to 0xbf.

    An array of CBOR begins with 0x80 to 0x9f, a map with 0xa0 to 0xbf, what describes itself as CBOR with d9d9f7.
    """
    return b"\x80" <= payload[:1] < b"\xc0" or payload.startswith(b"\xd9\xd9\xf7")


def from_cbor(payload: bytes) -> bytes:
    """The JSON that a pack in CBOR stands for; not yet all checked, `decode` and `records` do that.

    Raises:
        BadRecord: not CBOR, or what SenML does not allow in it; says where.
    """
    from riot_tasks.senml.cbor import to_json  # noqa: PLC0415 - see above

    return to_json(payload)


def encode_record_cbor(record: Record) -> bytes:
    """As `encode_record`, in CBOR: labels are integers, octets themselves, numbers 64-bit integers and doubles.

    Raises:
        BadRecord: as there.
    """
    from riot_tasks.senml import cbor  # noqa: PLC0415 - see above

    return cbor.encode_record(record)


def encode_cbor(records: Sequence[Record]) -> bytes:
    """As `encode`, in CBOR.

    Raises:
        BadRecord: as there.
    """
    from riot_tasks.senml import cbor  # noqa: PLC0415 - see above

    return cbor.encode(records)
