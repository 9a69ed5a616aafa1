"""Small tasks for tests, named as a user's are: `tests.sample_tasks:Counter`."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from threading import Event
from typing import Any, ClassVar

from riot_tasks import BadRecord, BulkTask, Record, Task, Unavailable


class Counter(Task):
    """Numbers the records of a source: field `n` is 1, 2, 3, ..."""

    def __init__(self, step: int = 1) -> None:
        self.step = step
        self._n = 0

    def process(self, record: Record) -> Iterable[Record]:
        """One record with its number."""
        self._n += self.step
        return (Record(record.id, record.source, record.time, {"n": self._n}),)

    def flush(self) -> Iterable[Record]:
        """The last number again, as `last`."""
        return (Record(0, "flushed", 0.0, {"last": self._n}),)

    def snapshot(self) -> Mapping[str, Any]:
        """The number reached."""
        return {"n": self._n}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from it."""
        self._n = state["n"]


class Moody(Task):
    """Does what the payload says: bad, bug, exit, half (one record, then a bug), none, two; else one record."""

    stateful = False

    def process(self, record: Record) -> Iterable[Record]:
        """What the payload says."""
        word = record.values["payload"]
        if word == b"bad":
            raise BadRecord("it is bad")
        if word == b"bug":
            raise ZeroDivisionError("oops")
        if word == b"exit":
            sys.exit("enough")
        for _ in range({b"none": 0, b"two": 2}.get(word, 1)):  # type: ignore[call-overload]
            yield record
        if word == b"half":
            raise KeyError("late")


class Patient(Task):
    """Unavailable the first `times` times it is asked, over all keys and instances."""

    stateful = False
    asked = 0

    def __init__(self, times: int = 2) -> None:
        self.times = times

    def process(self, record: Record) -> Iterable[Record]:
        """The record, once it is available."""
        Patient.asked += 1
        if Patient.asked <= self.times:
            raise Unavailable("not yet")
        return (record,)


class Hanging(Task):
    """Never returns."""

    def process(self, record: Record) -> Iterable[Record]:
        """Wait for ever."""
        Event().wait()
        return (record,)


class Gated(Task):
    """Gives records on while its gate is open, and waits until then."""

    stateful = False
    waits = True
    gate: ClassVar[Event] = Event()

    def process(self, record: Record) -> Iterable[Record]:
        """The record, once the gate is open."""
        Gated.gate.wait(30)
        return (record,)


class Ferry(BulkTask):
    """Carries all records at once: refuses the payload bad, breaks down at bug, is away the first `away` times."""

    journeys: ClassVar[list[int]] = []

    def __init__(self, away: int = 0) -> None:
        self.away = away

    def process_many(self, records: Sequence[Record]) -> Sequence[Iterable[Record] | BadRecord]:
        """Each record and its payload's length; nothing for one without a payload."""
        Ferry.journeys.append(len(records))
        if len(Ferry.journeys) <= self.away:
            raise Unavailable("not yet back")
        return [self._carried(record) for record in records]

    def _carried(self, record: Record) -> Iterable[Record] | BadRecord:
        word = record.values["payload"]
        if word == b"bug":
            raise ZeroDivisionError("oops")
        if word == b"bad":
            return BadRecord("it is bad")
        return [Record(record.id, record.source, record.time, {"n": len(str(word))})] if word else ()


class Hesitant(Counter):
    """A Counter that says Unavailable the first `times` times it is asked for what it holds back."""

    asked = 0

    def __init__(self, times: int = 2) -> None:
        super().__init__()
        self.times = times

    def flush(self) -> Iterable[Record]:
        """The last number, once it is available."""
        Hesitant.asked += 1
        if Hesitant.asked <= self.times:
            raise Unavailable("not yet")
        return super().flush()
