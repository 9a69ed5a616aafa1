import json
from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Value, models
from riot_tasks.predict.model_compare import ModelCompare
from riot_tasks.record import Aside

META = {"model": "city-2", "beside": "city-1"}
NOTICE = json.dumps({
    "format": 1, "model": "city/2.json", "kind": "linear_regression", "version": "city-2", "target": "airquality",
    "features": ["light"], "sha256": 64 * "a", "shadow": 500,
})  # fmt: skip


def _tried(new: Value, old: Value, actual: Value = None, meta: dict[str, str] = META) -> Record:
    return Record(
        7, "dev7", 2.0, {"light": 1.0, "prediction": new, "prediction_in_force": old, "air": actual}, {}, meta
    )


def _heard(text: Value = NOTICE) -> Record:
    return Record(1, "models", 0.0, {"notice": text})


def _said(task: ModelCompare, *records: Record) -> list[Record]:
    return [result for record in records for result in task.process(record)]


def test_numbers_are_compared_by_their_difference() -> None:
    """The record that fills the window gives both versions, how many were compared, and how far apart they are."""
    task = ModelCompare(window=3)
    (result,) = _said(task, _tried(1.0, 2.0), _tried(5.0, 2.0), _tried(3.0, 1.0))
    values = {"version": "city-2", "in_force": "city-1", "records": 3, "unscored": 0, "difference": 2.0}
    assert result == Record(7, "dev7", 2.0, values, {}, META)


def test_classes_are_compared_by_their_agreement() -> None:
    """Of classes it is the share that is the same, and errors are shares of wrong ones."""
    task = ModelCompare(actual="air", window=4)
    (result,) = _said(
        task,
        _tried("GOOD", "GOOD", "GOOD"),
        _tried("BAD", "GOOD", "BAD"),
        _tried("BAD", "BAD", "GOOD"),
        _tried("GOOD", "GOOD", "GOOD"),
    )
    assert {name: result.values[name] for name in ("agreement", "error", "error_in_force", "better")} == {
        "agreement": 0.75,
        "error": 0.25,
        "error_in_force": 0.5,
        "better": True,
    }
    assert "difference" not in result.values


@pytest.mark.parametrize(
    ("new", "better"), [(9.0, True), (8.0, True), (12.0, True), (7.9, False), (12.1, False), (None, False)]
)
def test_a_model_is_better_that_is_not_worse(new: Value, *, better: bool) -> None:
    """The verdict goes by the mean error of each, a draw counts, and a record left unscored decides against it."""
    (_, result) = _said(ModelCompare(actual="air", window=1), _tried(9.0, 8.0, 10.0), _tried(new, 8.0, 10.0))
    expected = better if new is not None else None
    assert result.values.get("better") is expected


def test_one_unscored_record_decides_against_a_model() -> None:
    """However good it is otherwise, a model that can't do with all records is not better."""
    (result,) = _said(ModelCompare(actual="air", window=2), _tried(10.0, 8.0, 10.0), _tried(None, 8.0, 10.0))
    assert (result.values["records"], result.values["unscored"], result.values["better"]) == (1, 1, False)


@pytest.mark.parametrize("params", [{}, {"actual": "air"}])
def test_without_what_was_foretold_there_is_no_verdict(params: dict[str, Any]) -> None:
    """Neither without the parameter, nor where the records have None for it."""
    (result,) = _said(ModelCompare(window=1, **params), _tried(1.0, 2.0, None))
    assert "better" not in result.values


def test_a_better_model_is_announced() -> None:
    """The notice heard before is given again at `notices`, to be taken without a trial."""
    task = ModelCompare(actual="air", window=1)
    verdict, told = _said(task, _heard(), _tried(10.0, 8.0, 10.0))
    assert verdict.values["better"] is True
    assert isinstance(told, Aside)
    assert (told.output, told.id, told.source) == ("notices", 7, "dev7")
    payload = told.values["payload"]
    assert isinstance(payload, bytes)
    assert models.read_notice(payload) == models.Notice(**{**json.loads(NOTICE), "shadow": 0})


@pytest.mark.parametrize(
    ("notice", "new"),
    [
        (NOTICE, 1.0),
        (NOTICE.replace("city-2", "city-3"), 10.0),
    ],
)
def test_no_other_model_is_announced(notice: str, new: float) -> None:
    """Not a worse one, and not one of which no notice was heard."""
    assert len(_said(ModelCompare(actual="air", window=1), _heard(notice), _tried(new, 8.0, 10.0))) == 1


def test_another_trial_begins_anew() -> None:
    """When another model comes, or another is in force, what was gathered of the last trial is dropped."""
    task = ModelCompare(window=2)
    other = {"model": "city-3", "beside": "city-1"}
    assert _said(task, _tried(1.0, 9.0), _tried(1.0, 2.0, meta=other)) == []
    (result,) = _said(task, _tried(1.0, 4.0, meta=other))
    assert (result.values["version"], result.values["difference"]) == ("city-3", 2.0)


def test_windows_do_not_overlap() -> None:
    """Behind a full window the next one begins."""
    task = ModelCompare(window=2)
    results = _said(task, *(_tried(float(number), 0.0) for number in range(6)))
    assert [result.values["difference"] for result in results] == [0.5, 2.5, 4.5]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"prediction": 1.0}, "prediction_in_force: the record lacks it, and has no notice either: no notice: "),
        ({"notice": "{}"}, "prediction_in_force: the record lacks it, and has no notice either: no notice: "),
        ({"prediction": "x", "prediction_in_force": 1.0}, "prediction: 'x' is not a number"),
        ({"prediction": 1.0, "prediction_in_force": b"x"}, "prediction: b'x' is not a number"),
        ({"prediction": 1.0, "prediction_in_force": 1.0, "air": "x"}, "air: 'x' is not a number"),
    ],
)
def test_other_records_are_refused(values: dict[str, Value], message: str) -> None:
    """What is neither of a trial nor a notice is refused, and counts nowhere."""
    task = ModelCompare(actual="air", window=1)
    before = task.snapshot()
    with pytest.raises(BadRecord, match=message):
        _said(task, Record(1, "dev7", 0.0, values, {}, META))
    assert task.snapshot() == before


def test_very_large_numbers_have_a_mean() -> None:
    """A sum that would not be finite is never made."""
    (result,) = _said(ModelCompare(window=3), *(_tried(9e299, -9e299) for _ in range(3)))
    assert result.values["difference"] == pytest.approx(1.8e300)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"window": 0}, "window: must be a whole number from 1"),
        ({"actual": ""}, "actual: must be a field's name"),
        ({"predicted": None}, "predicted: must be a field's name"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made."""
    with pytest.raises(ValueError, match=message):
        ModelCompare(**params)
