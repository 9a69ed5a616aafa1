"""Records of one field, as an exploded pack's are, take shorter ways through the tasks; they must lead to the same."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks import BadRecord, Record, Task, Value
from riot_tasks.fields import numbers
from riot_tasks.filter.bloom_filter import BloomFilter
from riot_tasks.filter.range_filter import RangeFilter
from riot_tasks.predict.interpolate import Interpolate

VALUES = st.one_of(
    st.floats(-60, 60),
    st.integers(-60, 60),
    st.sampled_from([None, "8", "x", True, b"8", 1e301, -(10**400), 10**300, float("inf"), float("nan"), 43.1, -12.5]),
)
READINGS = st.lists(st.tuples(st.sampled_from(["a", "b", "elsewhere"]), VALUES), max_size=12)
TASKS: dict[str, Callable[[], Task]] = {
    "range": lambda: RangeFilter({"a": [-12.5, 43.1], "b": [0, float("inf")]}, on_outlier="null"),
    "range dropping": lambda: RangeFilter({"a": [-12.5, 43.1], "b": [5, 9]}),
    "range as RIoTBench's": lambda: RangeFilter({"a": [-12.5, 43.1]}, parity=True),
    "interpolate": lambda: Interpolate(["a", "b"], window=3),
    "interpolate, dropping": lambda: Interpolate(["a", "b"], on_empty="drop"),
    "interpolate as RIoTBench's": lambda: Interpolate(["a", "b"], parity=True),
}


def said(task: Task, readings: Sequence[tuple[str, Value]], beside: dict[str, Value]) -> list[Any]:
    """What a task makes of records that have a field, and some others that it does not watch; and its state."""
    found: list[Any] = []
    for name, value in readings:
        try:
            results = list(task.process(Record(1, "dev7", 0.0, {name: value, **beside})))
        except BadRecord as error:
            found.append(str(error))
        else:
            found.append([repr({k: v for k, v in result.values.items() if k not in beside}) for result in results])
    return [*found, repr(task.snapshot())]


@pytest.mark.parametrize("name", TASKS)
@given(readings=READINGS)
def test_a_field_alone_is_treated_as_among_others(name: str, readings: list[tuple[str, Value]]) -> None:
    """Results, refusals and state are those that the same field has in a record with a field nobody watches."""
    make = TASKS[name]
    assert said(make(), readings, {}) == said(make(), readings, {"beside": b"x", "more": b"y"})


@given(name=st.sampled_from(["a", "b", "elsewhere"]), value=VALUES, fields=st.none() | st.just(["a", "b"]))
def test_a_number_alone_is_found_as_among_others(name: str, value: Value, fields: list[str] | None) -> None:
    """The numbers of a record with one field are those of a record that has two more without any."""

    def found(values: dict[str, Value]) -> object:
        try:
            return repr(numbers(Record(1, "dev7", 0.0, values), fields))
        except BadRecord as error:
            return str(error)

    assert found({name: value}) == found({name: value, "beside": b"x", "more": None})


@given(asked=st.lists(st.sampled_from(["dev1", "dev2", "stranger", "dev1 "]), max_size=20))
def test_who_asks_again_is_told_the_same(asked: list[str]) -> None:
    """Whatever the order in which sources come, those on the list pass and others do not."""
    task = BloomFilter(["dev1", "dev2"], false_positive=1e-9)
    passed = [bool(list(task.process(Record(1, source, 0.0, {"a": 1.0})))) for source in asked]
    assert passed == [source in ("dev1", "dev2") for source in asked]
