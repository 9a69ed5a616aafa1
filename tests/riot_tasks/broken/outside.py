# ruff: noqa: D102 - each class says by its name what its methods get wrong
"""Tasks that leave a mess in the world outside."""

from collections.abc import Iterable

from riot_tasks import Record, Task
from tests.riot_tasks.broken.sound import Shelf, replaced


class AddsRows(Shelf):
    """Puts each x into a new place.

    Example:
        >>> [result.values for result in AddsRows("memory://docs").process(Record(1, "dev7", 0.0, {"x": 2}))]
        [{'x': 2}]

    References:
        Any cupboard.
    """

    def process(self, record: Record) -> Iterable[Record]:
        self._store[f"{len(self._store)}"] = self._number(record)
        return (record,)


class SaysHowFull(Shelf):
    """Puts each x into its place, and says how many there are.

    Example:
        >>> [result.values for result in SaysHowFull("memory://full").process(Record(1, "dev7", 0.0, {"x": 2}))]
        [{'x': 1.0}]

    References:
        Any cupboard.
    """

    def process(self, record: Record) -> Iterable[Record]:
        list(super().process(record))
        return replaced(record, float(len(self._store)))


class ForgetsItsBatch(Shelf):
    """Puts x into its place, five at a time.

    Example:
        >>> [result.values for result in ForgetsItsBatch("memory://docs").process(Record(1, "dev7", 0.0, {"x": 2}))]
        [{'x': 2}]

    References:
        Any cupboard.
    """

    stateful = True

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._batch: dict[str, float] = {}

    def process(self, record: Record) -> Iterable[Record]:
        self._batch[f"{record.source}/{record.id}"] = self._number(record)
        if len(self._batch) == 5:
            list(self.flush())
        return (record,)

    def flush(self) -> Iterable[Record]:
        self._store.update(self._batch)
        self._batch.clear()
        return ()


BROKEN: list[tuple[type[Task], str]] = [
    (AddsRows, "A replay over what a first run has left outside changes nothing there"),
    (SaysHowFull, "A replay over what a first run has left outside changes nothing there, and gives the same results"),
    (ForgetsItsBatch, "Dead some records after a snapshot, restored and given them again"),
]
