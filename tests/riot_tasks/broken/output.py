# ruff: noqa: D102 - each class says by its name what its methods get wrong
"""Tasks giving what nobody can use."""

from collections.abc import Iterable
from typing import Any

import msgspec

from riot_tasks import Record, Task, aside
from tests.riot_tasks.broken.sound import Sum, replaced


class OwnIds(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        return [msgspec.structs.replace(result, id=result.id + 1) for result in super().process(record)]


class FlushesUnknownId(Sum):
    def flush(self) -> Iterable[Record]:
        return [Record(0, "nobody", 0.0, {"x": self._sum})]


class GivesNumbers(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        return [self._sum]  # type: ignore[list-item]


class GivesTextIds(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        return [msgspec.structs.replace(result, id=str(result.id)) for result in super().process(record)]


class GivesNumericMeta(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        return [msgspec.structs.replace(result, meta={"step": 1}) for result in super().process(record)]


class GivesLists(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        return replaced(record, [self._sum])  # type: ignore[arg-type]


class GivesTwo(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        return [*super().process(record)] * 2


class WhispersAside(Sum):
    asides = ("late",)

    def process(self, record: Record) -> Iterable[Record]:
        return [*super().process(record), aside(record, "early")]


class UnknownPattern(Sum):
    pattern = "1:2"


class FlushesTwice(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        self._history = list(super().process(record))
        return ()

    def flush(self) -> Iterable[Record]:
        return self._history


class FlushesNumbers(Sum):
    def flush(self) -> Iterable[Record]:
        return [self._sum]  # type: ignore[list-item]


class Overflows(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        return replaced(record, self._number(record) * 1e12)


class ReusesItsResult(Sum):
    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self._values: dict[str, Any] = {}

    def process(self, record: Record) -> Iterable[Record]:
        (result,) = super().process(record)
        self._values.update(result.values)
        return [msgspec.structs.replace(result, values=self._values)]


BROKEN: list[tuple[type[Task], str]] = [
    (OwnIds, "with the id of the record they follow from"),
    (FlushesUnknownId, "flush gave"),
    (GivesNumbers, "is a float, no Record"),
    (GivesTextIds, "id, source and time must be int, str and float"),
    (GivesNumericMeta, "units and meta hold texts only"),
    (GivesLists, "x holds no plain value"),
    (GivesTwo, "2 records for one, with pattern 1:1"),
    (WhispersAside, "it gave one for 'early'; asides is ('late',)"),
    (UnknownPattern, "pattern is '1:2'"),
    (FlushesTwice, "A second flush gives nothing"),
    (FlushesNumbers, "at the flush:"),
    (Overflows, "It makes no NaN and no infinity, which no sink can write, of whatever it is given: x became inf"),
    (ReusesItsResult, "It does not change what it has given"),
]
