from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks import BadRecord, Record, Value
from riot_tasks.filter.range_filter import RangeFilter

RANGES = {"temperature": [-12.5, 43.1], "humidity": [10.7, 95.2]}


def _out(task: RangeFilter, **values: Value) -> list[dict[str, Value]]:
    return [result.values for result in task.process(Record(1, "dev7", 0.0, values))]


@pytest.mark.parametrize(
    ("temperature", "passes"),
    [
        (-12.5, True),
        (43.1, True),
        ("43.1", True),
        (20, True),
        (-12.51, False),
        (43.2, False),
        ("44", False),
        (50, False),
    ],
)
def test_bounds_are_inclusive(temperature: float | str, passes: bool) -> None:  # noqa: FBT001 - a column of the table
    """A value on a bound is within, one beyond it is not, as number or text."""
    assert bool(_out(RangeFilter(RANGES), temperature=temperature)) is passes


def test_a_record_within_bounds_is_handed_on_itself() -> None:
    """Nothing is copied for a record that passes."""
    record = Record(1, "dev7", 0.0, {"temperature": 20.0, "light": 1e9})
    assert [result is record for result in RangeFilter(RANGES).process(record)] == [True]


def test_null_replaces_only_the_outliers() -> None:
    """With on_outlier null the record stays, with None for each value out of bounds, units and meta kept."""
    record = Record(
        7, "dev7", 5.0, {"temperature": 85.0, "humidity": 40.0, "light": 9e9}, {"temperature": "Cel"}, {"a": "b"}
    )
    (result,) = RangeFilter(RANGES, on_outlier="null").process(record)
    values = {"temperature": None, "humidity": 40.0, "light": 9e9}
    assert result == Record(7, "dev7", 5.0, values, {"temperature": "Cel"}, {"a": "b"})


def test_fields_without_bounds_or_value_pass() -> None:
    """What has no bounds is not looked at; what has no value can't be out of bounds."""
    values: dict[str, Value] = {"light": "dark", "temperature": None}
    assert _out(RangeFilter(RANGES), **values) == [values]


@pytest.mark.parametrize("value", ["cold", True, b"20", "nan", float("inf")])
def test_a_bounded_field_without_a_number_is_refused(value: Value) -> None:
    """A bounded field must hold a number; RIoTBench, with parity, takes anything else for one within bounds."""
    with pytest.raises(BadRecord, match=r"^temperature: "):
        _out(RangeFilter(RANGES), temperature=value)
    assert _out(RangeFilter(RANGES, parity=True), temperature=value) == [{"temperature": value}]


def test_parity_compares_in_single_precision() -> None:
    """43.1000001 is 43.1 in single precision, and then within bounds."""
    assert _out(RangeFilter(RANGES), temperature=43.1000001) == []
    assert _out(RangeFilter(RANGES, parity=True), temperature=43.1000001) == [{"temperature": 43.1000001}]


def test_an_open_side_has_an_infinite_bound() -> None:
    """Infinity, .inf in YAML, leaves a side open."""
    task = RangeFilter({"light": [0, float("inf")]})
    assert (_out(task, light=1e299), _out(task, light=-1)) == ([{"light": 1e299}], [])


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e7, 1e7))
def test_drop_and_null_agree(one: float, other: float, value: float) -> None:
    """What drop takes out is what null blanks, and both are what lies outside."""
    ranges = {"x": sorted((one, other))}
    inside = min(one, other) <= value <= max(one, other)
    assert _out(RangeFilter(ranges), x=value) == ([{"x": value}] if inside else [])
    assert _out(RangeFilter(ranges, on_outlier="null"), x=value) == [{"x": value if inside else None}]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ranges": {}}, "ranges: must be field names with bounds"),
        ({"ranges": [["temperature", 1, 2]]}, "ranges: must be field names with bounds"),
        ({"ranges": {"temperature": [1]}}, r"ranges.temperature: must be two numbers, \[lowest, highest\]"),
        ({"ranges": {"temperature": "15"}}, "ranges.temperature: must be two numbers"),
        ({"ranges": {"temperature": [1, "5"]}}, "ranges.temperature: must be two numbers"),
        ({"ranges": {"temperature": [float("nan"), 5]}}, "ranges.temperature: must be two numbers"),
        ({"ranges": {"temperature": [5, 1]}}, "the lowest, 5, is above the highest, 1; swap them"),
        ({"ranges": RANGES, "on_outlier": "keep"}, "on_outlier: must be 'drop' or 'null'"),
        ({"ranges": RANGES, "parity": "no"}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        RangeFilter(**params)
