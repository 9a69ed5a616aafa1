"""Records: what flows between tasks."""

from math import isfinite

import msgspec

Value = float | int | str | bool | bytes | None
"""A field's value; ``None`` means filtered out, to be interpolated."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One observation, or all that a device observed at one instant.

    Attributes:
        id: number of the source message it came from; every derived record keeps it.
        source: who: the device; the default key.
        time: when: Unix seconds, as in RFC 8428.
        values: field name to value. A raw message is one field, ``payload``, of bytes.
        units: field name to unit, for the fields that have one (RFC 8428 section 12.1, or the feed's own).
        meta: what describes the record but is not measured; ``bn`` is the pack's base name.

    Frozen, and its mappings are to be treated so: a task that changes something makes new ones.
    """

    id: int
    source: str
    time: float
    values: dict[str, Value]
    units: dict[str, str] = {}
    meta: dict[str, str] = {}


class Aside(Record, frozen=True, gc=False):
    """A record for another output of the task than its main one: late data, what happened to a model.

    Attributes:
        output: which; one of the task's `asides`. Stages and sinks take from it as `<stage>/<output>`.
    """

    output: str = ""


def aside(record: Record, output: str) -> Aside:
    """The record, for another output of the task that gives it."""
    return Aside(record.id, record.source, record.time, record.values, record.units, record.meta, output)


def text(value: Value) -> str:
    """A value as the text it is compared by: 8, 8.0 and "8" are the same; bytes are UTF-8."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, float) and isfinite(value) and value.is_integer():
        return str(int(value))
    if type(value) is int:
        return f"{value:d}" if value.bit_length() < 1024 else f"{value:x}"  # decimal is refused for very long ones
    return str(value)
