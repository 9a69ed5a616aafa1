from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.algorithms.kalman import Kalman, Kalman32
from riot_tasks.statistics.kalman_filter import KalmanFilter


def _out(task: KalmanFilter, values: dict[str, Value]) -> list[dict[str, Value]]:
    return [result.values for result in task.process(Record(1, "dev7", 0.0, values))]


@pytest.mark.parametrize(("parity", "algorithm"), [(False, Kalman), (True, Kalman32)])
def test_each_field_has_its_own_filter(series: list[float], parity: bool, algorithm: type[Kalman]) -> None:  # noqa: FBT001 - a column of the table
    """Two fields in one record are filtered as two series, with the parameters given."""
    task = KalmanFilter(["a", "b"], process_noise=0.2, sensor_noise=0.5, estimated_error=2.0, parity=parity)
    one, other = algorithm(0.2, 0.5, 2.0), algorithm(0.2, 0.5, 2.0)
    for reading in series[:100]:
        expected = {"a": one.update(reading), "b": other.update(-reading)}
        assert _out(task, {"b": -reading, "a": reading, "c": 1.0}) == [expected]


def test_the_result_is_the_record_with_the_estimates_only() -> None:
    """Id, source, time, units and meta stay; fields not watched go."""
    record = Record(7, "dev7", 5.0, {"a": "20.5", "b": 1.0}, {"a": "Cel"}, {"bn": "x"})
    assert list(KalmanFilter(["a"]).process(record)) == [Record(7, "dev7", 5.0, {"a": 20.5}, {"a": "Cel"}, {"bn": "x"})]


def test_the_original_starts_from_zero() -> None:
    """With parity the first estimate is pulled towards 0, without it is the first reading."""
    assert _out(KalmanFilter(["a"]), {"a": 8.0}) == [{"a": 8.0}]
    assert _out(KalmanFilter(["a"], parity=True), {"a": 8.0}) == [{"a": 7.915914058685303}]


def test_a_record_without_a_watched_field_gives_nothing() -> None:
    """Missing and None fields are passed over, and leave the filter as it was."""
    task = KalmanFilter(["a"])
    assert _out(task, {"a": 20.0}) == [{"a": 20.0}]
    before = task.snapshot()
    assert (_out(task, {"b": 1.0}), _out(task, {"a": None}), _out(task, {})) == ([], [], [])
    assert task.snapshot() == before


def test_without_fields_all_numbers_are_filtered() -> None:
    """Every field that holds a number is filtered, whenever it first comes."""
    task = KalmanFilter()
    assert _out(task, {"a": 1.0, "kind": "indoor"}) == [{"a": 1.0}]
    assert _out(task, {"b": "2", "on": True}) == [{"b": 2.0}]


def test_one_field_too_many_is_refused() -> None:
    """Past max_fields a record with a new field is refused; those with known fields go on."""
    task = KalmanFilter(max_fields=2)
    _out(task, {"a": 1.0, "b": 2.0})
    with pytest.raises(BadRecord, match="c: is one field more than max_fields, 2; list the ones to watch in fields"):
        _out(task, {"a": 1.0, "c": 1.0})
    assert _out(task, {"a": 1.0, "b": 2.0}) == [{"a": 1.0, "b": 2.0}]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fields": "temperature"}, "fields: 'temperature' is no list of different field names"),
        ({"process_noise": 0}, "process_noise: must be a number above 0"),
        ({"sensor_noise": "0.1"}, "sensor_noise: must be a number above 0"),
        ({"estimated_error": float("nan")}, "estimated_error: must be a number above 0"),
        ({"max_fields": 0}, "max_fields: must be a whole number from 1"),
        ({"parity": 1}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        KalmanFilter(**params)
