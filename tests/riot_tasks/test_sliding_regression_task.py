from typing import Any

import numpy as np
import pytest

from riot_tasks import Record, Value
from riot_tasks.algorithms.float32 import float32
from riot_tasks.predict.sliding_regression import SlidingRegression


def _record(number: int, **values: Value) -> Record:
    return Record(number, "dev7", float(number), values, {"a": "Cel"}, {"bn": "x"})


def test_forecasts_are_numpys_on_every_prefix(series: list[float]) -> None:
    """Each record after the tenth gives ten records, numpy's line through the last ten readings carried on."""
    task = SlidingRegression(["a"])
    for number, reading in enumerate(series[:200], start=1):
        results = list(task.process(_record(number, a=reading)))
        assert len(results) == (10 if number > 10 else 0)
        if results:
            line = np.poly1d(np.polyfit(range(-9, 1), series[number - 10 : number], 1))
            assert [result.values["a"] for result in results] == pytest.approx(line(range(1, 11)), rel=1e-9, abs=1e-6)


def test_a_step_is_told_by_its_meta() -> None:
    """One record for each step ahead, under the head of the record it follows from."""
    task = SlidingRegression(["a"], window=2, horizon=2)
    said = [list(task.process(_record(number, a=float(number), b=0.0))) for number in (1, 2, 3)]
    head = (3, "dev7", 3.0)
    assert said == [
        [],
        [],
        [
            Record(*head, {"a": 4.0}, {"a": "Cel"}, {"bn": "x", "step": "1"}),
            Record(*head, {"a": 5.0}, {"a": "Cel"}, {"bn": "x", "step": "2"}),
        ],
    ]


def test_each_field_has_its_own_line() -> None:
    """A field that comes more rarely is forecast later."""
    task = SlidingRegression(window=2, horizon=1)
    heads: list[dict[str, Value]] = [{"a": 1.0, "b": 2.0}, {"a": 2.0}, {"a": 3.0, "b": 4.0}, {"a": 4.0, "b": 6.0}]
    said = [[result.values for result in task.process(_record(1, **values))] for values in heads]
    assert said == [[], [], [{"a": 4.0}], [{"a": 5.0, "b": 8.0}]]


def test_parity_rounds_to_single_precision(series: list[float]) -> None:
    """With parity the forecasts are the same, in single precision."""
    task, rounded = SlidingRegression(["a"]), SlidingRegression(["a"], parity=True)
    for number, reading in enumerate(series[:50], start=1):
        exact = [result.values["a"] for result in task.process(_record(number, a=reading))]
        assert [result.values["a"] for result in rounded.process(_record(number, a=reading))] == list(
            map(float32, exact)
        )


@pytest.mark.parametrize("parity", [False, True])
def test_the_mean_is_that_of_the_forecasts(series: list[float], parity: bool) -> None:  # noqa: FBT001 - a mode of the task
    """With `give: mean` a record gives one, with the mean of what it would have forecast; its step says so."""
    each = SlidingRegression(["a"], horizon=4, parity=parity)
    task = SlidingRegression(["a"], horizon=4, give="mean", parity=parity)
    for number, reading in enumerate(series[:40], start=1):
        ahead = [result.values["a"] for result in each.process(_record(number, a=reading))]
        means = [(result.values["a"], result.meta["step"]) for result in task.process(_record(number, a=reading))]
        expected = sum(ahead) / 4
        exact = float32(expected) if parity else pytest.approx(expected, rel=1e-13)
        assert means == ([(exact, "1-4")] if ahead else [])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"window": 1}, "window: must be a whole number from 2"),
        ({"horizon": 0}, "horizon: must be a whole number from 1 to 10000"),
        ({"fields": {"a": 1}}, "fields: .* is no list"),
        ({"give": "all"}, "give: must be 'forecasts' or 'mean'"),
        ({"max_fields": None}, "max_fields: must be a whole number"),
        ({"parity": 0}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        SlidingRegression(**params)
