"""What a task is put through: the records of an example, broken ones, endlessly varied ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from riot_tasks.errors import TaskError
from riot_tasks.record import Record, Value
from riot_tasks.task import Task
from riot_tasks.testing.outside import Outside

HOSTILE: tuple[Value, ...] = (
    *(None, True, "", "no number", "nan", "1e400", "\ud800", float("nan"), float("inf"), -1.0, 0, 10**400),
    *(1e299, -1e299, "1e299", 5e-324, b"", b"\xff\x00", b"{}", b"[{}]", b"[" * 5000, b'[{"n":"a","v":1e400}]'),
)
"""What a field may hold when a device or its software is broken."""
STRANGERS = ("", " ", "../up", "/up", ".", "a/b\\c?d#e%00f+g", "a\x00b", "'; --", "\u96ea\U0001f321", "x" * 300)
"""Names a device may give itself: what files, tables and topics are named after may be anything."""
CLOCKS = (0.0, -1.5, -1e11, 1e11)
"""Times a device may have: its clock is wrong, or in another unit; the parsers let through what lies between."""


class Case(msgspec.Struct, frozen=True):
    """One example: how to make the task, what it is given, and the world it works on."""

    cls: type[Task]
    params: Mapping[str, Any]
    inputs: Sequence[Record]
    records: int
    outside: Outside = Outside()

    def new(self) -> Task:
        """A fresh task; what it does to its parameters does not reach the next one."""
        return self.cls(**deepcopy(dict(self.params)))

    def hostile(self) -> Iterator[Record]:
        """The first inputs with a strange head, and with each of their fields gone, or holding what it should not."""
        for record in self.inputs[:3]:
            yield _with(record, {})
            yield from (msgspec.structs.replace(record, source=source) for source in STRANGERS)
            yield from (msgspec.structs.replace(record, time=time) for time in CLOCKS)
            for name in record.values:
                rest = {other: value for other, value in record.values.items() if other != name}
                yield _with(record, rest)
                yield from (_with(record, {**record.values, name: value}) for value in HOSTILE)


def results(task: Task, record: Record) -> list[Any]:
    """What a task gives for a record; nothing if it refuses it."""
    try:
        return list(task.process(record))
    except TaskError:
        return []


def say(task: Task, record: Record) -> str:
    """What a task says to a record, as text: NaN equals itself there, and 1 differs from 1.0 and True."""
    try:
        return repr(list(task.process(record)))
    except TaskError as error:
        return repr(error)


def flushed(task: Task) -> str:
    """What a task says at the end, as text."""
    return repr(list(task.flush()))


def run(task: Task, records: Iterable[Record], *, flush: bool = True) -> list[str]:
    """What a task says to each of some records, and at the end."""
    said = [say(task, record) for record in records]
    return [*said, flushed(task)] if flush else said


def difference(expected: Sequence[str], got: Sequence[str]) -> str | None:
    """The first of two runs' differences; None if they are the same."""
    pairs = enumerate(zip(expected, got, strict=True))
    return next((f"at record {at}: {one} became {other}" for at, (one, other) in pairs if one != other), None)


def travelled(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """A snapshot as it arrives after a journey through MessagePack."""
    plain: dict[str, Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(state))
    return plain


def restored(case: Case, state: Mapping[str, Any]) -> Task:
    """A fresh task that has taken a snapshot, after its journey."""
    task = case.new()
    task.restore(travelled(state))
    return task


def brief(record: Record) -> str:
    """A record's head and values, short enough for a message."""
    fields = "".join(f", {name}={type(value).__name__!s} {value!r:.60}" for name, value in record.values.items())
    return f"{record.source!r:.60} at {record.time}{fields}"


def varied(record: Record, count: int) -> Record:
    """The record as another device would send it: other numbers and texts, and at times a field never seen."""
    values = {name: _other(value, count) for name, value in record.values.items()}
    units, meta = record.units, {key: f"{text}{count}" for key, text in record.meta.items()}
    if count % 2:
        values[f"field{count}"] = float(count)
        units, meta = {**units, f"field{count}": f"unit{count}"}, {**meta, f"key{count}": "x"}
    return Record(count, f"{record.source}-{count}", record.time + count, values, units, meta)


def _with(record: Record, values: dict[str, Value]) -> Record:
    return msgspec.structs.replace(record, values=values)


def _other(value: Value, count: int) -> Value:
    if isinstance(value, bool | bytes) or value is None:
        return value
    if isinstance(value, str):
        return f"{value}{count}"
    return value + count
