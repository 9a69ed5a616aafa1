from typing import Any

import numpy as np
import orjson
import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.predict.error_estimate import ErrorEstimate
from riotd.dataflow import Outlet, Plan, Stage
from riotd.messages import Portion
from riotd.shard import Shard

MODEL = {
    "kind": "linear_regression",
    "format": 1,
    "version": "twice-b",
    "features": ["b"],
    "target": "a",
    "coefficients": {"b": 2.0},
    "intercept": 0.0,
}


def _said(task: ErrorEstimate, *inputs: dict[str, Value]) -> list[Value]:
    return [result.values[task.into] for values in inputs for result in task.process(Record(1, "dev7", 0.0, values))]


def test_errors_are_by_the_last_average(series: list[float]) -> None:
    """Each prediction's error is its distance from the reading over the last average that came before it."""
    task = ErrorEstimate("a")
    for start in range(0, 100, 10):
        average = float(np.mean(series[start : start + 10]))
        assert _said(task, {"a": average}) == []
        for reading in series[start : start + 10]:
            assert _said(task, {"a": reading, "prediction": 20.0}) == [(reading - 20.0) / average]


def test_the_prediction_keeps_its_fields() -> None:
    """The result is the prediction with the error beside it, a ratio, and its model; the average leaves no trace."""
    task, meta = ErrorEstimate("a", predicted="guess", into="off"), {"bn": "y", "model": "city-1"}
    record = Record(7, "dev7", 5.0, {"a": "5", "guess": 4.0, "b": "x"}, {"a": "Cel"}, meta)
    assert list(task.process(Record(6, "dev7", 4.0, {"a": 10}, {"a": "K"}, {"bn": "z"}))) == []
    assert list(task.process(record)) == [
        Record(7, "dev7", 5.0, {"a": "5", "guess": 4.0, "b": "x", "off": 0.1}, {"a": "Cel", "off": "/"}, meta)
    ]


def test_nothing_comes_without_an_average() -> None:
    """Before the first average, and while it is 0 or too small to divide by, there is no error."""
    task, prediction = ErrorEstimate("a"), {"a": 9.0, "prediction": 8.0}
    assert _said(task, prediction, {"a": 0.0}, prediction, {"a": 1e-310}, prediction) == []
    assert _said(task, {"a": 2.0}, prediction) == [0.5]


def test_nothing_comes_without_a_reading_or_a_prediction() -> None:
    """A reading that is None or absent, or a prediction that is None, gives nothing and is no average."""
    task = ErrorEstimate("a")
    assert _said(task, {"a": 2.0}, {"a": None, "prediction": 8.0}, {"prediction": 8.0}) == []
    assert _said(task, {"a": 9.0, "prediction": None}, {"a": None}, {"b": 1.0}) == []
    assert task.snapshot()["average"] == 2.0


def test_parity_is_single_precision() -> None:
    """With parity the errors are what float arithmetic gave under OpenJDK 17."""
    of_java = {
        (21.87, 20.0, 25.3): 0.0739130824804306,
        (0.1, 33.0, 7.5): -4.386666774749756,
        (-3.25, 8.0, 0.1): -112.5,
        (33.333333, 12.1, 19.9): 1.0670015811920166,
    }
    task = ErrorEstimate("a", parity=True)
    for (actual, predicted, average), error in of_java.items():
        assert _said(task, {"a": average}, {"a": actual, "prediction": predicted}) == [error]


@pytest.mark.parametrize("field", ["a", "prediction"])
def test_what_is_no_number_is_refused(field: str) -> None:
    """A reading, an average or a prediction that is no number makes a BadRecord that names the field."""
    with pytest.raises(BadRecord, match=f"^{field}: 'cold' is not a number"):
        _said(ErrorEstimate("a"), {"a": 1.0, "prediction": 1.0, field: "cold"})


MEAN_FIRST = {2: -3.0 / 6.5, 3: 292.0 / 200.0, 4: -1.0 / 6.5, 5: 0.0}
PREDICTION_FIRST = {4: -1.0 / 6.5, 5: 0.0}


@pytest.mark.parametrize(
    ("after", "errors"), [(("mean", "predict"), MEAN_FIRST), (("predict", "mean"), PREDICTION_FIRST)]
)
def test_in_a_dataflow_it_takes_averages_and_predictions(after: tuple[str, ...], errors: dict[int, float]) -> None:
    """Behind both stages each device's errors are by its own average, the one its message ends if that is first."""
    stages = (
        Stage("parse", "senml_parse"),
        Stage("mean", "average", {"fields": ["a"], "window": 2}, ("parse",)),
        Stage("predict", "riot_tasks.predict.linear_regression:LinearRegression", {"model": MODEL}, ("parse",)),
        Stage("error", "error_estimate", {"actual": "a"}, after),
    )
    shard = Shard(Plan(stages, (Outlet("results", ("error",), "json"),)))
    readings = [8.0, 100.0, 5.0, 300.0, 7.0, 8.0]
    payloads = [orjson.dumps([{"n": "a", "v": reading}, {"n": "b", "v": 4}]) for reading in readings]
    outcome = shard.run(Portion(1, 5.0, list(range(6)), ["dev1", "dev2"] * 3, payloads))
    assert outcome.rejects == []
    assert [(each.id, orjson.loads(each.payload)["values"]["error"]) for each in outcome.results] == [*errors.items()]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"actual": ""}, "actual: must be a field's name"),
        ({"actual": "a", "predicted": None}, "predicted: must be a field's name"),
        ({"actual": "a", "into": 1}, "into: must be a field's name"),
        ({"actual": "a", "parity": 0}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        ErrorEstimate(**params)
