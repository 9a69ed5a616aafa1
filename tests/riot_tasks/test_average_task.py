from typing import Any

import numpy as np
import pytest

from riot_tasks import Record, Value
from riot_tasks.statistics.average import Average


def _record(number: int, **values: Value) -> Record:
    return Record(number, f"dev{number}", float(number), values, {"a": "Cel"}, {"n": str(number)})


def test_every_window_gives_one_mean(series: list[float]) -> None:
    """A mean comes with each tenth record and with no other, and is numpy's."""
    task = Average(["a"])
    for number, reading in enumerate(series, start=1):
        results = list(task.process(_record(number, a=reading)))
        assert len(results) == (number % 10 == 0)
        for result in results:
            assert result.values["a"] == pytest.approx(np.mean(series[number - 10 : number]), rel=1e-13)


def test_the_record_that_fills_the_window_lends_its_head() -> None:
    """The result has the id, source, time, units and meta of the last record of the window."""
    task = Average(["a"], window=2)
    assert list(task.process(_record(1, a=1.0))) == []
    assert list(task.process(_record(2, a=2.0, b=9.0))) == [_record(2, a=1.5)]


def test_each_field_fills_its_own_window() -> None:
    """A field that comes more rarely gives its mean later."""
    task = Average(["a", "b"], window=2)
    said = [list(task.process(record)) for record in (_record(1, a=1.0), _record(2, a=3.0, b=5.0), _record(3, b=7.0))]
    assert said == [[], [_record(2, a=2.0)], [_record(3, b=6.0)]]


def test_flush_gives_the_partial_windows() -> None:
    """At the end the means of what has not filled a window come under the last record that counted."""
    task = Average(["a", "b"], window=2)
    for record in (_record(1, a=1.0), _record(2, a=3.0, b=5.0), _record(3, c=1.0)):
        list(task.process(record))
    assert list(task.flush()) == [_record(2, b=5.0)]
    assert list(task.flush()) == []


def test_partial_windows_end_where_their_fields_do() -> None:
    """At the end each field's mean comes under the last record that had the field, those of one record together."""
    task = Average(["a", "b", "d"], window=9)
    for record in (_record(1, a=1.0, b=5.0), _record(2, b=7.0, a=2.0), _record(3, d=8.0, a=None), _record(4, b=9.0)):
        list(task.process(record))
    expected = [(2, {"a": 1.5}), (3, {"d": 8.0}), (4, {"b": 7.0})]
    assert [(result.id, result.values) for result in task.flush()] == expected


def test_flush_survives_a_restart() -> None:
    """A restored task still knows whose records the partial windows end with."""
    task, restored = Average(["a", "b"]), Average(["a", "b"])
    for record in (_record(3, b=2.0), _record(4, a=1.0)):
        list(task.process(record))
    restored.restore(task.snapshot())
    assert list(restored.flush()) == [_record(3, b=2.0), _record(4, a=1.0)]


def test_what_an_earlier_version_kept_goes_on() -> None:
    """A snapshot of version 1, of riot_tasks 0.1, is gone on from."""
    task = Average(["a"])
    task.restore({"version": 1, "fields": {"a": [3.0, 1]}, "last": [4, "dev4", 4.0, {"a": "Cel"}, {"n": "4"}]})
    assert list(task.flush()) == [_record(4, a=3.0)]


def test_the_original_loses_the_partial_windows() -> None:
    """With parity nothing comes at the end."""
    task = Average(["a"], parity=True)
    list(task.process(_record(1, a=1.0)))
    assert list(task.flush()) == []


def test_parity_adds_in_single_precision() -> None:
    """In single precision 2 ** 24 + 1 is 2 ** 24, so the mean of two loses the one."""
    for parity, mean in ((False, 2.0**23 + 0.5), (True, 2.0**23)):
        task = Average(["a"], window=2, parity=parity)
        assert [list(task.process(_record(1, a=a))) for a in (2.0**24, 1.0)] == [[], [_record(1, a=mean)]]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"window": 0}, "window: must be a whole number from 1"),
        ({"window": 2.5}, "window: must be a whole number from 1"),
        ({"fields": []}, "fields: .* is no list"),
        ({"parity": None}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        Average(**params)
