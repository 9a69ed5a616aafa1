import json
from pathlib import Path
from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.predict.linear_regression import LinearRegression
from tests.riot_tasks.weka import document, taxi_rows

MODEL: dict[str, Any] = {
    "kind": "linear_regression",
    "format": 1,
    "version": "city-1",
    "features": ["temperature", "humidity", "light"],
    "target": "airquality",
    "coefficients": {"temperature": -0.5, "humidity": 0.25},
    "intercept": 30.0,
}
CITY = document("CITY-MLR-1422748810000")
TAXI = document("TAXI-MLR-1358102664000")


def _out(task: LinearRegression, **values: Value) -> list[dict[str, Value]]:
    return [result.values for result in task.process(Record(1, "dev7", 0.0, values))]


def test_the_result_is_the_record_with_the_prediction() -> None:
    """What the model uses stays, as numbers, and the target as it came; the rest goes; the model is named."""
    record = Record(
        7,
        "dev7",
        5.0,
        {"airquality": "31", "light": 800.0, "humidity": "40", "kind": "x", "temperature": 20},
        {"humidity": "%RH", "airquality": "ppm"},
        {"bn": "x"},
    )
    values = {"temperature": 20.0, "humidity": 40.0, "airquality": "31", "prediction": 30.0}
    units = {"humidity": "%RH", "airquality": "ppm", "prediction": "ppm"}
    (result,) = LinearRegression(MODEL).process(record)
    assert result == Record(7, "dev7", 5.0, values, units, {"bn": "x", "model": "city-1"})
    assert list(result.values) == list(values)


def test_fields_are_found_by_their_names() -> None:
    """The order of a record's fields makes no difference, and fields of other names none either."""
    task = LinearRegression(MODEL)
    expected = [{"temperature": 20.0, "humidity": 40.0, "prediction": 30.0}]
    assert _out(task, temperature=20.0, humidity=40.0) == expected
    assert _out(task, dust=9.0, humidity=40.0, light=None, temperature=20.0) == expected


def test_a_missing_feature_is_named() -> None:
    """A record that lacks a feature which the model uses is refused, whatever else it has."""
    with pytest.raises(BadRecord, match="humidity: the record lacks it, and model city-1 needs it"):
        _out(LinearRegression(MODEL), temperature=None, light=1.0)


def test_what_lacks_a_feature_may_be_dropped() -> None:
    """With `on_missing: drop` such a record gives nothing; one where a feature is no number is refused all the same."""
    task = LinearRegression(MODEL, on_missing="drop")
    assert _out(task, temperature=None, light=1.0) == []
    with pytest.raises(BadRecord, match="humidity: 'damp' is not a number"):
        _out(task, temperature=20.0, humidity="damp")


def test_a_feature_that_is_none_gives_nothing() -> None:
    """A reading that was filtered out can't be foretold from, and is no mistake."""
    task = LinearRegression(MODEL)
    assert _out(task, temperature=20.0, humidity=None) == []
    with pytest.raises(BadRecord, match="humidity: 'damp' is not a number"):
        _out(task, temperature=20.0, humidity="damp")


@pytest.mark.parametrize(
    ("model", "values", "expected"),
    [
        (TAXI, {"trip_time_in_secs": "1440", "trip_distance": "9.08"}, 28.008768355588657),
        (CITY, {"temperature": 27.6, "humidity": 69.7, "dust": 507.35}, 31.92426086971721),
        (document("LR-SYS-Numeric"), {"temperature": 27.6}, 26000.0),
        (document("LR-TAXI-Numeric"), {}, 23.0),
    ],
)
def test_riotbenchs_models_predict(model: dict[str, Any], values: dict[str, Value], expected: float) -> None:
    """The original's four models foretell what Weka does with its own files; the constant ones need no field."""
    (result,) = _out(LinearRegression(model), **values)
    assert result["prediction"] == pytest.approx(expected, rel=1e-14)


def test_the_taxi_model_foretells_fares() -> None:
    """On the shipped trips the original's model is off by two dollars in the median."""
    task = LinearRegression(TAXI)
    off = sorted(abs(_out(task, **row)[0]["prediction"] - row["fare_amount"]) for row, _ in taxi_rows())  # type: ignore[operator]
    assert off[len(off) // 2] < 2.0


@pytest.mark.parametrize(
    ("intercept", "expected"),
    [(2.9, 2.0), (-2.9, -2.0), (1e12, 2147483648.0), (-1e12, -2147483648.0), (16777217, 16777216.0)],
)
def test_parity_cuts_to_whole_numbers(intercept: float, expected: float) -> None:
    """With parity a prediction is cut towards zero to Java's int, in single precision."""
    model = {**MODEL, "coefficients": {}, "intercept": intercept}
    assert _out(LinearRegression(model, parity=True)) == [{"prediction": expected}]
    assert _out(LinearRegression(model)) == [{"prediction": intercept}]


def test_a_prediction_that_overflows_is_refused() -> None:
    """What is no number any more is no prediction."""
    model = {**MODEL, "coefficients": {"light": 1e200}}
    with pytest.raises(BadRecord, match="prediction: model city-1 foretells no number within"):
        _out(LinearRegression(model), light=1e200)


def test_a_model_may_be_a_file(tmp_path: Path) -> None:
    """A path in `model` is read when the task is made."""
    path = tmp_path / "model.json"
    path.write_text(json.dumps(MODEL))
    assert _out(LinearRegression(str(path)), temperature=0.0, humidity=0.0)[0]["prediction"] == 30.0


def test_without_updates_a_field_of_that_name_is_a_field() -> None:
    """Unless `updates` says so, no record can change the model."""
    task = LinearRegression(MODEL)
    assert _out(task, model="DHT22", temperature=0.0, humidity=0.0)[0]["prediction"] == 30.0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"model": "/nowhere/model.json"}, "model: '/nowhere/model.json' can't be read: No such file or directory"),
        ({"model": {}}, "model: no model: Object missing required field `kind`"),
        ({"model": None}, "model: give one, or set updates to the field in which records bring one"),
        ({"model": 7}, "model: no model: Expected `object`, got `int`"),
        ({"model": document("CITY-DTC-1422748810000")}, "model: CITY-DTC-1422748810000 is no linear_regression"),
        ({"into": "light"}, "model: city-1 has the feature light, which is where the result goes; set into"),
        ({"into": ""}, "into: must be a field's name"),
        ({"updates": 1}, "updates: must be a field's name"),
        ({"features": ["humidity"]}, "model: city-1 needs temperature, which is not among the features"),
        ({"features": "humidity"}, "features: 'humidity' is no list of different field names"),
        ({"shadow": -1}, "shadow: must be a whole number from 0 to"),
        ({"promote": "better"}, "promote: must be 'always' or 'told'"),
        ({"on_missing": "null"}, "on_missing: must be 'reject' or 'drop'"),
        ({"parity": None}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        LinearRegression(**{"model": MODEL, **params})
