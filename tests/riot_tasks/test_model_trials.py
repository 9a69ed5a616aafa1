"""A new model beside the one in force, for some messages."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from riot_tasks import Record
from tests.riot_tasks.updating import FIRST, READING, beside, bring, foretold, new_task, successor


def test_trials_take_as_many_messages_as_are_said() -> None:
    """Beside each result comes the new model's, with the old one's, for n messages; then it takes over."""
    task = new_task(shadow=3)
    assert bring(task, successor(2), 10) == [
        {"event": "shadowing", "version": "city-2", "previous": "city-1", "until": 13}
    ]
    (tried,) = beside(task, 11)
    assert tried.values == {
        "temperature": 20.0,
        "airquality": 31.0,
        "prediction": 220.0,
        "prediction_in_force": 30.0,
    }
    assert (tried.meta, tried.units["prediction"]) == ({"bn": "x", "model": "city-2", "beside": "city-1"}, "ppm")
    assert foretold(task, 13) == (30.0, {"model": "city-1"})
    assert len(beside(task, 13)) == 1
    assert foretold(task, 14) == (220.0, {"model": "city-2"})
    assert beside(task, 14) == []
    assert task.counts == {"models shadowing": 1, "models promoted": 1}


def test_trials_are_as_long_as_the_notice_says() -> None:
    """What a record says in `shadow` counts for its model, more or less than the parameter."""
    task = new_task(shadow=3)
    assert bring(task, successor(2), 10, shadow=50)[0]["until"] == 60
    assert bring(task, successor(3), 11, shadow=0)[-1] == {
        "event": "taken",
        "version": "city-3",
        "previous": "city-1",
    }


def test_trials_go_on_when_the_notice_comes_again() -> None:
    """A notice that comes twice does not begin a trial anew."""
    task = new_task(shadow=3)
    bring(task, successor(2), 10)
    assert bring(task, successor(2), 12) == []
    assert foretold(task, 14) == (220.0, {"model": "city-2"})


def test_trials_end_when_another_model_comes() -> None:
    """A newer model takes the place of the one on trial, which is dropped."""
    task = new_task(shadow=3)
    bring(task, successor(2), 10)
    dropped = {"event": "dropped", "version": "city-2", "previous": "city-1", "reason": "city-3 was announced"}
    assert bring(task, successor(3), 12) == [
        dropped,
        {"event": "shadowing", "version": "city-3", "previous": "city-1", "until": 15},
    ]
    assert beside(task, 15)[0].meta["model"] == "city-3"


def test_trials_end_when_the_model_in_force_is_announced() -> None:
    """To announce the model in force is to give up the one on trial."""
    task = new_task(shadow=3)
    bring(task, successor(2), 10)
    assert [event["event"] for event in bring(task, json.dumps(FIRST), 12)] == ["dropped"]
    assert foretold(task, 14) == (30.0, {"model": "city-1"})


def test_trials_say_none_for_what_the_new_model_can_t_do() -> None:
    """A record that lacks what the new model needs has None for its prediction; one filtered out is no evidence."""
    task = new_task(shadow=3)
    bring(task, successor(2, coefficients={"light": 1.0}), 10)
    (tried,) = beside(task, 11, {"temperature": 20.0, "airquality": 31.0})
    assert tried.values == {"prediction": None, "airquality": 31.0, "prediction_in_force": 30.0}
    assert beside(task, 12, {"temperature": 20.0, "light": None}) == []


def test_trials_are_beside_the_model_in_force() -> None:
    """Where a record is left to the model before it, that is still the trial beside the one in force."""
    task = new_task(features=["temperature", "light"])
    bring(task, successor(2, coefficients={"light": 1.0}), 1)
    bring(task, successor(3, coefficients={"temperature": 1.0}), 2, shadow=5)
    (tried,) = beside(task, 3, {"temperature": 20.0})
    assert (tried.meta["model"], tried.meta["beside"]) == ("city-3", "city-2")
    assert (tried.values["prediction"], tried.values["prediction_in_force"]) == (320.0, 30.0)


def test_trials_pass_over_what_is_dropped() -> None:
    """Where a field that is missing was filtered out, it is no evidence against a model either."""
    task = new_task(shadow=3, on_missing="drop")
    bring(task, successor(2, coefficients={"light": 1.0}), 10)
    assert beside(task, 11, {"temperature": 20.0}) == []
    assert len(beside(task, 12)) == 1


def test_trials_are_over_at_an_update_too() -> None:
    """A model whose trial is over is in force when the next one comes, though no reading came between."""
    task = new_task(shadow=3)
    bring(task, successor(2), 10)
    assert bring(task, successor(3), 20)[0] == {
        "event": "shadowing",
        "version": "city-3",
        "previous": "city-2",
        "until": 23,
    }


def test_trials_may_wait_for_a_word() -> None:
    """With `promote: told` the model takes over when it is announced without a trial, not before."""
    task = new_task(shadow=3, promote="told")
    bring(task, successor(2), 10)
    assert foretold(task, 99) == (30.0, {"model": "city-1"})
    assert beside(task, 99) == []
    assert bring(task, successor(2), 100) == []
    assert bring(task, successor(2), 101, shadow=0) == [
        {"event": "promoted", "version": "city-2", "previous": "city-1"}
    ]
    assert foretold(task, 102) == (220.0, {"model": "city-2"})


@given(
    st.lists(st.one_of(st.none(), st.tuples(st.integers(1, 4), st.sampled_from([None, 0, 2, 5]))), max_size=30),
    st.data(),
)
def test_the_share_of_the_records_makes_no_difference(stream: list[Any], data: st.DataObject) -> None:
    """Two shards that get the same updates and each a part of the readings say what one says that gets all."""
    owners = data.draw(st.lists(st.booleans(), min_size=len(stream), max_size=len(stream)))
    whole, *shards = (new_task(shadow=4) for _ in range(3))
    for number, (item, second) in enumerate(zip(stream, owners, strict=True)):
        if item is None:
            record = Record(number, "dev7", 0.0, READING)
            assert list(shards[second].process(record)) == list(whole.process(record))
        else:
            text, trial = json.dumps(FIRST) if item[0] == 1 else successor(item[0]), item[1]
            said = [bring(task, text, number, shadow=trial) for task in (whole, *shards)]
            assert said[0] == said[1] == said[2]


def test_a_snapshot_has_the_models_and_the_trial() -> None:
    """A restored task goes on with the models that came in the stream, the trial and the names that were in force."""
    task = new_task(shadow=5)
    bring(task, successor(2, coefficients={"light": 1.0}), 1, shadow=0)
    bring(task, successor(3), 2)
    other = new_task(shadow=5)
    other.restore(task.snapshot())
    for each in (task, other):
        assert beside(each, 7)[0].meta == {"bn": "x", "model": "city-3", "beside": "city-2"}
        assert next(iter(each.process(Record(7, "d", 0.0, {"temperature": 1.0})))).meta["instead_of"] == "city-2"
        assert foretold(each, 8)[1] == {"model": "city-3"}
        assert bring(each, json.dumps(FIRST), 9)[0]["event"] == "rolled_back"
    assert task.snapshot() == other.snapshot()
