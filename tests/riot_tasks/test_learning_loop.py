"""TRAIN and PRED as RIoTBench's paper has them: a table's rows become models, models blobs, and blobs models in use."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from riot_tasks import Record, Task
from riot_tasks.io.blob_download import BlobDownload
from riot_tasks.io.blob_upload import BlobUpload
from riot_tasks.io.table_range import TableRange
from riot_tasks.predict.decision_tree_classify import DecisionTreeClassify
from riot_tasks.predict.decision_tree_train import DecisionTreeTrain
from riot_tasks.predict.label_quantiles import LabelQuantiles
from riot_tasks.predict.linear_regression import LinearRegression
from riot_tasks.predict.linear_regression_train import LinearRegressionTrain
from riot_tasks.stores import blobs, tables
from riot_tasks.stores.rows import Row
from tests.riot_tasks.weka import CITY, DATA, arff

READINGS = [dict(zip(CITY, map(float, row[2:]), strict=True)) for row in arff(DATA / "linearregression.arff")]
HEAD: dict[str, Any] = {"format": 1, "version": "first"}
pytest.importorskip("obstore")
TIMER = Record(7, "CITY", 1422749000.0, {"rowstart": 1422748800000, "rowend": 1422748810000})


@pytest.fixture(autouse=True)
def stores() -> Iterator[None]:
    """A table with the readings, half a tenth of a second apart, some of which lack a value."""
    rows = [Row("all", f"r{at:03}", dict(each), "dev7", 1422748800.0 + at / 20) for at, each in enumerate(READINGS)]
    rows += [Row("all", f"r{at}", {"temperature": 20.0}, "dev8", 1422748801.0) for at in (900, 901)]
    tables.table("memory://loop", "sysdata").upsert(rows)
    yield
    tables.close_all()
    blobs.close_all()


def _through(record: Record, *tasks: Task) -> Record:
    """What comes out of a chain of tasks, one record."""
    for task in tasks:
        (record,) = task.process(record)
    return record


def _foretold(task: Task, notice: Record) -> list[Record]:
    """The readings with what a task makes of them once it has the model that a notice names."""
    (brought,) = BlobDownload("memory://loop", into="model").process(
        Record(8, "any", 0.0, {"blob": notice.values["blob"]})
    )
    assert list(task.process(brought)) == []
    records: Sequence[Record] = [Record(9, "any", 0.0, dict(each)) for each in READINGS]
    return [result for record in records for result in task.process(record)]


def test_a_regression_comes_round() -> None:
    """What is learnt of a table is uploaded by its version, fetched by its notice, and as good as it says."""
    learn = LinearRegressionTrain(CITY[:-1], CITY[-1])
    upload = BlobUpload("memory://loop", name="{version}.json", field="model")
    notice = _through(TIMER, TableRange("memory://loop", table="sysdata"), learn, upload)
    assert notice.values["blob"] == "CITY-MLR-1422748810000.json"
    assert notice.values["trained_on"] == len(READINGS)
    model = {**HEAD, "kind": "linear_regression", "features": CITY[:-1], "target": CITY[-1]}
    results = _foretold(LinearRegression({**model, "coefficients": {}, "intercept": 0.0}, updates="model"), notice)
    assert {result.meta["model"] for result in results} == {"CITY-MLR-1422748810000"}
    errors = [float(result.values["prediction"]) - float(result.values[CITY[-1]]) for result in results]  # type: ignore[arg-type]
    assert (sum(error**2 for error in errors) / len(errors)) ** 0.5 == pytest.approx(notice.values["rmse"], rel=1e-9)


def test_a_tree_comes_round() -> None:
    """The same with a tree, of the rows that `label_quantiles` has labelled."""
    upload = BlobUpload("memory://loop", name="{version}.json", field="model")
    chain = (TableRange("memory://loop", table="sysdata"), LabelQuantiles(CITY[-1]), DecisionTreeTrain(CITY), upload)
    notice = _through(TIMER, *chain)
    assert notice.values["blob"] == "CITY-DTC-1422748810000.json"
    first = {
        **HEAD,
        "kind": "decision_tree",
        "features": CITY,
        "target": "label",
        "classes": ["BAD"],
        "tree": {"leaf": "BAD"},
    }
    results = _foretold(DecisionTreeClassify(first, updates="model"), notice)
    window = LabelQuantiles(CITY[-1], window=len(READINGS))
    *_, labels = (list(window.process(Record(1, "any", 0.0, dict(each)))) for each in READINGS)
    right = sum(a.values["class"] == b.values["label"] for a, b in zip(results, labels, strict=True))
    assert right / len(labels) == notice.values["accuracy"] == 1.0
