"""`window`: what was measured in each minute, each hour, each session of a device."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from riot_tasks.algorithms.event_windows import Allowance, TooLate, instant
from riot_tasks.algorithms.event_windows import Window as Ended
from riot_tasks.algorithms.summary import is_quantile, measure
from riot_tasks.errors import BadRecord
from riot_tasks.fields import MAX_FIELDS, numbers, versioned
from riot_tasks.parameters import duration, names, one_of, whole
from riot_tasks.record import Record, Value, aside
from riot_tasks.showing import shown
from riot_tasks.statistics.windowing import KINDS, LEAST, lengths, windows
from riot_tasks.statistics.windowing import aggregates as aggregates_of
from riot_tasks.task import Task

_FARTHEST = 1e11
"""Seconds a record's time may be from 1970, as for SenML."""


class Window(Task):
    """Mean, extremes, count, sum, quantiles of the readings in windows of event time: the records' own time.

    Args:
        fields: names of the fields; None is every field that holds a number.
        kind: "tumbling", windows of `size` one after the other; "sliding", windows of `size` that begin every `every`
            and overlap; "session", from a first reading until none has come for `gap`.
        size: of tumbling and sliding windows: seconds, or a text such as "10s", "1m", "1h30m"; as all durations here.
        every: of sliding windows; `size` is a multiple of it.
        gap: of session windows; a pause that long ends one.
        offset: windows are aligned to 1970-01-01T00:00:00Z plus this: "22h" for days that begin at 22:00 UTC.
        aggregates: of mean, min, max, count, sum, p0 to p100 (p50 is the median, p99.9 may be); None is [mean].
        delay: how far out of order times may be: the watermark is so much behind the latest time.
        lateness: how long a window is kept after its result, to be corrected.
        late: what becomes of a record that comes after that: "drop" passes it over, "reject" makes it a BadRecord,
            "aside" gives it as it came, for the output `late`.
        max_ahead: a record whose time is further ahead of the latest than this goes to the output `ahead`, counted so,
            unless that of the message before did too and the two are within `max_ahead` of each other: a clock that has
            been set is believed the second time. None believes every clock: a single time in the far future makes all
            that follows late.
        idle_timeout: seconds of the clock on the wall without any record of the key after which the windows that are
            open end; None is never.
        max_open: windows a key may have open at once; parameters that may need more are refused.
        max_fields: with `fields` None, fields to keep state for; a record that brings one more is a BadRecord.

    A window is [start, end): a reading exactly at the end is in the next one. Its result is given when the watermark,
    the latest time so far less `delay`, passes the end; empty windows give nothing. The watermark is each key's own,
    not its shard's, so that results do not depend on the number of shards, nor on how records are batched. All records
    of the key move it, also those without the fields; what is refused, late or ahead does not. A key's last windows end
    with its next record, after `idle_timeout`, or at the end of a bounded stream.

    A record that is late for a result, but by no more than `lateness`, gives the whole result again, corrected; its
    `meta["firing"]` is "late". What is later still is late data: counted as `late`, whatever `late` does with it. Where
    windows overlap, a record is late only if all of its windows are over. A session whose result is out may grow, and
    merge with another: its corrected result then has another `window_end`, or `window_start`.

    A result has the fields' own names if there is one aggregate, else `<field>_<aggregate>`. It has id, source and meta
    of the record that ended the window; `meta["window_start"]` and `meta["window_end"]` in Unix seconds; and a time one
    millisecond before the end, the window's last, as in Flink and Beam: so the results of minutes are in the right hour
    of a window of hours. Quantiles are exact up to 512 readings of a field in a window (in the stretch
    of `every`, where windows slide), then those of a t-digest; they are interpolated as by NumPy.

    A field whose value is None is passed over, one that is no number makes the record a BadRecord. RIoTBench has
    windows of counts only: `average`, `accumulate`.

    Example:
        >>> from riot_tasks import Record
        >>> task = Window(["temperature"], size="1m", aggregates=["mean", "max"])
        >>> for time, reading in ((0.0, 20.0), (30.0, 21.0), (60.0, 30.0)):
        ...     for result in task.process(Record(int(time), "dev7", time, {"temperature": reading})):
        ...         print(result.time, result.values, result.meta)
        59.999 {'temperature_mean': 20.5, 'temperature_max': 21.0} {'window_start': '0', 'window_end': '60'}
        >>> [result.values for result in task.flush()]
        [{'temperature_mean': 30.0, 'temperature_max': 30.0}]

    References:
        Akidau et al., "The Dataflow Model", PVLDB 8 (2015); the words are Apache Flink's and Apache Beam's.
        Dunning and Ertl, "Computing Extremely Accurate Quantiles Using t-Digests", arXiv 1902.04023 (2019).
    """

    pattern = "N:M"
    asides = ("late", "ahead")

    def __init__(  # noqa: PLR0913 - keys of the config
        self,
        fields: Sequence[str] | None = None,
        *,
        kind: str = "tumbling",
        size: float | str | None = None,
        every: float | str | None = None,
        gap: float | str | None = None,
        offset: float | str = 0.0,
        aggregates: Sequence[str] | None = None,
        delay: float | str = 0.0,
        lateness: float | str = 0.0,
        late: str = "drop",
        max_ahead: float | str | None = None,
        idle_timeout: float | str | None = None,
        max_open: int = 1000,
        max_fields: int = MAX_FIELDS,
    ) -> None:
        self.fields = names("fields", fields)
        self.kind = one_of("kind", kind, tuple(KINDS))
        of = lengths(self.kind, size, every, gap)
        self.size, self.every, self.gap = of
        self.offset = duration("offset", offset)
        self.aggregates = aggregates_of("aggregates", aggregates)
        self.delay = duration("delay", delay)
        self.lateness = duration("lateness", lateness)
        self.late = one_of("late", late, ("drop", "reject", "aside"))
        self.max_ahead = None if max_ahead is None else duration("max_ahead", max_ahead, least=LEAST)
        self.idle_timeout = None if idle_timeout is None else duration("idle_timeout", idle_timeout, least=LEAST)
        self.max_open = whole("max_open", max_open, least=1)
        self.max_fields = whole("max_fields", max_fields, least=1)
        asked = self.aggregates or ["mean"]
        self._measures = [(each, f"_{each}" if len(asked) > 1 else "", measure(each)) for each in asked]
        quantiles = any(map(is_quantile, asked))
        allowance = Allowance(self.delay, self.lateness)
        self._windows = windows(of, self.offset, allowance, quantiles=quantiles, max_open=self.max_open)
        self._units: dict[str, str] = {}  # of every field so far, "" where it has none
        self._learnt: dict[str, str] | None = None  # the units of the last record
        self._last: Record | None = None
        self._latest: float | None = None  # the time to measure max_ahead from
        self._jump: list[Any] | None = None  # id and time of the record before, if it was too far ahead

    def process(self, record: Record) -> Iterable[Record]:
        """The results of the windows that end with this record, or of past ones that it corrects, in their order.

        Raises:
            BadRecord: a field holds no number, or is one too many; the record is late, with `late` "reject".
        """
        found = numbers(record, self.fields)
        time = record.time
        if not -_FARTHEST <= time <= _FARTHEST:
            raise BadRecord(f"time: {shown(time)} is not within {_FARTHEST:g} s of 1970")
        if self.max_ahead is not None and self._is_ahead(record, self.max_ahead):
            return self._put_ahead(record) if found else ()
        strange = found.keys() - self._units.keys()
        if strange:
            self._admit(strange)
        try:
            ended = self._windows.update(time, found) if found else self._windows.advance(time)
        except TooLate as late:
            return self._put_late(record, late)
        self._last = record
        if self.max_ahead is not None:
            self._latest = time if self._latest is None else max(time, self._latest)
            self._jump = None
        if strange:
            self._units.update((name, record.units.get(name, "")) for name in strange)
        results = [self._result(record, window) for window in ended] if ended else ()
        if record.units != self._learnt:  # a unit that is new is that of the windows to come
            self._learnt = record.units
            self._units.update((name, unit) for name, unit in record.units.items() if name in self._units)
        return results

    def flush(self) -> Iterable[Record]:
        """The results of the windows that are open, under the id of the last record that counted."""
        return [self._result(self._last, window) for window in self._windows.finish()] if self._last else ()

    def on_idle(self) -> Iterable[Record]:
        """As `flush`; the watermark is at the end of the last window then, and what comes before it is late."""
        self._latest = self._jump = None  # after a pause the clock may be as far on as it will
        return self.flush()

    def _is_ahead(self, record: Record, most: float) -> bool:
        """Whether this time is not to be believed."""
        if self._latest is None or record.time <= self._latest + most:
            return False
        if self._jump is None or self._jump[0] == record.id:  # a message is no witness for itself
            return True
        return bool(abs(record.time - self._jump[1]) > most)

    def _put_ahead(self, record: Record) -> Iterable[Record]:
        self._jump = [record.id, record.time]
        self.note("ahead")
        return (aside(record, "ahead"),)

    def _put_late(self, record: Record, late: TooLate) -> Iterable[Record]:
        self.note("late")
        if self.late == "reject":
            raise BadRecord(f"time: {record.time:.15g} is {late.seconds:g} s too late: its window is over")
        return (aside(record, "late"),) if self.late == "aside" else ()

    def _admit(self, strange: Collection[str]) -> None:
        """Raises BadRecord if these fields are too many."""
        if self.fields is None and len(self._units) + len(strange) > self.max_fields:
            one = max(strange)
            raise BadRecord(
                f"{one}: is one field more than max_fields, {self.max_fields}; list those to watch in fields"
            )

    def _result(self, record: Record, window: Ended) -> Record:
        values: dict[str, Value] = {}
        units = {}
        for field in self.fields or window.fields:
            summary = window.fields.get(field)
            if summary is None:
                continue
            for name, suffix, ask in self._measures:
                values[field + suffix] = ask(summary)
                if name != "count" and self._units[field]:
                    units[field + suffix] = self._units[field]
        meta = {**record.meta, "window_start": _text(window.start), "window_end": _text(window.end)}
        if window.late:
            meta["firing"] = "late"
        time = max(window.start, instant(window.end - LEAST))
        return Record(record.id, record.source, time, values, units, meta)

    def snapshot(self) -> Mapping[str, Any]:
        """What is in the windows, the fields with their units, and what is known of the device's clock."""
        last = self._last
        return {
            "version": 1,
            "windows": self._windows.state(),
            "units": dict(self._units),
            "last": last and [last.id, last.source, last.time, dict(last.meta)],
            "latest": self._latest,
            "jump": self._jump and list(self._jump),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        saved = versioned(state, 1)
        self._windows.load(saved["windows"])
        self._units = dict(saved["units"])
        self._latest = saved["latest"]
        self._jump = saved["jump"] and list(saved["jump"])
        if saved["last"]:
            number, source, time, meta = saved["last"]
            self._last = Record(number, source, time, {}, {}, dict(meta))


def _text(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
