import json
from typing import Any

import pytest

from riot_tasks import Aside, BadRecord, Record, Value
from riot_tasks.predict.decision_tree_classify import DecisionTreeClassify
from tests.riot_tasks.weka import city_rows, document, taxi_rows

WEKA = {
    "DecisionTreeClassify-TAXI-withVeryGood": (
        "2002000000000020220020020020202020000202200020000002200000200000000020000000000020200000002002020002"
        "0010000202000000000000000020220001201222200002000000000200220200000020200020000000200202220202000000"
        "002002000002022020020022200020200000200"
    ),
    "TAXI-DTC-1358102664000": (
        "2102000100001020220122120020202220101202211211000002210100100001010020020000022020200000202112120002"
        "0010101202012010011110110120011011111222000012000010010000220202200120210020100001210202220202012000"
        "012001000012122021121022200020200000110"
    ),
    "DecisionTreeClassify-SYS-withExcellent": "423443333444342",
    "CITY-DTC-1422748810000": "100000000000000",
}
"""What Weka 3.6.14 makes of the shipped rows with the original's own files: positions in the list of classes."""
MODEL: dict[str, Any] = {
    "kind": "decision_tree",
    "format": 1,
    "version": "city-1",
    "features": ["temperature", "humidity", "light"],
    "target": "label",
    "classes": ["BAD", "GOOD"],
    "tree": {
        "attr": "humidity",
        "split_le": 50,
        "le": {"leaf": "GOOD"},
        "gt": {"attr": "temperature", "split_le": 20.5, "le": {"leaf": "GOOD"}, "gt": {"leaf": "BAD"}},
    },
}


def _out(task: DecisionTreeClassify, **values: Value) -> list[dict[str, Value]]:
    return [result.values for result in task.process(Record(1, "dev7", 0.0, values))]


def test_the_result_is_the_record_with_the_class() -> None:
    """What the tree looks at anywhere stays, as numbers, and the target as it came; the model is named."""
    values: dict[str, Value] = {"label": "GOOD", "light": 1.0, "humidity": "40", "temperature": 20}
    record = Record(7, "dev7", 5.0, values, {"humidity": "%RH"}, {"bn": "x"})
    kept: dict[str, Value] = {"temperature": 20.0, "humidity": 40.0, "label": "GOOD", "class": "GOOD"}
    expected = Record(7, "dev7", 5.0, kept, {"humidity": "%RH"}, {"bn": "x", "model": "city-1"})
    assert list(DecisionTreeClassify(MODEL).process(record)) == [expected]


@pytest.mark.parametrize(
    ("humidity", "temperature", "expected"),
    [(50.0, 30.0, "GOOD"), (50.1, 20.5, "GOOD"), (50.1, 20.6, "BAD"), (-1e299, 1e299, "GOOD")],
)
def test_a_split_is_at_most_and_above(humidity: float, temperature: float, expected: str) -> None:
    """A number that is a split's own goes on below it."""
    assert _out(DecisionTreeClassify(MODEL), humidity=humidity, temperature=temperature)[0]["class"] == expected


@pytest.mark.parametrize("file", WEKA)
def test_riotbenchs_trees_give_what_weka_gives(file: str) -> None:
    """The original's trees put the shipped rows in the classes that Weka puts them in with its own files."""
    task = DecisionTreeClassify(document(file), parity=True)
    rows = city_rows() if "humidity" in task._model.features else taxi_rows()
    assert [_out(task, **row)[0]["class"] for row, _ in rows] == [float(place) for place in WEKA[file]]


def test_the_city_tree_knows_the_shipped_labels() -> None:
    """The tree with Excellent gives 15 of 15 shipped city rows the label they have."""
    task = DecisionTreeClassify(document("DecisionTreeClassify-SYS-withExcellent"))
    assert [_out(task, **row)[0]["class"] for row, _ in city_rows()] == [label for _, label in city_rows()]


def test_the_taxi_tree_knows_most_of_the_shipped_labels() -> None:
    """The tree with VeryGood, whose own leaves are far from pure, is right in 142 of 239 shipped trips."""
    task = DecisionTreeClassify(document("DecisionTreeClassify-TAXI-withVeryGood"))
    right = sum(_out(task, **row)[0]["class"] == label for row, label in taxi_rows())
    assert right == 142


@pytest.mark.parametrize(
    ("file", "values", "expected"),
    [
        ("FIT-DTC-1417890600200", {"ecg1": -0.06}, "BAD"),
        ("FIT-DTC-1417890600200", {"ecg1": 0.016745}, "GOOD"),
        ("FIT-DTC-1417890600200", {"ecg1": 0.02}, "VERYGOOD"),
        ("DecisionTreeClassify-SYS", {}, "Good"),
    ],
)
def test_only_what_the_tree_looks_at_is_needed(file: str, values: dict[str, Value], expected: str) -> None:
    """Of ten features a tree may need one, or none."""
    assert _out(DecisionTreeClassify(document(file)), **values) == [{**values, "class": expected}]


def test_a_missing_feature_is_named() -> None:
    """A record that lacks a feature is refused, even if its way through the tree would not meet it."""
    with pytest.raises(BadRecord, match="temperature: the record lacks it, and model city-1 needs it"):
        _out(DecisionTreeClassify(MODEL), humidity=40.0)


def test_what_lacks_a_feature_may_be_dropped() -> None:
    """With `on_missing: drop` such a record gives nothing."""
    assert _out(DecisionTreeClassify(MODEL, on_missing="drop"), humidity=40.0) == []


def test_a_feature_that_is_none_gives_nothing() -> None:
    """A reading that was filtered out can't be looked at; one that is no number is a mistake."""
    task = DecisionTreeClassify(MODEL)
    assert _out(task, humidity=40.0, temperature=None) == []
    with pytest.raises(BadRecord, match="temperature: nan is not a number"):
        _out(task, humidity=40.0, temperature=float("nan"))


def test_a_record_brings_another_tree() -> None:
    """From the next record on the tree that came is in use, also after a restart."""
    task = DecisionTreeClassify(MODEL, updates="model")
    newer = {**MODEL, "version": "city-2", "tree": {"leaf": "BAD"}}
    (event,) = task.process(Record(1, "dev7", 0.0, {"model": json.dumps(newer)}))
    assert event == Aside(
        1, "dev7", 0.0, {"event": "taken", "version": "city-2", "previous": "city-1"}, {}, {}, "events"
    )
    other = DecisionTreeClassify(MODEL, updates="model")
    other.restore(task.snapshot())
    assert _out(task) == _out(other) == [{"class": "BAD"}]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"model": document("TAXI-MLR-1358102664000")}, "model: TAXI-MLR-1358102664000 is no decision_tree"),
        ({"model": {**MODEL, "tree": {"leaf": "FAIR"}}}, "model: no model: tree: FAIR is not among the classes"),
        ({"model": {**MODEL, "format": 9}}, "model: format 9: this riot_tasks reads up to 1"),
        ({"into": "humidity"}, "model: city-1 has the feature humidity"),
        ({"parity": "no"}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        DecisionTreeClassify(**{"model": MODEL, **params})
