"""Which of a record's fields a task works on, and what counts as a number or a text in them."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from riot_tasks.errors import BadRecord
from riot_tasks.parameters import names, whole
from riot_tasks.record import Record, Value
from riot_tasks.showing import shown
from riot_tasks.task import Task

LIMIT = 1e300
"""Numbers are smaller than this, so that sums and differences of them stay finite; no measurement is larger."""
MAX_FIELDS = 64
"""Fields a task keeps state for when it watches all numeric ones."""


class Algorithm(Protocol):
    """What turns a field's numbers into results; one object per field."""

    def update(self, number: float, /) -> Any:  # noqa: ANN401 - each algorithm has its own kind of result
        """Take the next number; give a result, or None if there is none yet."""

    def state(self) -> Any:  # noqa: ANN401 - and its own shape of plain data
        """Its state as plain data."""

    def load(self, state: Any, /) -> None:  # noqa: ANN401 - what `state` gave
        """Go on from what `state` gave."""


A = TypeVar("A", bound=Algorithm)


class FieldTask(Task, Generic[A]):
    """A task that runs one algorithm over each of the numeric fields it watches.

    Args:
        fields: names of the fields; None is every field that holds a number.
        max_fields: with `fields` None, fields to keep state for; a record that brings one more is a BadRecord.
    """

    def __init__(self, fields: Sequence[str] | None, max_fields: int) -> None:
        self.fields = names("fields", fields)
        self.max_fields = whole("max_fields", max_fields, least=1)
        self._algorithms: dict[str, A] = {}

    @abstractmethod
    def _algorithm(self) -> A:
        """A fresh algorithm for a field seen for the first time."""

    def _advance(self, found: Mapping[str, float]) -> dict[str, Any]:
        """What these numbers bring about, by field; raises BadRecord before any state has changed."""
        algorithms = self._algorithms
        if not found.keys() <= algorithms.keys():
            self._begin(found)
        results = {}
        for name, value in found.items():
            result = algorithms[name].update(value)
            if result is not None:
                results[name] = result
        return results

    def _begin(self, found: Iterable[str]) -> None:
        """Have an algorithm for each of these fields: where a key is of one field only, the others need none."""
        fresh = [name for name in found if name not in self._algorithms]
        if self.fields is None and fresh and len(self._algorithms) + len(fresh) > self.max_fields:
            raise BadRecord(
                f"{fresh[-1]}: is one field more than max_fields, {self.max_fields}; list the ones to watch in fields"
            )
        for name in fresh:
            self._algorithms[name] = self._algorithm()

    def snapshot(self) -> Mapping[str, Any]:
        """State of each field's algorithm."""
        return {"version": 1, "fields": {name: each.state() for name, each in self._algorithms.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        saved = versioned(state, 1)["fields"]
        self._begin(name for name in saved if self.fields is None or name in self.fields)
        for name in self._algorithms.keys() & saved.keys():
            self._algorithms[name].load(saved[name])


def derived(record: Record, values: dict[str, Value]) -> Record:
    """A record of new values for fields of `record`, which keep their units."""
    # the other mappings are shared, not copied: a record's mappings are never changed
    return Record(record.id, record.source, record.time, values, units_of(record, values), record.meta)


def units_of(record: Record, fields: Collection[str]) -> dict[str, str]:
    """The units of these fields of a record, without those of fields that the result does not have."""
    units = record.units
    if len(fields) >= len(units):  # nearly always all of them: a unit too many does no harm, a copy costs
        return units
    return {name: units[name] for name in fields if name in units}


def numbers(record: Record, fields: Sequence[str] | None) -> dict[str, float]:
    """The numbers in the watched fields that the record has, in the order of `fields`, or of the record.

    Without `fields`, a field counts if it holds a number, or a text that is one. None is nothing to work on.

    Raises:
        BadRecord: a watched field holds something else, or a number beyond `LIMIT`.
    """
    return _every(record.values) if fields is None else _named(record.values, fields)


def _named(values: Mapping[str, Value], fields: Sequence[str]) -> dict[str, float]:
    if len(values) == 1:  # one observation, as `senml_parse` with `explode` gives them
        (name,) = values
        fields = (name,) if name in fields else ()
    found = {}
    for name in fields:
        value = values.get(name)
        if type(value) is float and -LIMIT < value < LIMIT:  # nearly always: two comparisons and no call
            found[name] = value
        elif value is not None:
            found[name] = number(name, value)
    return found


def _every(values: Mapping[str, Value]) -> dict[str, float]:
    found = {}
    for name, value in values.items():
        if type(value) is float and -LIMIT < value < LIMIT:
            found[name] = value
        elif type(value) is str:
            parsed = _parsed(value)
            if parsed is not None:
                found[name] = parsed
        elif isinstance(value, int | float) and type(value) is not bool:
            found[name] = number(name, value)
    return found


def number(name: str, value: Value) -> float:
    """A field's value as a number; the text `"8.5"` is one, True is none.

    Raises:
        BadRecord: it is no number, or none within `LIMIT`.
    """
    parsed = _parsed(value)
    if parsed is None:
        raise BadRecord(f"{name}: {shown(value)} is not a number within ±{LIMIT:g}")
    return parsed


def _parsed(value: Value) -> float | None:
    if type(value) is int and -LIMIT < value < LIMIT:  # 0.1 µs instead of 0.5
        return float(value)
    if value is None or isinstance(value, bool | bytes) or (isinstance(value, str) and "_" in value):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if -LIMIT < parsed < LIMIT else None


def versioned(state: Mapping[str, Any], newest: int) -> Mapping[str, Any]:
    """A snapshot, checked to be of a version that is known.

    Raises:
        ValueError: it is from a newer riot_tasks.
    """
    if not 1 <= state["version"] <= newest:
        raise ValueError(f"snapshot of version {state['version']}: this riot_tasks reads up to {newest}; upgrade it")
    return state
