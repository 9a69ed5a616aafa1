"""`accumulate`: so many records as series, in one record."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

from riot_tasks.algorithms.float32 import float32
from riot_tasks.errors import BadRecord
from riot_tasks.fields import MAX_FIELDS, numbers, versioned
from riot_tasks.parameters import flag, name, names, whole
from riot_tasks.record import Record
from riot_tasks.statistics.gathering import Gathered
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
        apart: each field has a window of its own, filled by the records that have it, and a result of its own: as if
            each field came in a record of its own, under a key of its own.
        stagger: the first window is shorter, by a number that hangs on the device's (and, with `apart`, the field's)
            name: devices that began together then don't all give their results together.
        max_fields: with `fields` None, fields in a result, or with `apart` fields to keep state for; a record that
            brings one more is a BadRecord.
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
    pattern = "N:M"

    def __init__(  # noqa: PLR0913 - eight keys of the config
        self,
        fields: Sequence[str] | None = None,
        *,
        window: int = 20,
        into: str = "series",
        name_from: str | None = None,
        apart: bool = False,
        stagger: bool = False,
        max_fields: int = MAX_FIELDS,
        parity: bool = False,
    ) -> None:
        self.fields = names("fields", fields)
        self.window = whole("window", window, least=1)
        self.into = name("into", into)
        self.name_from = None if name_from is None else name("name_from", name_from)
        self.apart = flag("apart", apart)
        self.stagger = flag("stagger", stagger)
        self.max_fields = whole("max_fields", max_fields, least=1)
        self.parity = flag("parity", parity)
        self._windows: dict[str, Gathered] = {}  # by field if they are apart, else one, called ""

    def process(self, record: Record) -> Iterable[Record]:
        """The series of each window that this record fills."""
        found = numbers(record, self.fields)
        if not found:
            return ()
        self._admit(found)
        if self.parity:
            found = {field: float32(reading) for field, reading in found.items()}
        label = self._label(record)
        if not self.apart:
            return self._taken("", record, found.items(), label)
        return [result for each in found.items() for result in self._taken(each[0], record, (each,), label)]

    def _taken(self, group: str, record: Record, found: Collection[tuple[str, float]], label: str) -> Sequence[Record]:
        """The series of a window, if these readings fill it."""
        window = self._windows.get(group)
        if window is None:
            window = self._windows[group] = Gathered(self._first(group, record.source))
        if not window.take(record, found, label):
            return ()
        self._windows[group] = Gathered(self.window)
        return (window.record(self.into, self.name_from),)

    def _first(self, group: str, source: str) -> int:
        """Records of the first window of a group."""
        return 1 + crc32(f"{source}\x1f{group}".encode(errors="replace")) % self.window if self.stagger else self.window

    def _admit(self, found: Mapping[str, float]) -> None:
        """Raises BadRecord if there is one field too many, before any state has changed."""
        if self.fields is not None:
            return
        known = self._windows if self.apart else self._windows[""].fields if self._windows else ()
        fresh = [field for field in found if field not in known]
        if fresh and len(known) + len(fresh) > self.max_fields:
            raise BadRecord(
                f"{fresh[-1]}: is one field more than max_fields, {self.max_fields}; list the ones to watch in fields"
            )

    def _label(self, record: Record) -> str:
        """What follows the field in a series' name."""
        if self.name_from is None or self.name_from not in record.meta:
            return ""
        return f" {self.name_from} {record.meta[self.name_from]}"

    def flush(self) -> Iterable[Record]:
        """The series of the partial windows; nothing with `parity`."""
        partial, self._windows = self._windows, {}
        if self.parity:
            return ()
        return [window.record(self.into, self.name_from) for window in partial.values() if window.count]

    def snapshot(self) -> Mapping[str, Any]:
        """What was gathered in each window, and whose record came last."""
        return {"version": 2, "windows": {group: window.state() for group, window in self._windows.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave; of version 1 is what an earlier riot_tasks did, which knew one window."""
        saved = versioned(state, 2)
        windows = {"": {"goal": self.window, **saved}} if saved["version"] == 1 else saved["windows"]
        self._windows = {group: Gathered.of(window) for group, window in windows.items()}
