"""Notices of models: the document itself, the task that makes it, and the one that reads it."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riot_tasks import BadRecord, Record, Value, models
from riot_tasks.predict.model_notice import ModelNotice
from riot_tasks.predict.notice_parse import NoticeParse
from tests.riot_tasks.weka import document

TREE = json.dumps(document("CITY-DTC-1422748810000"))
LINE = json.dumps({
    **document("CITY-MLR-1422748810000"),
    "training": {"rows": 160, "until": 1422748810.0},
    "metrics": {"rmse": 2.5},
})
NOTICE: dict[str, Any] = {
    "format": 1,
    "model": "city/tree.json",
    "kind": "decision_tree",
    "version": "city-1",
    "target": "label",
    "features": ["temperature"],
    "sha256": 64 * "a",
}


def _without(key: str) -> str:
    return json.dumps({name: value for name, value in NOTICE.items() if name != key})


def _parsed(text: Value, **params: Any) -> list[dict[str, Value]]:
    return [result.values for result in NoticeParse(**params).process(Record(1, "models", 0.0, {"payload": text}))]


def test_a_notice_says_what_its_model_says() -> None:
    """What one needs to know before fetching it: names, fields, what it was made of, how good it was, its digest."""
    notice = models.notice(LINE, "city/line.json", shadow=100)
    assert json.loads(notice.encode()) == {
        "format": 1,
        "model": "city/line.json",
        "kind": "linear_regression",
        "version": "CITY-MLR-1422748810000",
        "target": "airquality_raw",
        "features": ["temperature", "humidity", "light", "dust"],
        "sha256": sha256(LINE.encode()).hexdigest(),
        "trained": {"rows": 160, "until": 1422748810.0},
        "metrics": {"rmse": 2.5},
        "shadow": 100,
    }


def test_what_is_not_known_is_left_out() -> None:
    """A notice of a model that says nothing of its training has no empty entries."""
    assert json.loads(models.notice(TREE, "t").encode()).keys() == NOTICE.keys()


@settings(deadline=None)
@given(st.sampled_from([LINE, TREE]), st.text("abc/.é ", min_size=1), st.none() | st.integers(0, 2**31 - 1))
def test_a_notice_that_is_read_is_the_one_that_was_written(text: str, blob: str, shadow: int | None) -> None:
    """Nothing is lost on the way, with any model and name."""
    notice = models.notice(text, blob, shadow=shadow)
    assert models.read_notice(notice.encode()) == models.read_notice(notice.encode().decode()) == notice


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CITY-MLR-1422748810000.model", "no notice: JSON is malformed"),
        ("", "no notice: Input data was truncated"),
        ("[" * 100_000, "no notice: "),
        ('{"e": []}', "no notice: Object missing required field `kind`"),
        (json.dumps({**NOTICE, "kind": "svm"}), "kind 'svm': this riot_tasks knows linear_regression and"),
        (json.dumps({**NOTICE, "format": 2, "new": 1}), "format 2: this riot_tasks reads up to 1; upgrade it"),
        (json.dumps({**NOTICE, "shadwo": 5}), "no notice: Object contains unknown field `shadwo`"),
        (json.dumps({**NOTICE, "sha256": "aa"}), "no notice: Expected `str` matching regex"),
        (json.dumps({**NOTICE, "shadow": -1}), "no notice: Expected `int` >= 0"),
        (json.dumps({**NOTICE, "model": ""}), "no notice: Expected `str` of length >= 1"),
        (_without("sha256"), "no notice: Object missing required field `sha256`"),
        (TREE, "no notice: Object contains unknown field"),
    ],
)  # fmt: skip
def test_what_is_no_notice_is_refused(text: str, message: str) -> None:
    """Each mistake in a notice is refused, also by the task, saying what is wrong."""
    with pytest.raises(ValueError, match=message):
        models.read_notice(text)
    with pytest.raises(BadRecord, match="payload: " + message):
        _parsed(text)


def test_the_task_makes_the_notice_of_what_was_uploaded() -> None:
    """Of the document and the blob's name in a record comes a record of one field, ready to be published."""
    values: dict[str, Value] = {"model": TREE, "blob": "city/tree.json", "size": 7}
    (result,) = ModelNotice(shadow=5).process(Record(7, "CITY", 2.0, values, {}, {"bn": "x"}))
    notice = models.notice(TREE, "city/tree.json", shadow=5)
    assert result == Record(7, "CITY", 2.0, {"payload": notice.encode()}, {}, {"bn": "x"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"blob": "b"}, "model: holds no model; set keep: true for blob_upload"),
        ({"model": "{}", "blob": "b"}, "model: no model: Object missing required field `kind`"),
        ({"model": TREE}, "blob: holds no name of a blob"),
        ({"model": TREE, "blob": ""}, "model: no notice: Expected `str` of length >= 1"),
    ],
)
def test_what_is_no_upload_is_refused(values: dict[str, Value], message: str) -> None:
    """A record without a model, or without the name of its blob, makes no notice."""
    with pytest.raises(BadRecord, match=message):
        list(ModelNotice().process(Record(1, "CITY", 0.0, values)))


def test_a_notice_is_taken_apart() -> None:
    """The fields that fetching and taking the model need, and the notice itself for whoever may repeat it."""
    (values,) = _parsed(json.dumps({**NOTICE, "shadow": 9}))
    assert models.read_notice(values.pop("notice")) == models.read_notice(json.dumps({**NOTICE, "shadow": 9}))  # type: ignore[arg-type]
    assert values == {
        "blob": "city/tree.json",
        "kind": "decision_tree",
        "version": "city-1",
        "target": "label",
        "sha256": 64 * "a",
        "shadow": 9,
    }


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({}, True),
        ({"kinds": ["decision_tree"]}, True),
        ({"kinds": ["linear_regression"]}, False),
        ({"targets": ["fare", "label"]}, True),
        ({"targets": ["fare"]}, False),
        ({"kinds": ["decision_tree"], "targets": ["fare"]}, False),
    ],
)
def test_only_what_is_wanted_comes(params: dict[str, Any], *, wanted: bool) -> None:
    """A notice of another kind or target gives nothing, and is no mistake."""
    assert bool(_parsed(json.dumps(NOTICE), **params)) is wanted


@pytest.mark.parametrize("payload", [None, 5.0, True])
def test_what_is_no_text_is_refused(payload: Value) -> None:
    """A record without a payload of bytes or text holds no notice."""
    with pytest.raises(BadRecord, match="payload: holds no notice"):
        _parsed(payload)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NoticeParse(kinds=["svm"]), "kinds: there is no 'svm'; there is linear_regression and decision_tree"),
        (lambda: NoticeParse(targets="fare"), "targets: 'fare' is no list"),
        (lambda: NoticeParse(field=""), "field: must be a field's name"),
        (lambda: ModelNotice(shadow=-1), "shadow: must be a whole number from 0 to"),
        (lambda: ModelNotice(blob=None), "blob: must be a field's name"),  # type: ignore[arg-type]
    ],
)
def test_wrong_parameters_are_refused(make: Any, message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        make()
