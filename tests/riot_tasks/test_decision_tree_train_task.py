import builtins
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Value, models
from riot_tasks.models import Node, TreeModel
from riot_tasks.predict.decision_tree_classify import DecisionTreeClassify
from riot_tasks.predict.decision_tree_train import DecisionTreeTrain
from riot_tasks.predict.label_quantiles import LabelQuantiles
from tests.riot_tasks.conftest import SAMPLE
from tests.riot_tasks.weka import CITY, TAXI, document, senml, taxi_rows

TRIPS = [{**row, "result": label} for row, label in taxi_rows()]
CLASSES = ["Bad", "Good", "VeryGood"]


def _said(task: DecisionTreeTrain, records: Sequence[Record]) -> list[Record]:
    return [result for record in records for result in task.process(record)]


def _table(text: str, **values: Value) -> list[Record]:
    return [Record(7, "city", 60.0, {"rows": text, **values}, {"a": "Cel"}, {"bn": "x"})]


def _model(record: Record) -> TreeModel:
    text = record.values["model"]
    assert isinstance(text, str)
    model = models.read(text)
    assert isinstance(model, TreeModel)
    return model


def _splits(node: Node) -> Iterator[tuple[str, float]]:
    for _, each in node.nodes():
        if each.attr is not None and each.split_le is not None:
            yield each.attr, each.split_le


def test_a_table_makes_a_tree() -> None:
    """The result has the record's head, the document and what the tree is worth; the document says the same."""
    text = "a,b,label\n" + "".join(f"{row % 6},{row},BAD\n{row % 4 + 9},{row},GOOD\n" for row in range(10))
    (result,) = _said(DecisionTreeTrain(["b", "a"]), _table(text))
    model = _model(result)
    assert (result.id, result.source, result.time, result.units, result.meta) == (7, "city", 60.0, {}, {"bn": "x"})
    worth = {"leaves": 2, "accuracy": 1.0, "cv_accuracy": 1.0}
    said = {"version": "city-DTC-60000", "model": models.write(model), "trained_on": 20, **worth}
    assert result.values == said
    assert model == TreeModel(
        format=1,
        version="city-DTC-60000",
        features=["b", "a"],
        target="label",
        training=models.Training(20, 60.0, 60.0, "city", 7),
        metrics={"leaves": 2.0, "accuracy": 1.0, "cv_accuracy": 1.0},
        classes=["BAD", "GOOD", "VERYGOOD", "EXCELLENT"],
        tree=Node("a", 5.0, Node(leaf="BAD", counts=[10, 0, 0, 0]), Node(leaf="GOOD", counts=[0, 10, 0, 0])),
    )


def test_records_make_the_same_tree() -> None:
    """Rows one by one make the tree that the same rows make as a table, in CSV or in JSON."""
    task = DecisionTreeTrain(TAXI, "result", classes=CLASSES, window=len(TRIPS))
    (streamed,) = _said(task, [Record(7, "city", 60.0, dict(trip)) for trip in TRIPS])
    lines = "\n".join(",".join(map(str, row)) for row in [list(TRIPS[0]), *(trip.values() for trip in TRIPS)])
    for text in (lines, json.dumps(TRIPS)):
        (batched,) = _said(task, _table(text))
        assert _model(batched) == _model(streamed)


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
@pytest.mark.parametrize(
    ("file", "names", "original", "near"),
    [
        ("SYS_sample_data_senml.csv", CITY, "CITY-DTC-1422748810000", 1.0),
        ("TAXI_sample_data_senml.csv", TAXI, "TAXI-DTC-1358102664000", 2.0),
    ],
    ids=["city", "taxi"],
)
def test_labelled_real_rows_make_the_originals_tree(file: str, names: list[str], original: str, near: float) -> None:
    """A tenth of the rows of the original's own window, labelled and learnt, give its tree with about its splits."""
    end = float(original.rpartition("-")[2])
    rows = [row[1:] for row in senml(file, ["bt", *names]) if row[0] < end]
    table = "\n".join(",".join(map(str, row)) for row in [names, *rows])
    (labelled,) = LabelQuantiles().process(Record(1, "city", 0.0, {"rows": table}))
    (result,) = _said(DecisionTreeTrain(names), [labelled])
    model, theirs = _model(result), models.load(document(original))
    assert isinstance(theirs, TreeModel)
    assert [node.leaf for _, node in model.tree.nodes()] == [node.leaf for _, node in theirs.tree.nodes()]
    for (attr, split), (their_attr, their_split) in zip(_splits(model.tree), _splits(theirs.tree), strict=True):
        assert attr == their_attr == names[-1]
        assert split == pytest.approx(their_split, abs=near)


def test_what_is_learnt_can_be_applied() -> None:
    """The record with a tree goes to `decision_tree_classify` as it is, which is right as often as it says."""
    train = DecisionTreeTrain(TAXI, "result", classes=CLASSES, window=len(TRIPS), min_leaf=5)
    (result,) = _said(train, [Record(7, "city", 60.0, dict(trip)) for trip in TRIPS])
    first = {**json.loads(str(result.values["model"])), "version": "first", "tree": {"leaf": "Bad"}}
    apply = DecisionTreeClassify(first, updates="model")
    assert [said.values["event"] for said in apply.process(result)] == ["taken"]
    found = [each.values for trip in TRIPS for each in apply.process(Record(1, "taxi", 0.0, dict(trip)))]
    right = sum(each["class"] == trip["result"] for each, trip in zip(found, TRIPS, strict=True))
    assert right / len(TRIPS) == result.values["accuracy"]


def test_the_tree_of_a_window_is_given_at_its_end() -> None:
    """Windows do not overlap; at the end of the stream the rest makes a tree, if it has rows enough."""
    task = DecisionTreeTrain(TAXI, "result", classes=CLASSES, window=100)
    trips = [Record(number, "d", float(number), dict(trip)) for number, trip in enumerate(TRIPS)]
    results = [*_said(task, trips), *task.flush()]
    assert [result.values["trained_on"] for result in results] == [100, 100, 39]
    windows = [_model(result).training for result in results]
    assert windows == [
        models.Training(100, 0.0, 99.0, "d", 99),
        models.Training(100, 100.0, 199.0, "d", 199),
        models.Training(39, 200.0, 238.0, "d", 238),
    ]


def test_a_class_may_be_any_value() -> None:
    """Classes are compared as texts: 1, 1.0 and "1" are the same."""
    task = DecisionTreeTrain(["a"], "y", classes=["0", "1"], window=6, min_leaf=1)
    values: list[dict[str, Value]] = [{"a": 1, "y": 0}, {"a": 2, "y": "0"}, {"a": 3, "y": 0.0}]
    values += [{"a": 7, "y": 1}, {"a": 8, "y": "1"}, {"a": 9, "y": 1.0}]
    (result,) = _said(task, [Record(1, "d", 0.0, each) for each in values])
    assert list(_splits(_model(result).tree)) == [("a", 3.0)]


def test_the_limits_reach_the_tree() -> None:
    """min_leaf and max_depth are those of the tree."""
    lines = [f"{row},{'BAD' if row % 20 < 10 else 'GOOD'}" for row in range(40)]
    table = "\n".join(["a,label", *lines])
    (deep,) = _said(DecisionTreeTrain(["a"]), _table(table))
    (flat,) = _said(DecisionTreeTrain(["a"], max_depth=2), _table(table))
    (wide,) = _said(DecisionTreeTrain(["a"], min_leaf=15), _table(table))
    assert deep.values["leaves"] == 4
    assert max(depth for depth, _ in _model(flat).tree.nodes()) <= 2
    assert min(sum(node.counts) for _, node in _model(wide).tree.nodes() if node.leaf) >= 15


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": 1.0}, "label: the record lacks it, and learning needs it"),
        ({"a": "x", "label": "BAD"}, "a: 'x' is not a number"),
        ({"a": 1.0, "label": "FAIR"}, "label: 'FAIR' is not among the classes"),
        ({"a": 1.0, "label": 3}, "label: '3' is not among the classes"),
        ({"rows": "a,label\n1,BAD\n2,bad\n"}, "rows: row 2: label: 'bad' is not among the classes"),
        ({"rows": "a,label\n1,BAD\n2,BAD\n3,\n4,GOOD\n"}, "rows: 3 of 4 rows are complete, a model needs 4$"),
    ],
)
def test_what_can_not_be_learnt_from_is_refused(values: dict[str, Value], message: str) -> None:
    """A record or a table that is no training data is refused by its field, and the window stays as it was."""
    task = DecisionTreeTrain(["a"], window=4)
    task.process(Record(1, "d", 0.0, {"a": 1.0, "label": "BAD"}))
    before = task.snapshot()
    with pytest.raises(BadRecord, match=message):
        task.process(Record(2, "d", 0.0, values))
    assert task.snapshot() == before


def test_a_refusal_is_short() -> None:
    """However many classes there are, the reason can be read."""
    task = DecisionTreeTrain(["a"], classes=[f"class {number}" for number in range(1000)])
    with pytest.raises(BadRecord, match="is not among the classes class 0, class 1") as refusal:
        task.process(Record(1, "d", 0.0, {"a": 1.0, "label": "x" * 9999}))
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"features": "a"}, "features: 'a' is no list of different field names"),
        ({"features": ["label"]}, "target: label is among the features"),
        ({"classes": []}, r"classes: \[\] is no list"),
        ({"classes": [True, False]}, "classes: .* is no list"),
        ({"window": 3}, "window: must be a whole number from 4"),
        ({"window": 9, "min_leaf": 5}, "window: must be a whole number from 10"),
        ({"min_leaf": 0}, "min_leaf: must be a whole number from 1"),
        ({"min_leaf": 2**30}, "min_leaf: must be a whole number from 1 to 1073741823"),
        ({"max_depth": 51}, "max_depth: must be a whole number from 1 to 50"),
        ({"rows": None}, "rows: must be a field's name"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        DecisionTreeTrain(**{"features": ["a"], **params})


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where scikit-learn is absent, the task is refused before the first record."""
    real = builtins.__import__

    def without(module: str, *rest: Any) -> Any:
        if module.startswith("sklearn"):
            raise ModuleNotFoundError("No module named 'sklearn'")
        return real(module, *rest)

    monkeypatch.delitem(sys.modules, "riot_tasks.algorithms.tree_growing", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"decision_tree_train needs scikit-learn: .*; pip install 'riotd\[learn\]'"):
        DecisionTreeTrain(["a"])
