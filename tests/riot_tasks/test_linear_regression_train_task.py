import builtins
import json
import sys
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from riot_tasks import BadRecord, Record, Value, models
from riot_tasks.algorithms.m5_regression import fit
from riot_tasks.models import LinearModel
from riot_tasks.predict.linear_regression import LinearRegression
from riot_tasks.predict.linear_regression_train import LinearRegressionTrain
from tests.riot_tasks.weka import CITY, DATA, arff

ROWS = [[float(cell) for cell in row[2:]] for row in arff(DATA / "linearregression.arff")]
FEATURES, TARGET = CITY[:-1], CITY[-1]


def _records(rows: Sequence[Sequence[float]] = ROWS) -> list[Record]:
    """Rows as a device's records, a second apart."""
    return [
        Record(
            number,
            "dev7",
            1000.0 + number,
            {**dict(zip(CITY, row, strict=True)), "kind": "x"},
            {"dust": "ppm"},
            {"bn": "x"},
        )
        for number, row in enumerate(rows)
    ]


def _csv(rows: Sequence[Sequence[float]] = ROWS) -> str:
    return "\n".join(",".join(map(str, row)) for row in [CITY, *rows])


def _said(task: LinearRegressionTrain, records: Sequence[Record]) -> list[Record]:
    return [result for record in records for result in task.process(record)]


def _model(record: Record) -> LinearModel:
    text = record.values["model"]
    assert isinstance(text, str)
    model = models.read(text)
    assert isinstance(model, LinearModel)
    return model


def test_a_window_makes_a_model() -> None:
    """The record that fills a window gives the model of the window, under its own head, and says how good it is."""
    (result,) = _said(LinearRegressionTrain(FEATURES, TARGET, window=160), _records())
    made = fit(ROWS)
    model = _model(result)
    assert (result.id, result.source, result.time, result.units, result.meta) == (159, "dev7", 1159.0, {}, {"bn": "x"})
    assert result.values == {
        "version": "dev7-MLR-1159000",
        "model": models.write(model),
        "trained_on": 160,
        "rmse": made.rmse,
        "r2": made.r2,
    }
    assert model == LinearModel(
        format=1,
        version="dev7-MLR-1159000",
        features=FEATURES,
        target=TARGET,
        training=models.Training(160, 1000.0, 1159.0, "dev7", 159),
        metrics={"rmse": made.rmse, "r2": made.r2 or 0.0},
        coefficients={"temperature": made.weights[0] or 0.0, "dust": made.weights[3] or 0.0},
        intercept=made.intercept,
    )


@pytest.mark.parametrize(
    "encode", [_csv, lambda: _csv().encode(), lambda: json.dumps([dict(zip(CITY, row, strict=True)) for row in ROWS])]
)
def test_a_table_makes_the_same_model(encode: Any) -> None:
    """Rows in one field, as CSV or as JSON, make the model that the same rows make one by one."""
    (streamed,) = _said(LinearRegressionTrain(FEATURES, TARGET, window=160), _records())
    (batched,) = _said(LinearRegressionTrain(FEATURES, TARGET), [Record(159, "dev7", 1159.0, {"rows": encode()})])
    window = models.Training(160, 1159.0, 1159.0, "dev7", 159)
    assert _model(batched) == msgspec.structs.replace(_model(streamed), training=window)
    assert {**batched.values, "model": ""} == {**streamed.values, "model": ""}


def test_the_order_of_columns_makes_no_difference() -> None:
    """Columns are found by their names, and others are ignored."""
    text = "\n".join(",".join(map(str, row)) for row in [["id", *CITY[::-1]], *([7, *row[::-1]] for row in ROWS)])
    (result,) = _said(LinearRegressionTrain(FEATURES, TARGET), [Record(1, "city", 0.0, {"rows": text})])
    assert _model(result).coefficients == pytest.approx({
        "temperature": -0.3016930069343487,
        "dust": -0.0022363023905204314,
    })


def test_a_table_may_say_when_and_whose() -> None:
    """The field `name` begins the version; rowstart and rowend are the training window, as in RIoTBench's timer."""
    values: dict[str, Value] = {"rows": "a,y\n1,1\n2,2\n3,3.5\n", "name": "CITY", "rowstart": "1422748800000"}
    task = LinearRegressionTrain(["a"], "y")
    (result,) = _said(task, [Record(1, "timer", 99.0, {**values, "rowend": 1422748810000})])
    assert _model(result).version == "CITY-MLR-1422748810000"
    assert _model(result).training == models.Training(3, 1422748800.0, 1422748810.0, "timer", 1)
    (result,) = _said(task, [Record(1, "timer", 99.0, {**values, "rowend": None})])
    assert _model(result).version == "CITY-MLR-99000"


def test_windows_do_not_overlap() -> None:
    """Every so many records make a model of their own; at the end the rest does, if it has rows enough."""
    task = LinearRegressionTrain(["temperature"], TARGET, window=60)
    results = _said(task, _records())
    rest = list(task.flush())
    assert [result.values["trained_on"] for result in (*results, *rest)] == [60, 60, 40]
    assert [result.id for result in (*results, *rest)] == [59, 119, 159]
    only = LinearRegressionTrain(["temperature"], TARGET, window=60)
    assert _said(only, _records(ROWS[:2])) == []
    assert list(only.flush()) == []


def test_what_is_learnt_can_be_applied() -> None:
    """The record with a model goes to `linear_regression` as it is, and its predictions have the error it says."""
    train = LinearRegressionTrain(FEATURES, TARGET, window=160)
    (result,) = _said(train, _records())
    first = {**json.loads(str(result.values["model"])), "version": "first", "intercept": 0.0}
    apply = LinearRegression(first, updates="model")
    assert [said.values["event"] for said in apply.process(result)] == ["taken"]
    predictions = [found for record in _records() for found in apply.process(record)]
    errors = [(float(found.values["prediction"]) - row[-1]) ** 2 for found, row in zip(predictions, ROWS, strict=True)]  # type: ignore[arg-type]
    assert (sum(errors) / 160) ** 0.5 == pytest.approx(result.values["rmse"], rel=1e-9)
    assert {found.meta["model"] for found in predictions} == {"dev7-MLR-1159000"}


def test_rows_that_are_not_complete_do_not_count() -> None:
    """A record or a row in which one of the fields is None is left out."""
    task = LinearRegressionTrain(["a"], "y", window=3)
    records = [Record(number, "d", 0.0, {"a": a, "y": 1.0 + number}) for number, a in enumerate([1.0, None, 2.0, 4.0])]
    assert [result.values["trained_on"] for result in _said(task, records)] == [3]
    table = '[{"a": 1, "y": 1}, {"a": 2}, {"a": null, "y": 3}, {"a": 3, "y": 2}, {"a": 4, "y": 3}]'
    assert [result.values["trained_on"] for result in _said(task, [Record(1, "d", 0.0, {"rows": table})])] == [3]


def test_a_constant_target_has_no_share() -> None:
    """Where the target never changes, the model is that constant and says nothing of r2."""
    (result,) = _said(LinearRegressionTrain(["a"], "y"), [Record(1, "d", 0.0, {"rows": "a,y\n1,5\n2,5\n3,5\n"})])
    assert "r2" not in result.values
    assert (_model(result).coefficients, _model(result).intercept) == ({}, 5.0)


@pytest.mark.parametrize("source", ["", "x" * 500, "\ud800", "a/b c"])
def test_any_source_makes_a_model_that_can_be_read(source: str) -> None:
    """Whatever a device is called, its model has a version, and its document can be read."""
    (result,) = _said(LinearRegressionTrain(["a"], "y"), [Record(1, source, 1.0, {"rows": "a,y\n1,5\n2,6\n3,8\n"})])
    assert _model(result).version.endswith("-MLR-1000")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": 1.0}, "y: the record lacks it, and learning needs it"),
        ({"a": "x", "y": 1.0}, "a: 'x' is not a number"),
        ({"a": 1.0, "y": True}, "y: True is not a number"),
        ({"a": -1e100, "y": 1.0}, r"a: -1e\+100 is too large to learn from; numbers must be within ±1e\+100"),
        ({"rows": "a,y\n1,1\n2,x\n"}, "rows: row 2: y: 'x' is not a number"),
        ({"rows": "a,y\n1,1\n2,\n3,3\n"}, "rows: 2 of 3 rows are complete, a model needs 3$"),
        ({"rows": "a,x\n1,1\n"}, "rows: 0 of 1 rows are complete, a model needs 3; y is in none"),
        ({"rows": "[]"}, "rows: 0 of 0 rows are complete, a model needs 3$"),
        ({"rows": 5}, "rows: holds no table, but a int"),
        ({"rows": "a,y\n1,1\n2,2\n3,4\n", "rowstart": 0, "rowend": "noon"}, "rowend: 'noon' is not a number"),
        ({"rows": "a,y\n1,1\n2,2\n3,4\n", "rowstart": 0, "rowend": 1e299}, "rowstart, rowend: are no times in ms"),
    ],
)
def test_what_can_not_be_learnt_from_is_refused(values: dict[str, Value], message: str) -> None:
    """A record or a table that is no training data is refused by its field, and the window stays as it was."""
    task = LinearRegressionTrain(["a"], "y", window=3)
    task.process(Record(1, "d", 0.0, {"a": 1.0, "y": 1.0}))
    before = task.snapshot()
    with pytest.raises(BadRecord, match=message):
        task.process(Record(2, "d", 0.0, values))
    assert task.snapshot() == before


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"features": []}, r"features: \[\] is no list of different field names"),
        ({"features": None}, "features: must list the fields to learn from"),
        ({"features": "temperature"}, "features: 'temperature' is no list of different field names"),
        ({"target": "a"}, "target: a is among the features"),
        ({"target": None}, "target: must be a field's name"),
        ({"window": 3}, "window: must be a whole number from 4"),
        ({"rows": 0}, "rows: must be a field's name"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        LinearRegressionTrain(**{"features": ["a", "b"], "target": "y", **params})


def test_without_numpy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where NumPy is absent, the task is refused before the first record."""
    real = builtins.__import__

    def without(module: str, *rest: Any) -> Any:
        if module == "numpy":
            raise ModuleNotFoundError("No module named 'numpy'")
        return real(module, *rest)

    monkeypatch.delitem(sys.modules, "riot_tasks.algorithms.m5_regression")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"linear_regression_train needs NumPy: .*; pip install 'riotd\[learn\]'"):
        LinearRegressionTrain(["a"], "y")
