import json
from typing import Any

import pytest

from riot_tasks import Record, Task, Value, models
from riot_tasks.predict.decision_tree_classify import DecisionTreeClassify
from riot_tasks.predict.decision_tree_train import DecisionTreeTrain
from riot_tasks.predict.label_quantiles import LabelQuantiles
from riot_tasks.predict.linear_regression import LinearRegression
from riot_tasks.predict.linear_regression_train import LinearRegressionTrain
from riot_tasks.predict.model_compare import ModelCompare
from riot_tasks.predict.model_notice import ModelNotice
from riot_tasks.predict.notice_parse import NoticeParse
from riot_tasks.testing import check_task

TWO = ["temperature", "humidity"]
LINEAR: dict[str, Any] = {
    "kind": "linear_regression",
    "format": 1,
    "version": "city-1",
    "features": [*TWO, "light"],
    "target": "airquality",
    "coefficients": {"temperature": -0.5, "humidity": 0.25},
    "intercept": 30.0,
}
TREE: dict[str, Any] = {
    "kind": "decision_tree",
    "format": 1,
    "version": "city-1",
    "features": TWO,
    "target": "kind",
    "classes": ["BAD", "GOOD"],
    "tree": {
        "attr": "humidity",
        "split_le": 44,
        "le": {"leaf": "GOOD"},
        "gt": {"attr": "temperature", "split_le": 21, "le": {"leaf": "GOOD"}, "gt": {"leaf": "BAD"}},
    },
}


def _record(number: int) -> Record:
    values: dict[str, Value] = {
        "temperature": 20.0 + number * 7 % 5 / 3,
        "humidity": str(40 + number % 9),
        "kind": ("GOOD", "BAD")[number % 3 == 0],
        "light": None if number % 5 == 0 else number,
    }
    return Record(number, f"dev{number % 4}", float(number), values, {"temperature": "Cel"}, {"bn": "urn:dev:"})


def _bringing(field: str, *texts: Value) -> list[Record]:
    return [Record(100 + number, "dev1", 100.0, {field: text}) for number, text in enumerate(texts)]


STREAM = [*map(_record, range(1, 31)), Record(31, "dev1", 31.0, {"other": "x"})]
CSV = "temperature,humidity,kind\n" + "".join(
    f"{row * 7 % 11},{row},{'BAD' if row < 5 else 'GOOD'}\n" for row in range(12)
)
JSON = json.dumps([{"temperature": row * 7 % 11, "humidity": row, "kind": "GOOD"} for row in range(9)])
TABLES = _bringing("rows", CSV, JSON, JSON.encode(), "no,table", "", None)


def _models(model: dict[str, Any], **change: Any) -> list[Record]:
    """Readings with models between: one that is new, a broken one, the new one again, and the old one."""
    newer = json.dumps({**model, "version": "city-2", **change})
    brought = [newer, "{}", newer.encode(), json.dumps(model)]
    updates = [Record(10, "models", 9.5, {"model": text, "kind": model["kind"]}) for text in brought]
    return [*STREAM[:10], *updates[:3], *STREAM[10:25], updates[3], *STREAM[25:]]


def _compared(number: int) -> Record:
    """What a predicting task gives of a model on trial: at times nothing, at times by another model."""
    said = None if number % 7 == 0 else 20.0 + number % 3
    values: dict[str, Value] = {"prediction": said, "prediction_in_force": 21.5, "humidity": 20.0 + number % 2}
    return Record(number, f"dev{number % 4}", float(number), values, {}, {"model": f"city-{2 + number // 20}"})


NOTICE = models.notice(json.dumps(TREE), "city/tree.json")
NOTICES = [
    Record(number, "models", 1.0, {"payload": text})
    for number, text in enumerate([NOTICE.encode(), NOTICE.encode().decode(), "{}", None])
]
UPLOADS = [
    Record(number, "CITY", 1.0, {"model": text, "blob": f"city/{number}.json"})
    for number, text in enumerate([json.dumps(TREE), json.dumps(LINEAR).encode(), "{}"])
]
TRIAL = [
    Record(
        0, "models", 0.0, {"notice": models.notice(json.dumps({**TREE, "version": "city-3"}), "b").encode().decode()}
    ),
    *map(_compared, range(1, 41)),
]


EXAMPLES: dict[type[Task], list[tuple[dict[str, Any], list[Record]]]] = {
    LinearRegression: [
        ({"model": LINEAR}, STREAM),
        ({"model": LINEAR, "updates": "model", "parity": True}, _models(LINEAR, coefficients={"light": 2.0})),
        ({"model": LINEAR, "updates": "model", "shadow": 9}, _models(LINEAR, coefficients={"light": 2.0})),
        ({"updates": "model", "features": [*TWO, "light"], "shadow": 3, "promote": "told"}, _models(LINEAR)),
    ],
    DecisionTreeClassify: [
        ({"model": TREE}, STREAM),
        ({"model": TREE, "updates": "model", "parity": True}, _models(TREE, tree={"leaf": "BAD"})),
        ({"updates": "model", "shadow": 9}, _models(TREE, tree={"leaf": "BAD"})),
    ],
    ModelNotice: [({}, UPLOADS), ({"shadow": 5, "into": "notice"}, UPLOADS)],
    NoticeParse: [({}, NOTICES), ({"kinds": ["decision_tree"], "targets": ["kind"]}, NOTICES)],
    ModelCompare: [({"window": 6}, TRIAL), ({"window": 3, "actual": "humidity"}, TRIAL)],
    LinearRegressionTrain: [
        ({"features": ["temperature", "light"], "target": "humidity", "window": 7}, STREAM),
        ({"features": ["temperature"], "target": "humidity", "window": 9}, [*STREAM[:4], *TABLES, *STREAM[4:]]),
    ],
    DecisionTreeTrain: [
        ({"features": TWO, "target": "kind", "window": 12}, STREAM),
        ({"features": TWO, "target": "kind", "classes": ["BAD", "GOOD"], "window": 15}, [*STREAM[:4], *TABLES]),
    ],
    LabelQuantiles: [
        ({"window": 7}, STREAM),
        ({"field": "humidity", "labels": {"LOW": 10, "HIGH": 60}, "window": 5}, [*STREAM[:4], *TABLES, *STREAM[4:]]),
    ],
}


@pytest.mark.parametrize("cls", EXAMPLES, ids=lambda cls: cls.__name__)
def test_every_learning_task_keeps_the_contract(cls: type[Task]) -> None:
    """The task passes the public battery, streaming and batched, with models that come and tables that break."""
    check_task(cls, EXAMPLES[cls], records=400 if cls is DecisionTreeTrain else 2000)
