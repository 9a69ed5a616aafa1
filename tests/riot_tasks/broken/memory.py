# ruff: noqa: D102 - each class says by its name what its methods get wrong
"""Tasks growing."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from riot_tasks import Record, Task, TaskError
from tests.riot_tasks.broken.sound import Sum


class RemembersValues(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        self._history.append(record.values["x"])
        return results

    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum, "history": list(self._history)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._sum, self._history = state["sum"], list(state["history"])


class RemembersInSecret(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        self._history.append(record.source)
        return results


class RemembersFields(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        self._history += [name for name in record.values if name not in self._history]
        return results


class RemembersInItsClass(Sum):
    everybody: ClassVar[list[str]] = []

    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        self.everybody.append(record.source)
        return results


class RemembersWhatItRefused(Sum):
    refused: ClassVar[list[str]] = []

    def process(self, record: Record) -> Iterable[Record]:
        try:
            return super().process(record)
        except TaskError:
            self.refused.append(repr(record))
            raise


BROKEN: list[tuple[type[Task], str]] = [
    (RemembersValues, "the snapshot has"),
    (RemembersInSecret, "the pickle has"),
    (RemembersFields, "the pickle has"),
    (RemembersInItsClass, "It takes no more and more memory beside its state"),
    (RemembersWhatItRefused, "It takes no more and more memory beside its state"),
]
