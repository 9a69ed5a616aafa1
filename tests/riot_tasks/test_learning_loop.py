"""TRAIN and PRED as RIoTBench's paper has them: a table's rows become models, models blobs, and blobs models in use."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from riot_tasks import Aside, BadRecord, Record, Task, Value, models
from riot_tasks.io.blob_download import BlobDownload
from riot_tasks.io.blob_upload import BlobUpload
from riot_tasks.io.table_range import TableRange
from riot_tasks.predict.decision_tree_classify import DecisionTreeClassify
from riot_tasks.predict.decision_tree_train import DecisionTreeTrain
from riot_tasks.predict.label_quantiles import LabelQuantiles
from riot_tasks.predict.linear_regression import LinearRegression
from riot_tasks.predict.linear_regression_train import LinearRegressionTrain
from riot_tasks.predict.model_compare import ModelCompare
from riot_tasks.predict.model_notice import ModelNotice
from riot_tasks.predict.notice_parse import NoticeParse
from riot_tasks.stores import blobs, tables
from riot_tasks.stores.rows import Row
from tests.riot_tasks.weka import CITY, DATA, arff

READINGS = [dict(zip(CITY, map(float, row[2:]), strict=True)) for row in arff(DATA / "linearregression.arff")]
HEAD: dict[str, Any] = {"format": 1, "version": "first"}
VERSION = "CITY1-MLR-1422748804000"
"""Of the model of the first half of the readings."""
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


def _results(task: Task, record: Record) -> list[Record]:
    """A task's results for a record, without what it says aside."""
    return [each for each in task.process(record) if not isinstance(each, Aside)]


def _foretold(task: Task, notice: Record) -> list[Record]:
    """The readings with what a task makes of them once it has the model that a notice names."""
    (brought,) = BlobDownload("memory://loop", into="model").process(
        Record(8, "any", 0.0, {"blob": notice.values["blob"]})
    )
    assert _results(task, brought) == []
    records: Sequence[Record] = [Record(9, "any", 0.0, dict(each)) for each in READINGS]
    return [result for record in records for result in _results(task, record)]


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


class Loop:
    """TRAIN and PRED around one store: what TRAIN announces is what PRED hears."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._message = 0

    def train(self, halves: int) -> bytes:
        """The notice of a model of the table's first half, or of all of it."""
        until = {"rowstart": 1422748800000, "rowend": 1422748800000 + halves * 4000, "name": f"CITY{halves}"}
        name = "linear_regression/airquality_raw/{version}.json"
        notice = _through(
            Record(self._next(), "CITY", 1422749000.0, dict(until)),
            TableRange("memory://loop", table="sysdata"),
            LinearRegressionTrain(CITY[:-1], CITY[-1]),
            BlobUpload("memory://loop", name=name, field="model", keep=True),
            ModelNotice(),
        )
        payload = notice.values["payload"]
        assert isinstance(payload, bytes)
        return payload

    def hear(self, notice: bytes) -> list[str]:
        """What becomes of the model that a notice names, in words."""
        record = Record(self._next(), "models", 0.0, {"payload": notice})
        brought = _through(record, NoticeParse(targets=[CITY[-1]]), BlobDownload("memory://loop", into="model"))
        return [f"{each.values['event']} {each.values['version']}" for each in self.task.process(brought)]

    def read(self) -> tuple[str, list[Record]]:
        """Which model foretells the next reading, and what a model on trial says of it."""
        values: dict[str, Value] = dict(READINGS[self._message % len(READINGS)])
        result, *beside = self.task.process(Record(self._next(), "dev7", 0.0, values))
        return result.meta["model"], beside

    def _next(self) -> int:
        self._message += 1
        return self._message


def test_the_loop_closes() -> None:
    """Trained, announced, fetched, taken; tried beside the old one, taken; rolled back: results say by which model."""
    loop = Loop(LinearRegression(updates="model", shadow=3))
    first, second = loop.train(1), loop.train(2)
    one, two = "CITY1-MLR-1422748804000", "CITY2-MLR-1422748808000"
    assert loop.hear(first) == [f"taken {one}"]
    assert loop.read() == (one, [])
    assert loop.hear(second) == [f"shadowing {two}"]
    for _ in range(3):
        version, (tried,) = loop.read()
        assert (version, tried.meta["model"], tried.meta["beside"]) == (one, two, one)
        assert tried.values["prediction"] != tried.values["prediction_in_force"]
    assert loop.read() == (two, [])
    assert loop.hear(first) == [f"rolled_back {one}"]
    assert loop.read() == (one, [])


def test_the_loop_outlives_bad_models() -> None:
    """A torn blob, one that was replaced, and a model for something else are refused by name, and the flow goes on."""
    loop = Loop(LinearRegression(updates="model"))
    store = blobs.blobs("memory://loop")
    first, second = loop.train(1), loop.train(2)
    loop.hear(first)
    name = models.read_notice(second).model
    whole = store.get(name, max_bytes=10**6)
    assert whole is not None
    store.put(name, whole[:-30])
    assert loop.hear(second) == ["refused CITY2-MLR-1422748808000"]
    store.put(name, b"not JSON")
    assert loop.hear(models.notice(whole, name).encode()) == ["refused CITY2-MLR-1422748808000"]
    other = models.write(replace(models.read(whole), features=["dust"], coefficients={"dust": 1.0}, version="other"))
    store.put("other.json", other.encode())
    assert loop.hear(models.notice(other, "other.json").encode()) == ["refused other"]
    assert loop.read() == (VERSION, [])
    store.put(name, whole)
    assert loop.hear(second) == ["taken CITY2-MLR-1422748808000"]


def test_a_model_that_is_not_there_is_a_dead_letter() -> None:
    """A notice of a blob that nobody has put there is refused where it is fetched; the model in force stays."""
    loop = Loop(LinearRegression(updates="model"))
    loop.hear(loop.train(1))
    lost = replace(models.read_notice(loop.train(2)), model="lost.json")
    with pytest.raises(BadRecord, match=r"there is no blob memory://loop/lost\.json"):
        loop.hear(lost.encode())
    assert loop.read()[0] == VERSION


@pytest.mark.parametrize("poor_first", [True, False])
def test_only_a_model_that_proves_itself_takes_over(*, poor_first: bool) -> None:
    """A model on trial waits until it has been compared: only a better one is announced again, and taken."""
    loop = Loop(LinearRegression(updates="model", shadow=30, promote="told"))
    good, poor = loop.train(1), _poor()
    first, second = (poor, good) if poor_first else (good, poor)
    loop.hear(first)
    compare = ModelCompare(actual=CITY[-1], window=20)
    assert list(compare.process(_through(Record(0, "models", 0.0, {"payload": second}), NoticeParse()))) == []
    loop.hear(second)
    verdict, *told = [said for _ in range(20) for tried in loop.read()[1] for said in compare.process(tried)]
    assert verdict.values["better"] is poor_first
    assert [loop.hear(str(each.values["payload"], "utf-8").encode()) for each in told] == [
        [f"promoted {VERSION}"]
    ] * poor_first
    assert loop.read()[0] == VERSION


def _poor() -> bytes:
    """The notice of a model that is far off."""
    model = {
        "kind": "linear_regression",
        "features": CITY[:-1],
        "target": CITY[-1],
        "coefficients": {},
        "intercept": 500.0,
    }
    text = json.dumps({**HEAD, **model, "version": "poor"})
    blobs.blobs("memory://loop").put("poor.json", text.encode())
    return models.notice(text, "poor.json").encode()
