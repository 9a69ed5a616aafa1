"""A window's readings, on their way to a record of series."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any, Self

import orjson

from riot_tasks.record import Record

_Columns = tuple["array[float]", "array[float]"]
"""Times and values, as they came: 16 bytes a reading where lists of floats take 80."""


class Gathered:
    """What the records so far have, series by series.

    Args:
        goal: records that fill the window.

    Attributes:
        count: records so far.
        fields: the fields they had, in order.
    """

    __slots__ = ("_last", "_series", "_units", "count", "fields", "goal")

    def __init__(self, goal: int) -> None:
        self.goal = goal
        self.count = 0
        self.fields: dict[str, None] = {}
        self._series: dict[str, _Columns] = {}
        self._units: dict[str, str] = {}
        self._last: Record | None = None

    def take(self, record: Record, found: Iterable[tuple[str, float]], label: str) -> bool:
        """Take a record's readings, field by field; whether the window is full.

        Args:
            record: whose.
            found: the readings, there is one.
            label: follows the field in a series' name.
        """
        units, time = record.units, record.time
        for field, reading in found:
            name = field + label
            series = self._series.get(name)
            if series is None:
                self.fields[field] = None
                series = self._series[name] = (array("d"), array("d"))
            series[0].append(time)
            series[1].append(reading)
            if field in units:
                self._units[name] = units[field]
        self.count += 1
        self._last = record
        return self.count >= self.goal

    def record(self, into: str, without: str | None) -> Record:
        """The series as the text of a field, with the head of the last record; there was one.

        Args:
            into: the field.
            without: a key that is left out of the meta.
        """
        last = self._last
        assert last is not None  # noqa: S101 - says so above
        series = {label: _ordered(*columns) for label, columns in self._series.items()}
        meta = {key: text for key, text in last.meta.items() if key != without}
        meta["fields"] = ",".join(self.fields)
        return Record(last.id, last.source, last.time, {into: orjson.dumps(series).decode()}, self._units, meta)

    def state(self) -> dict[str, Any]:
        """All of it as plain data."""
        last = self._last
        return {
            "goal": self.goal,
            "count": self.count,
            "seen": list(self.fields),
            "series": {label: [list(times), list(readings)] for label, (times, readings) in self._series.items()},
            "units": dict(self._units),
            "last": last and [last.id, last.source, last.time, dict(last.meta)],
        }

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Self:
        """What `state` gave."""
        found = cls(state["goal"])
        found.count, found.fields = state["count"], dict.fromkeys(state["seen"])
        columns = state["series"].items()
        found._series = {name: (array("d", times), array("d", readings)) for name, (times, readings) in columns}
        found._units = dict(state["units"])
        if state["last"]:
            number, source, time, meta = state["last"]
            found._last = Record(number, source, time, {}, {}, meta)
        return found


def _ordered(times: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """The points in the order of their times; equal ones stay in the order they came."""
    points = list(zip(times, values, strict=True))
    if any(before > after for before, after in pairwise(times)):
        points.sort(key=itemgetter(0))
    return points
