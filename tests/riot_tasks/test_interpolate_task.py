from typing import Any

import numpy as np
import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.filter.range_filter import RangeFilter
from riot_tasks.predict.interpolate import Interpolate


def _record(**values: Value) -> Record:
    return Record(7, "dev7", 5.0, values, {"a": "Cel"}, {"bn": "x"})


def _out(task: Interpolate, **values: Value) -> list[dict[str, Value]]:
    return [result.values for result in task.process(_record(**values))]


def test_a_gap_is_the_mean_of_the_last_readings(series: list[float]) -> None:
    """Wherever a reading is missing numpy's mean of the five before it stands; gaps filled before do not count."""
    task, readings = Interpolate(["a"]), list[float]()
    for at, reading in enumerate(series):
        if at % 3 != 2:
            readings.append(reading)
        (values,) = _out(task, a=None if at % 3 == 2 else reading)
        assert values["a"] == (pytest.approx(np.mean(readings[-5:]), rel=1e-14) if at % 3 == 2 else reading)


def test_everything_else_stays_as_it_is() -> None:
    """The filled record has its head, the order of its fields, and every field that was not None."""
    task = Interpolate(["a"])
    assert list(task.process(_record(a="20", kind="indoor"))) == [_record(a="20", kind="indoor")]
    (filled,) = task.process(_record(kind=None, a=None, b=b"raw"))
    assert filled == _record(kind=None, a=20.0, b=b"raw")
    assert list(filled.values) == ["kind", "a", "b"]


def test_a_field_that_is_not_there_is_not_added() -> None:
    """Only what is None is filled; a record without the field stays without it."""
    task = Interpolate(["a"])
    assert [_out(task, a=1.0), _out(task, b=2.0)] == [[{"a": 1.0}], [{"b": 2.0}]]


def test_each_field_has_its_own_readings() -> None:
    """Without names every None is filled from the field's own readings, with a window for each."""
    task = Interpolate(window=2)
    said = [_out(task, a=a, b=b) for a, b in ((1.0, 10.0), (3.0, None), (None, 30.0), (None, None))]
    assert said[1:] == [[{"a": 3.0, "b": 10.0}], [{"a": 2.0, "b": 30.0}], [{"a": 2.0, "b": 20.0}]]


@pytest.mark.parametrize(
    ("on_empty", "said"), [("pass", [{"a": None, "b": 1.0}]), ("zero", [{"a": 0.0, "b": 1.0}]), ("drop", [])]
)
def test_a_gap_before_any_reading(on_empty: str, said: list[dict[str, Value]]) -> None:
    """Where there is nothing to take a mean of, on_empty decides; the record's other readings count all the same."""
    task = Interpolate(["a", "b"], on_empty=on_empty)
    assert _out(task, a=None, b=1.0) == said
    assert _out(task, a=2.0, b=None) == [{"a": 2.0, "b": 1.0}]


def test_a_range_filters_gaps_are_filled() -> None:
    """Behind a range_filter that writes null an outlier becomes the mean of what lay within bounds."""
    bounds, task = RangeFilter({"a": [0, 50]}, on_outlier="null"), Interpolate(["a"])
    said = [_out(task, **kept.values) for a in (20.0, 22.0, 900.0) for kept in bounds.process(_record(a=a))]
    assert said == [[{"a": 20.0}], [{"a": 22.0}], [{"a": 21.0}]]


def test_parity_gives_zero_and_single_precision() -> None:
    """With parity an early gap is 0.0 whatever on_empty says, and readings and means are single precision."""
    task = Interpolate(["a"], on_empty="drop", parity=True)
    assert _out(task, a=None, b=0.1) == [{"a": 0.0, "b": 0.1}]
    assert _out(task, a="0.1", b=0.1) == [{"a": 0.10000000149011612, "b": 0.1}]
    assert _out(task, a=None) == [{"a": 0.10000000149011612}]


def test_a_watched_field_that_is_no_number_is_refused() -> None:
    """A named field with a text in it makes a BadRecord that names it."""
    with pytest.raises(BadRecord, match=r"^a: 'cold' is not a number"):
        _out(Interpolate(["a"]), a="cold")


def test_one_field_too_many_is_refused() -> None:
    """Past max_fields a record with a new numeric field is refused; gaps need no room."""
    task = Interpolate(max_fields=1)
    assert _out(task, a=1.0, b=None) == [{"a": 1.0, "b": None}]
    with pytest.raises(BadRecord, match="b: is one field more than max_fields, 1"):
        _out(task, a=1.0, b=1.0)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fields": [""]}, "fields: .* is no list"),
        ({"window": 0}, "window: must be a whole number from 1 to 1000000"),
        ({"on_empty": None}, "on_empty: must be 'pass' or 'zero' or 'drop'"),
        ({"max_fields": True}, "max_fields: must be a whole number"),
        ({"parity": 0}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        Interpolate(**params)
