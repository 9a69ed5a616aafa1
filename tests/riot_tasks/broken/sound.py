"""Tasks that keep every promise: the ones the broken ones are made of."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from riot_tasks import BadRecord, Record, Task


def replaced(record: Record, x: Any) -> list[Record]:
    """The record with nothing but this x."""
    return [msgspec.structs.replace(record, values={"x": x})]


class Sum(Task):
    """The sum of x so far.

    Example:
        >>> [result.values for result in Sum().process(Record(1, "dev7", 0.0, {"x": 2}))]
        [{'x': 2.0}]

    References:
        Primary school.
    """

    def __init_subclass__(cls) -> None:
        """Document the class as this one is, unless it says something itself."""
        cls.__doc__ = cls.__doc__ or (Sum.__doc__ or "").replace("Sum", cls.__name__)

    def __init__(self, start: float = 0.0) -> None:
        self.start = start
        self._sum = start
        self._history: list[Any] = []

    def process(self, record: Record) -> Iterable[Record]:
        """The sum."""
        self._sum += self._number(record)
        return replaced(record, self._sum)

    def _number(self, record: Record) -> float:
        x = record.values.get("x")
        if isinstance(x, bool) or not isinstance(x, int | float) or not abs(x) < 1e300:
            raise BadRecord("x: is no number")
        return x

    def snapshot(self) -> Mapping[str, Any]:
        """The sum."""
        return {"version": 1, "sum": self._sum}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The sum."""
        self._sum = state["sum"]


class Shelf(Sum):
    """Puts each x into a store in memory, under its record's id.

    Example:
        >>> [result.values for result in Shelf("memory://docs").process(Record(1, "dev7", 0.0, {"x": 2}))]
        [{'x': 2}]

    References:
        Any cupboard.
    """

    stateful = False
    stores: ClassVar[dict[str, dict[str, float]]] = {}

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def _store(self) -> dict[str, float]:
        return self.stores.setdefault(self.url, {})

    def process(self, record: Record) -> Iterable[Record]:
        """The record, once it is in the store."""
        self._store[f"{record.source}/{record.id}"] = self._number(record)
        return (record,)

    def snapshot(self) -> Mapping[str, Any]:
        """Nothing: it is all in the store."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing."""


class Drawer(Shelf):
    """Puts each x into a file, named after its record's source and id.

    Example:
        >>> Drawer("/tmp/docs").url
        '/tmp/docs'

    References:
        Any desk.
    """

    def process(self, record: Record) -> Iterable[Record]:
        """The record, once it is in its file."""
        x = self._number(record)
        name = quote(record.source, safe="")
        if not name.strip(".") or len(name) > 200:
            raise BadRecord(f"source: {record.source[:20]!r} can't be the name of a file")
        Path(self.url, f"{name}-{record.id}").write_text(repr(x))
        return (record,)
