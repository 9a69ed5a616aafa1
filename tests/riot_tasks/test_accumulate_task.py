from typing import Any

import numpy as np
import orjson
import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.predict.sliding_regression import SlidingRegression
from riot_tasks.statistics.accumulate import Accumulate
from riot_tasks.visualize.multi_line_plot import MultiLinePlot


def _record(number: int, time: float | None = None, **values: Value) -> Record:
    units = {"a": "Cel", "b": "%RH"}
    return Record(number, "dev7", float(number) if time is None else time, values, units, {"n": str(number)})


def _given(task: Accumulate, records: list[Record]) -> list[Record]:
    return [result for record in records for result in task.process(record)]


def _series(result: Record, into: str = "series") -> Any:
    text = result.values[into]
    assert isinstance(text, str)
    return orjson.loads(text)


def test_every_window_is_all_its_readings(series: list[float]) -> None:
    """Each twentieth record gives the twenty readings up to it with their times, and no other gives anything."""
    task = Accumulate(["a"])
    for number, reading in enumerate(series, start=1):
        results = list(task.process(_record(number, a=reading)))
        assert len(results) == (number % 20 == 0)
        for result in results:
            times = np.arange(number - 19, number + 1, dtype=float)
            assert _series(result) == {"a": np.column_stack([times, series[number - 20 : number]]).tolist()}


def test_the_record_that_fills_the_window_lends_its_head() -> None:
    """The result has the last record's id, source, time and meta, the units of what it gathered, and the fields."""
    (result,) = _given(Accumulate(["a"], window=2), [_record(1, a=1.0), _record(2, 0.5, a=2.0, b=9.0)])
    expected = {"series": '{"a":[[0.5,2.0],[1.0,1.0]]}'}
    assert result == Record(2, "dev7", 0.5, expected, {"a": "Cel"}, {"n": "2", "fields": "a"})


def test_the_fields_of_a_window_are_said() -> None:
    """`meta["fields"]` names what a window has, in the order it came, and nothing of the window before."""
    records = [_record(1, b=1.0), _record(2, a=1.0, b=2.0), _record(3, a=1.0), _record(4, a=2.0)]
    assert [result.meta["fields"] for result in _given(Accumulate(window=2), records)] == ["b,a", "a"]


def test_series_are_in_the_order_of_their_times() -> None:
    """Readings that come late are put where they belong; those of the same time stay in the order they came."""
    times = [3.0e9, -1.0, 7.0, 7.0, 1.5, 7.0, 0.0]  # further apart than 32 bits of milliseconds
    (result,) = _given(Accumulate(window=7), [_record(at, time, a=at) for at, time in enumerate(times)])
    expected = [[-1.0, 1], [0.0, 6], [1.5, 4], [7.0, 2], [7.0, 3], [7.0, 5], [3.0e9, 0]]
    assert _series(result) == {"a": expected}


def test_records_count_not_readings() -> None:
    """A window is full after so many records that had a watched field, whichever."""
    records = [_record(1, a=1.0), _record(2, b=2.0), _record(3, c=3.0), _record(4, a=None), _record(5, a=4.0, b=5.0)]
    (result,) = _given(Accumulate(["a", "b"], window=3), records)
    assert _series(result) == {"a": [[1.0, 1.0], [5.0, 4.0]], "b": [[2.0, 2.0], [5.0, 5.0]]}


def test_every_window_starts_afresh() -> None:
    """A second window knows nothing of the first one's readings, fields and units."""
    results = _given(Accumulate(window=2), [_record(1, a=1.0), _record(2, a=2.0), _record(3, b=3.0), _record(4, c=4.0)])
    assert _series(results[1]) == {"b": [[3.0, 3.0]], "c": [[4.0, 4.0]]}
    assert results[1].units == {"b": "%RH"}


def test_flush_gives_the_partial_window() -> None:
    """At the end what has not filled a window comes under the last record that counted, once."""
    task = Accumulate(["a"])
    assert _given(task, [_record(1, a=1.0), _record(2, a=2.0), _record(3, c=1.0)]) == []
    (late,) = task.flush()
    assert (late.id, late.time, _series(late)) == (2, 2.0, {"a": [[1.0, 1.0], [2.0, 2.0]]})
    assert list(task.flush()) == []


def test_the_original_loses_the_partial_window() -> None:
    """With parity nothing comes at the end."""
    task = Accumulate(["a"], parity=True)
    _given(task, [_record(1, a=1.0)])
    assert list(task.flush()) == []


def test_parity_gathers_single_precision(series: list[float]) -> None:
    """With parity the readings are numpy's float32 of them, times stay as they are."""
    (result,) = _given(Accumulate(window=50, parity=True), [_record(at, at + 0.1, a=series[at]) for at in range(50)])
    assert _series(result) == {"a": [[at + 0.1, float(np.float32(series[at]))] for at in range(50)]}


def test_forecasts_are_series_of_their_own() -> None:
    """With name_from each step's forecasts have a series with the field's unit, beside the readings' own."""
    line = SlidingRegression(["a"], window=2, horizon=2)
    readings = [_record(number, a=float(number)) for number in range(1, 5)]
    records = [each for reading in readings for each in (reading, *line.process(reading))]
    (result,) = _given(Accumulate(window=8, name_from="step"), records)
    assert _series(result) == {
        "a": [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0]],
        "a step 1": [[3.0, 4.0], [4.0, 5.0]],
        "a step 2": [[3.0, 5.0], [4.0, 6.0]],
    }
    assert result.units == {"a": "Cel", "a step 1": "Cel", "a step 2": "Cel"}
    assert result.meta == {"n": "4", "fields": "a"}


def test_a_plot_draws_what_was_gathered(series: list[float]) -> None:
    """A result is what multi_line_plot takes: each series is in the picture under its name, with its unit."""
    pytest.importorskip("matplotlib")
    line = SlidingRegression(["a"], window=5, horizon=2)
    readings = [_record(number, a=reading) for number, reading in enumerate(series[:30])]
    records = [each for reading in readings for each in (reading, *line.process(reading))]
    (result,) = _given(Accumulate(window=80, name_from="step"), records)
    (chart,) = MultiLinePlot().process(result)
    picture = chart.values["plot"]
    assert isinstance(picture, bytes)
    assert [word in picture for word in (b"a step 1", b"a step 2", b"Cel")] == [True] * 3


def test_the_series_field_can_be_named() -> None:
    """With `into` the series are in the field of that name."""
    (result,) = _given(Accumulate(window=1, into="lines"), [_record(1, a=1.0)])
    assert _series(result, "lines") == {"a": [[1.0, 1.0]]}


def test_fields_apart_are_as_in_records_of_their_own() -> None:
    """With `apart` each field has the windows that it would have under a key of its own, gaps or not."""
    records = [_record(at, a=at / 2, **{} if at % 3 else {"b": -float(at)}) for at in range(1, 30)]
    results = _given(task := Accumulate(window=4, apart=True), records)
    results += task.flush()
    for field in ("a", "b"):
        alone = Accumulate([field], window=4)
        own = [
            Record(each.id, each.source, each.time, {field: each.values[field]}, {field: each.units[field]}, each.meta)
            for each in records
            if field in each.values
        ]
        expected = [*_given(alone, own), *alone.flush()]
        assert [result for result in results if result.meta["fields"] == field] == expected


def test_first_windows_end_at_different_times() -> None:
    """With `stagger` devices that begin together end their first windows all along a window; later ones are full."""
    ends = []
    for number in range(200):
        task = Accumulate(window=20, stagger=True)
        records = [Record(at, f"dev{number}", float(at), {"a": 1.0}) for at in range(60)]
        first, second, *_ = _given(task, records)
        ends.append(first.id)
        assert len(_series(second)["a"]) == 20
    assert set(ends) == set(range(20))


def test_what_an_earlier_version_kept_goes_on() -> None:
    """A snapshot of version 1, of riot_tasks 0.1, is gone on from."""
    last = [3, "dev7", 2.0, {"n": "3"}]
    units = {"a": "Cel"}
    task = Accumulate(window=3)
    task.restore({
        "version": 1, "count": 2, "seen": ["a"], "series": {"a": [[1.0, 2.0], [5.0, 6.0]]}, "units": units,
        "last": last,
    })  # fmt: skip
    (result,) = task.process(_record(4, a=7.0))
    assert (_series(result), result.units) == ({"a": [[1.0, 5.0], [2.0, 6.0], [4.0, 7.0]]}, units)


def test_with_fields_apart_one_too_many_is_refused() -> None:
    """With `apart` max_fields bounds the fields that state is kept for, however many windows have passed."""
    task = Accumulate(window=1, apart=True, max_fields=1)
    _given(task, [_record(1, a=1.0), _record(2, a=2.0)])
    with pytest.raises(BadRecord, match="b: is one field more than max_fields, 1"):
        list(task.process(_record(3, a=1.0, b=1.0)))


def test_one_field_too_many_is_refused() -> None:
    """Past max_fields in a window a record with a new field is refused whole; the next window begins anew."""
    task = Accumulate(window=2, max_fields=2)
    _given(task, [_record(1, a=1.0, b=2.0)])
    before = task.snapshot()
    with pytest.raises(BadRecord, match="c: is one field more than max_fields, 2; list the ones to watch in fields"):
        list(task.process(_record(2, a=1.0, c=1.0)))
    assert task.snapshot() == before
    results = _given(task, [_record(3, a=3.0), _record(4, c=1.0, d=2.0), _record(5, d=1.0)])
    assert [list(_series(result)) for result in results] == [["a", "b"], ["c", "d"]]


def test_a_field_that_is_no_number_is_refused() -> None:
    """A named field with a text in it makes a BadRecord that names it."""
    with pytest.raises(BadRecord, match=r"^a: 'cold' is not a number"):
        list(Accumulate(["a"]).process(_record(1, a="cold")))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fields": []}, "fields: .* is no list"),
        ({"window": 0}, "window: must be a whole number from 1"),
        ({"into": ""}, "into: must be a field's name"),
        ({"name_from": 3}, "name_from: must be a field's name"),
        ({"apart": 1}, "apart: must be true or false"),
        ({"stagger": "yes"}, "stagger: must be true or false"),
        ({"max_fields": 0}, "max_fields: must be a whole number from 1"),
        ({"parity": "no"}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        Accumulate(**params)
