"""`join`: the parts of a message in one record again."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from riot_tasks.errors import BadRecord
from riot_tasks.fields import versioned
from riot_tasks.parameters import duration, flag, names, one_of, whole
from riot_tasks.record import Record, Value
from riot_tasks.task import Task

_LEAST, _MOST = -(2**63), 2**64 - 1
"""Integers that a snapshot can hold."""
_SHORTEST = 1e-3
"""Seconds of a time to wait."""


class _Gathered:
    """What has come of a message: its first record, and values and units of all, which grow in place."""

    __slots__ = ("first", "units", "values")

    def __init__(self, first: Record) -> None:
        self.first = first
        self.values: dict[str, Value] = {}
        self.units: dict[str, str] = {}


class Join(Task):
    """Gathers the records of one message, as `senml_parse` with `explode` makes them, to one record with all fields.

    Args:
        fields: the fields that make a message complete, in the order the result has them. None in a field is as good
            as a value; other fields are left out.
        same_time: only records of one time belong together, for messages that hold several readings of a field.
        timeout: the records' own time after which a message that is still incomplete expires, in seconds or as "10s",
            "1m": when a record of another message comes that is so much later than its first one. None is never.
        max_open: messages gathered at a time; one more makes the oldest expire.
        on_expiry: "drop" gives nothing for a message that expires; "partial" gives what came of it, with None for
            the rest.
        idle_timeout: time on the wall's clock without any record of the key after which all that is incomplete expires;
            None is never: the last message waits for the next record then.

    The result has the time and the meta of the message's first record, and the units of all. A partial one comes with
    the record that makes the message expire, and has that one's id: `meta["message"]` is its own, `meta["missing"]`
    the fields that did not come, with commas between. Once messages have expired, `meta["expired"]` of each result is
    how many so far; they are also counted as `expired` in the stage's statistics. At most one expires with a record; at
    the end of a bounded stream, and after `idle_timeout`, all do, each under its own id. A field that comes twice makes
    a BadRecord; a part that comes after its message has expired opens it anew.

    RIoTBench counts names up to a number in the settings, and keeps what is incomplete for ever.

    Example:
        >>> from riot_tasks import Record
        >>> task = Join(["temperature", "humidity"])
        >>> for values in ({"humidity": 50.0}, {"light": 800.0}, {"temperature": None}):
        ...     for result in task.process(Record(7, "dev7", 0.0, values)):
        ...         print(result.id, result.values)
        7 {'temperature': None, 'humidity': 50.0}

    References:
        RIoTBench JoinBolt of its ETL dataflow, arXiv 1701.08530, figure 3a; not among the 27 tasks of its paper.
    """

    pattern = "N:1"

    def __init__(  # noqa: PLR0913 - six keys of the config
        self,
        fields: Sequence[str],
        *,
        same_time: bool = False,
        timeout: float | str | None = 60.0,
        max_open: int = 64,
        on_expiry: str = "drop",
        idle_timeout: float | str | None = None,
    ) -> None:
        self.fields = names("fields", fields) or _none()
        self.same_time = flag("same_time", same_time)
        self.timeout = None if timeout is None else duration("timeout", timeout, least=_SHORTEST)
        self.max_open = whole("max_open", max_open, least=1)
        self.on_expiry = one_of("on_expiry", on_expiry, ("drop", "partial"))
        self.idle_timeout = None if idle_timeout is None else duration("idle_timeout", idle_timeout, least=_SHORTEST)
        self._wanted = _set_of(tuple(self.fields))
        self._open: dict[tuple[int, float], _Gathered] = {}
        self._expired = 0

    def process(self, record: Record) -> Iterable[Record]:
        """The message, if this record completes it; else one that expires, if any does.

        Raises:
            BadRecord: a field came before in this message, or holds what no snapshot can.
        """
        values, units = self._fit(record.values), record.units
        if not values:
            return ()
        key = (record.id, record.time if self.same_time else 0.0)
        gathered = self._open.get(key)
        if gathered is None:
            gathered = self._open[key] = _Gathered(record)
        have = gathered.values
        if have and not have.keys().isdisjoint(values):
            raise BadRecord(_twice(gathered, record))
        have.update(values)
        for field in values if units else ():
            if field in units:
                gathered.units[field] = units[field]
        if len(have) == len(self.fields):
            self._close(key)
            return (self._result(gathered, record.id, {}),)
        if len(self._open) == 1:  # nearly always
            return ()
        overdue = self._overdue(key, record.time)
        return () if overdue is None else self._expiry(overdue, record.id)

    def _fit(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Those that make the message complete, fit to be kept."""
        if not self._wanted.issuperset(values):
            values = {field: value for field, value in values.items() if field in self._wanted}
        for field, value in values.items():
            if type(value) is not float:
                _check(field, value)
        return values

    def flush(self) -> Iterable[Record]:
        """What is incomplete, each under its own id; nothing with `on_expiry` "drop"."""
        return [result for key in list(self._open) for result in self._expiry(key, key[0])]

    def on_idle(self) -> Iterable[Record]:
        """What is incomplete, as `flush` gives it: nobody can say whether the rest is still to come."""
        return self.flush()

    def _overdue(self, latest: tuple[int, float], now: float) -> tuple[int, float] | None:
        """The message that expires next, if one has to."""
        if len(self._open) > self.max_open:
            return next(iter(self._open))
        if self.timeout is None:
            return None
        late = (key for key, each in self._open.items() if now - each.first.time > self.timeout and key != latest)
        return next(late, None)

    def _expiry(self, key: tuple[int, float], number: int) -> Iterable[Record]:
        gathered = self._close(key)
        self._expired += 1
        self.note("expired")
        if self.on_expiry == "drop":
            return ()
        missing = ",".join(field for field in self.fields if field not in gathered.values)
        return (self._result(gathered, number, {"message": str(gathered.first.id), "missing": missing}),)

    def _close(self, key: tuple[int, float]) -> _Gathered:
        gathered = self._open.pop(key)
        if not self._open:  # nearly always; a dict that has been emptied would keep its room, which many keys notice
            self._open = {}
        return gathered

    def _result(self, gathered: _Gathered, number: int, more: dict[str, str]) -> Record:
        values = {field: gathered.values.get(field) for field in self.fields}
        first, meta = gathered.first, gathered.first.meta
        if self._expired:
            meta = {**meta, **more, "expired": str(self._expired)}
        return Record(number, first.source, first.time, values, gathered.units, meta)

    def snapshot(self) -> Mapping[str, Any]:
        """What has come of the messages that are open, and how many have expired."""
        rows = [
            [
                each.first.id,
                each.first.source,
                each.first.time,
                dict(each.values),
                dict(each.units),
                dict(each.first.meta),
            ]
            for each in self._open.values()
        ]
        return {"version": 1, "open": rows, "expired": self._expired}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        saved = versioned(state, 1)
        self._open = {}
        for number, source, time, values, units, meta in saved["open"]:
            gathered = _Gathered(Record(number, source, time, {}, {}, dict(meta)))
            gathered.values.update(values)
            gathered.units.update(units)
            self._open[number, time if self.same_time else 0.0] = gathered
        self._expired = saved["expired"]


@lru_cache
def _set_of(fields: tuple[str, ...]) -> frozenset[str]:
    """One set for the instances of all keys: it takes more memory than all else they have."""
    return frozenset(fields)


def _twice(gathered: _Gathered, record: Record) -> str:
    """Why a record can't be part of a message."""
    field = next(field for field in record.values if field in gathered.values)
    return f"{field}: came twice in message {record.id}; same_time keeps readings of different times apart"


def _check(field: str, value: Value) -> None:
    """Refuse a value that no snapshot can hold."""
    if type(value) is int and not _LEAST <= value <= _MOST:
        raise BadRecord(f"{field}: an integer of {value.bit_length()} bits; 64 can be kept")
    if type(value) is str and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise BadRecord(f"{field}: not a text in Unicode: {error.reason}") from None


def _none() -> list[str]:
    raise ValueError("fields: list those that make a message complete, [temperature, humidity]")
