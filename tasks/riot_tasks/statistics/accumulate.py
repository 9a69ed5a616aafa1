"""`accumulate`: so many records as series, in one record."""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import orjson

from riot_tasks.algorithms.float32 import float32
from riot_tasks.errors import BadRecord
from riot_tasks.fields import MAX_FIELDS, numbers, versioned
from riot_tasks.parameters import flag, name, names, whole
from riot_tasks.record import Record
from riot_tasks.task import Task


class Accumulate(Task):
    """Gathers the readings of `window` records, then gives them as time series in one record, and starts afresh.

    Args:
        fields: names of the fields; None is every field that holds a number.
        window: records in a result; those without any watched field do not count.
        into: field for the series: a JSON text `{"temperature": [[time, value], ...], ...}`. Times are Unix seconds;
            each series is in their order, equal times in the order they came.
        name_from: a key of `meta`. The readings of a record that has it are a series of their own, called by field,
            key and what it says: with "step", `sliding_regression`'s forecasts are "temperature step 1", "temperature
            step 2", ...
        max_fields: with `fields` None, fields in a result; a record that brings one more is a BadRecord.
        parity: RIoTBench's readings: single precision; and its end: the last, partial window is lost.

    The result is made by the record that fills the window: it has that record's id, source, time and meta (without
    `name_from`, which is in the names now), and the units of the series, under their names; `meta["fields"]` has the
    fields, with commas between, for whoever names a file. At the end of a bounded stream the partial window comes as
    well. `multi_line_plot` draws such records. A field whose value is None is
    passed over, one that is no number makes the record a BadRecord.

    The window counts the records of one key, as the paper has it; the original's counter is one for all sensors
    that meet in an executor. The original also compares times as 32-bit numbers of milliseconds, which puts those
    in disorder that are more than 24.8 days apart, and equal ones in any order; here the order is right, also with
    `parity`. Forecasts come as records, not as one text of numbers with `#` between, so that each counts.

    Example:
        >>> from riot_tasks import Record
        >>> task = Accumulate(["temperature"], window=2)
        >>> for time, reading in ((60.0, 21.0), (0.0, 20.0), (120.0, 30.0)):
        ...     for result in task.process(Record(1, "dev7", time, {"temperature": reading}, {"temperature": "Cel"})):
        ...         print(result.time, result.values, result.units)
        0.0 {'series': '{"temperature":[[0.0,20.0],[60.0,21.0]]}'} {'temperature': 'Cel'}
        >>> [result.values for result in task.flush()]
        [{'series': '{"temperature":[[120.0,30.0]]}'}]

    References:
        RIoTBench ACC (Accumulator), arXiv 1701.08530, section 4.1.
    """

    code = "ACC"
    pattern = "N:1"

    def __init__(  # noqa: PLR0913 - six keys of the config
        self,
        fields: Sequence[str] | None = None,
        *,
        window: int = 20,
        into: str = "series",
        name_from: str | None = None,
        max_fields: int = MAX_FIELDS,
        parity: bool = False,
    ) -> None:
        self.fields = names("fields", fields)
        self.window = whole("window", window, least=1)
        self.into = name("into", into)
        self.name_from = None if name_from is None else name("name_from", name_from)
        self.max_fields = whole("max_fields", max_fields, least=1)
        self.parity = flag("parity", parity)
        self._begin()

    def _begin(self) -> None:
        self._count = 0
        self._seen: dict[str, None] = {}  # fields in this window, in order
        self._series: dict[str, list[list[float]]] = {}  # name to its times and its values, as they came
        self._units: dict[str, str] = {}
        self._last: Record | None = None

    def process(self, record: Record) -> Iterable[Record]:
        """The series, if this record fills the window."""
        found = numbers(record, self.fields)
        if not found:
            return ()
        self._admit(found)
        label = self._label(record)
        for field, reading in found.items():
            times, readings = self._series.setdefault(field + label, [[], []])
            times.append(record.time)
            readings.append(float32(reading) if self.parity else reading)
            if field in record.units:
                self._units[field + label] = record.units[field]
        self._count += 1
        self._last = record
        return self._taken() if self._count >= self.window else ()

    def _admit(self, found: Iterable[str]) -> None:
        """Take note of the fields, before any state has changed if there is one too many."""
        fresh = [field for field in found if field not in self._seen]
        if self.fields is None and fresh and len(self._seen) + len(fresh) > self.max_fields:
            raise BadRecord(
                f"{fresh[-1]}: is one field more than max_fields, {self.max_fields}; list the ones to watch in fields"
            )
        self._seen.update(dict.fromkeys(fresh))

    def _label(self, record: Record) -> str:
        """What follows the field in a series' name."""
        if self.name_from is None or self.name_from not in record.meta:
            return ""
        return f" {self.name_from} {record.meta[self.name_from]}"

    def flush(self) -> Iterable[Record]:
        """The series of the partial window; nothing with `parity`."""
        if self.parity:
            self._begin()
        return self._taken()

    def _taken(self) -> Iterable[Record]:
        """What was gathered, as one record; begins afresh."""
        last, units = self._last, self._units
        if last is None:
            return ()
        # sorted is stable, and sees times only: equal ones stay in the order they came
        series = {label: sorted(zip(*both, strict=True), key=itemgetter(0)) for label, both in self._series.items()}
        meta = {key: text for key, text in last.meta.items() if key != self.name_from}
        meta["fields"] = ",".join(self._seen)
        self._begin()
        return (Record(last.id, last.source, last.time, {self.into: orjson.dumps(series).decode()}, units, meta),)

    def snapshot(self) -> Mapping[str, Any]:
        """What was gathered, and whose record came last."""
        last = self._last
        return {
            "version": 1,
            "count": self._count,
            "seen": list(self._seen),
            "series": {label: [list(times), list(readings)] for label, (times, readings) in self._series.items()},
            "units": dict(self._units),
            "last": last and [last.id, last.source, last.time, dict(last.meta)],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        versioned(state, 1)
        self._count, self._seen = state["count"], dict.fromkeys(state["seen"])
        self._series = {label: [list(times), list(readings)] for label, (times, readings) in state["series"].items()}
        self._units = dict(state["units"])
        if state["last"]:
            number, source, time, meta = state["last"]
            self._last = Record(number, source, time, {}, {}, meta)
