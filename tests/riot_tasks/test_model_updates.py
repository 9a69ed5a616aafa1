"""Models that come in the stream, as both predicting tasks take them."""

import json
from hashlib import sha256
from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.predict.decision_tree_classify import DecisionTreeClassify
from riot_tasks.predict.linear_regression import LinearRegression
from tests.riot_tasks.updating import FIRST, READING, bring, foretold, new_task, successor
from tests.riot_tasks.weka import document


@pytest.mark.parametrize("encode", [str, str.encode])
def test_the_model_of_a_record_is_in_force_from_the_next_one_on(encode: Any) -> None:
    """A record with the field `updates` gives an event and no result, whatever else it has; then its model counts."""
    task = new_task()
    assert foretold(task) == (30.0, {"model": "city-1"})
    expected = [{"event": "taken", "version": "city-2", "previous": "city-1"}]
    assert bring(task, encode(successor(2)), temperature=20.0) == expected
    assert foretold(task) == (220.0, {"model": "city-2"})
    assert task.counts == {"models taken": 1}


def test_one_instance_serves_all_keys() -> None:
    """Models are nobody's own: whoever runs the task makes one for a shard."""
    assert LinearRegression.shared
    assert DecisionTreeClassify.shared


def test_the_model_in_force_may_come_again() -> None:
    """A notice that a broker has retained changes nothing and says nothing."""
    task = new_task()
    for _ in range(3):
        assert bring(task, json.dumps(FIRST)) == []
    assert foretold(task) == (30.0, {"model": "city-1"})


def test_an_old_model_comes_back() -> None:
    """A rollback is the old model announced again, and is called so; it needs no trial."""
    task = new_task(shadow=100)
    bring(task, successor(2), shadow=0)
    assert bring(task, json.dumps(FIRST)) == [{"event": "rolled_back", "version": "city-1", "previous": "city-2"}]
    assert foretold(task) == (30.0, {"model": "city-1"})
    assert bring(task, successor(2)) == [{"event": "rolled_back", "version": "city-2", "previous": "city-1"}]


@pytest.mark.parametrize(
    ("brought", "more", "reason"),
    [
        ("{", {}, "model: no model: Input data was truncated"),
        (None, {}, "model: holds no model"),
        (12, {}, "model: holds no model, but a int"),
        (successor(2, format=2), {}, "model: format 2: this riot_tasks reads up to 1; upgrade it"),
        (successor(2, target="dust"), {}, "city-2 foretells dust, city-1 airquality"),
        (successor(2, features=["temperature", "noise"]), {}, "light is a feature of only one of city-2, city-1"),
        (json.dumps({**FIRST, "intercept": 1.0}), {}, "another model is called city-1 already"),
        (json.dumps(document("CITY-DTC-1422748810000")), {}, "CITY-DTC-1422748810000 is no linear_regression"),
        (successor(2), {"version": "city-3"}, "model: the model is called city-2, not city-3"),
        (successor(2), {"sha256": 64 * "0"}, "bytes are not those that sha256 is of: torn, or replaced"),
        (successor(2)[:-40], {"sha256": sha256(successor(2).encode()).hexdigest()}, "torn, or replaced"),
        (successor(2), {"shadow": -1}, "shadow: must be a whole number from 0 to"),
        (successor(2), {"shadow": 1.5}, "shadow: must be a whole number from 0 to"),
        (successor(2), {"shadow": True}, "shadow: must be a whole number from 0 to"),
    ],
)  # fmt: skip
def test_a_model_that_is_not_fit_is_refused(brought: Value, more: dict[str, Value], reason: str) -> None:
    """A broken model, or one for something else, is refused with its reason, and the old one stays."""
    task = new_task()
    (event,) = bring(task, brought, **more)
    assert (event["event"], event["previous"]) == ("refused", "city-1")
    assert reason in str(event["reason"])
    assert foretold(task) == (30.0, {"model": "city-1"})
    assert task.counts == {"models refused": 1}


def test_a_refusal_says_the_version_that_its_notice_says() -> None:
    """Where the model itself can't be read, the record may know what it was called."""
    (event,) = bring(new_task(), "torn", version="city-9", sha256=64 * "0")
    assert (event["event"], event["version"]) == ("refused", "city-9")


def test_a_model_of_another_kind_is_passed_over_if_its_notice_says_so() -> None:
    """Two predicting stages hear the same notices, and each takes those of its kind."""
    task = new_task()
    assert bring(task, json.dumps(document("CITY-DTC-1422748810000")), kind="decision_tree") == []
    assert bring(task, successor(2), kind="linear_regression")[0]["event"] == "taken"
    assert task.counts == {"models taken": 1}


def test_the_bytes_that_are_announced_are_taken() -> None:
    """A model whose text has the SHA-256 beside it is taken, as text and as bytes."""
    text = successor(2)
    for brought in (text, text.encode()):
        event = bring(new_task(), brought, sha256=sha256(text.encode()).hexdigest(), version="city-2")[0]
        assert event["event"] == "taken"


def test_features_that_records_have_may_be_said() -> None:
    """With `features` a model may have others than the one before it, if it needs none that records lack."""
    task = new_task(features=["temperature", "light", "dust"])
    other = {"features": ["dust", "noise"], "coefficients": {"dust": 1.0}}
    assert bring(task, successor(2, **other))[0]["event"] == "taken"
    (event,) = bring(task, successor(3, features=["noise"], coefficients={"noise": 1.0}))
    assert event["reason"] == "city-3 needs noise, which is not among the features"


def test_without_a_model_records_are_passed_over_until_one_comes() -> None:
    """With `model` None records give nothing, and are counted; the first model that comes needs no trial."""
    task = new_task(model=None, shadow=10)
    assert list(task.process(Record(1, "dev7", 0.0, READING))) == []
    assert bring(task, successor(2)) == [{"event": "taken", "version": "city-2"}]
    assert foretold(task) == (220.0, {"model": "city-2"})
    assert task.counts == {"records before any model": 1, "models taken": 1}


class TestFallingBack:
    def test_is_for_a_record_that_lacks_what_the_new_model_needs(self) -> None:
        """The model before it does, and the result says who did instead of whom; other records have the new one's."""
        task = new_task()
        bring(task, successor(2, coefficients={"light": 1.0}))
        (result,) = task.process(Record(1, "dev7", 0.0, {"temperature": 20.0}))
        assert result.values == {"temperature": 20.0, "prediction": 30.0}
        assert result.meta == {"model": "city-1", "instead_of": "city-2"}
        assert foretold(task) == (205.0, {"model": "city-2"})
        assert task.counts == {"models taken": 1, "fallbacks": 1}

    def test_is_for_a_number_that_is_none(self) -> None:
        """A model that overflows is broken for that record."""
        task = new_task()
        bring(task, successor(2, coefficients={"light": 1e200}))
        assert foretold(task, light=1e200) == (30.0, {"model": "city-1", "instead_of": "city-2"})

    def test_needs_what_the_older_model_needs(self) -> None:
        """A record that neither model can do with is refused for what the one in force lacks."""
        task = new_task()
        bring(task, successor(2, coefficients={"light": 1.0}))
        with pytest.raises(BadRecord, match="light: the record lacks it, and model city-2 needs it"):
            list(task.process(Record(1, "dev7", 0.0, {"dust": 1.0})))

    def test_is_not_for_what_was_rolled_back(self) -> None:
        """After a rollback nothing is left to a model that was found wanting."""
        task = new_task(model={**FIRST, "coefficients": {"light": 1.0}})
        bring(task, successor(2, coefficients={"temperature": 1.0}))
        bring(task, json.dumps({**FIRST, "coefficients": {"light": 1.0}}))
        with pytest.raises(BadRecord, match="light: the record lacks it, and model city-1 needs it"):
            list(task.process(Record(1, "dev7", 0.0, {"temperature": 20.0})))

    def test_is_not_for_a_reading_that_was_filtered_out(self) -> None:
        """A field that is None gives nothing, as ever."""
        task = new_task()
        bring(task, successor(2, coefficients={"light": 1.0}))
        assert list(task.process(Record(1, "dev7", 0.0, {**READING, "light": None}))) == []


def test_a_snapshot_of_the_first_version_is_read() -> None:
    """What an earlier riot_tasks kept, the model only, is taken."""
    task = new_task()
    task.restore({"version": 1, "model": successor(2)})
    assert foretold(task) == (220.0, {"model": "city-2"})
    task.restore({"version": 1, "model": None})
    assert foretold(task) == (30.0, {"model": "city-1"})
