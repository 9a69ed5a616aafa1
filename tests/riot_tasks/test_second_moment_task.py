from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.algorithms.surprise import Surprise, Surprise32
from riot_tasks.statistics.second_moment import SecondMoment


def _out(task: SecondMoment, values: dict[str, Value]) -> list[dict[str, Value]]:
    return [result.values for result in task.process(Record(1, "dev7", 0.0, values))]


@pytest.mark.parametrize(("parity", "algorithm"), [(False, Surprise), (True, Surprise32)])
def test_each_field_has_its_own_moment(
    series: list[float],
    parity: bool,  # noqa: FBT001 - a column of the table
    algorithm: type[Surprise | Surprise32],
) -> None:
    """Two fields in one record are counted as two series, with the parameters given."""
    task = SecondMoment(["a", "b"], tracked=20, seed=5, parity=parity)
    one, other = algorithm(20, 5), algorithm(20, 5)
    for reading in series[:100]:
        expected = {"a": one.update(reading), "b": other.update(round(reading, -1))}
        assert _out(task, {"b": round(reading, -1), "a": reading, "c": 1.0}) == [expected]


def test_the_result_has_the_moments_only() -> None:
    """Id, source, time and meta stay; the moments are counts, whatever the readings' unit was."""
    record = Record(7, "dev7", 5.0, {"a": "20.5", "b": 1.0}, {"a": "Cel"}, {"bn": "x"})
    assert list(SecondMoment(["a"]).process(record)) == [
        Record(7, "dev7", 5.0, {"a": 1.0}, {"a": "count"}, {"bn": "x"})
    ]


def test_four_equal_readings_have_moment_sixteen() -> None:
    """The moment of n equal readings is n * n; the original's number, with as many places as values, is not."""
    for parity, tracked, moment in ((False, 4, 16.0), (True, 1, 28.0)):
        task = SecondMoment(["a"], tracked=tracked, parity=parity)
        assert [_out(task, {"a": 3.0}) for _ in range(4)][-1] == [{"a": moment}]


def test_a_record_without_a_watched_field_gives_nothing() -> None:
    """Missing and None fields are passed over, and count for nothing."""
    task = SecondMoment(["a"])
    said = [_out(task, values) for values in ({"a": 2.0}, {"b": 1.0}, {"a": None}, {"a": 2})]
    assert said == [[{"a": 1.0}], [], [], [{"a": 4.0}]]


def test_one_field_too_many_is_refused() -> None:
    """Past max_fields a record with a new field is refused; those with known fields go on."""
    task = SecondMoment(max_fields=1)
    _out(task, {"a": 1.0})
    with pytest.raises(BadRecord, match="b: is one field more than max_fields, 1"):
        _out(task, {"a": 1.0, "b": 1.0})
    assert _out(task, {"a": 1.0}) == [{"a": 4.0}]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fields": "a"}, "fields: 'a' is no list"),
        ({"tracked": 0}, r"tracked: must be a whole number from 1 to 1000000 \(is 0\)"),
        ({"seed": -1}, "seed: must be a whole number from 0"),
        ({"max_fields": 1.5}, "max_fields: must be a whole number from 1"),
        ({"parity": 1}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        SecondMoment(**params)
