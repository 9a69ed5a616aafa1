# ruff: noqa: D102 - each class says by its name what its methods get wrong
"""Tasks careless with what they are given."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from riot_tasks import BadRecord, Record, Task, Unavailable
from tests.riot_tasks.broken.sound import Sum, replaced


class ChangesItsInput(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        record.meta["seen"] = "yes"
        return results


class TrustsItsInput(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        self._sum += float(record.values["x"])  # type: ignore[arg-type]
        return replaced(record, self._sum)


class FailsLazily(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        yield from replaced(record, self._sum + len(record.values["y"]))  # type: ignore[arg-type]


class CountsRefused(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        self._sum += 1
        return super().process(record)


class ChangesItsInputLater(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        if self._history:
            self._history.pop().values["x"] = 0.0
        self._history.append(record)
        return results


class RefusesAll(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        raise BadRecord(f"{len(record.values)} fields: are too many")


class SaysNothing(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        return ()


class TrustsItsSource(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        record.source.encode("ascii")
        return results


class TrustsItsClock(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        datetime.fromtimestamp(record.time, UTC)
        return results


class WaitsForBetter(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        try:
            return super().process(record)
        except BadRecord as error:
            raise Unavailable(str(error)) from error


class RefusesWithoutReason(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        try:
            return super().process(record)
        except BadRecord:
            raise BadRecord from None


class RefusesAtLength(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        try:
            return super().process(record)
        except BadRecord:
            raise BadRecord(f"x: {record.values.get('x')!r:>3000} is no number") from None


class RefusesInSurrogates(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        try:
            return super().process(record)
        except BadRecord:
            raise BadRecord(f"x: {record.values.get('x')}"[:100]) from None


class KeepsSurrogates(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        y = record.values.get("y")
        results = super().process(record)
        self._history = [y] if isinstance(y, str) else []
        return results

    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum, "history": list(self._history)}


BROKEN: list[tuple[type[Task], str]] = [
    (ChangesItsInput, "does not change the records it is given"),
    (TrustsItsInput, "never another exception: raised KeyError"),
    (FailsLazily, "never another exception: raised"),
    (CountsRefused, "leaves no trace"),
    (ChangesItsInputLater, "neither at once nor later: Record"),
    (RefusesAll, "else nothing here would be checked: to the first record it says BadRecord('2 fields"),
    (SaysNothing, "else nothing here would be checked: to the first record it says []"),
    (TrustsItsSource, "never another exception: raised UnicodeEncodeError"),
    (TrustsItsClock, "never another exception: raised ValueError: year"),
    (WaitsForBetter, "raised Unavailable, to be asked again for ever: x: is no number"),
    (RefusesWithoutReason, "A refusal has a reason that can be read and sent: some text, not too long, of valid"),
    (RefusesAtLength, "(3016 characters)"),
    (RefusesInSurrogates, "A refusal has a reason that can be read"),
    (KeepsSurrogates, "it can be snapshotted, restored and flushed: raised UnicodeEncodeError"),
]
