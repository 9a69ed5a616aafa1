"""A small model and its successors, brought to a task that foretells by it."""

import json
from collections import Counter
from typing import Any

from riot_tasks import Aside, Record, Value
from riot_tasks.predict.linear_regression import LinearRegression

FIRST: dict[str, Any] = {
    "kind": "linear_regression",
    "format": 1,
    "version": "city-1",
    "features": ["temperature", "light"],
    "target": "airquality",
    "coefficients": {"temperature": 1.0},
    "intercept": 10.0,
}
READING: dict[str, Value] = {"temperature": 20.0, "light": 5.0, "airquality": 31.0}


def successor(number: int, **change: Any) -> str:
    """The text of the model city-`number`, which adds that to 100 times as much as the first one does."""
    return json.dumps({**FIRST, "version": f"city-{number}", "intercept": 100.0 * number, **change})


def new_task(**params: Any) -> LinearRegression:
    task = LinearRegression(params.pop("model", FIRST), updates="model", **params)
    task.counts = Counter()
    return task


def bring(task: LinearRegression, text: Value, message: int = 0, **more: Value) -> list[dict[str, Value]]:
    """What is said at `events` of a model that a message brings."""
    said = list(task.process(Record(message, "any", 0.0, {"model": text, **more})))
    assert all(isinstance(each, Aside) and each.output == "events" and each.id == message for each in said)
    return [each.values for each in said]


def foretold(task: LinearRegression, message: int = 1, **values: Value) -> tuple[Value, dict[str, str]]:
    """The prediction for a reading, and the meta of the result."""
    results = list(task.process(Record(message, "dev7", 0.0, {**READING, **values})))
    return results[0].values["prediction"], results[0].meta


def beside(task: LinearRegression, message: int, values: dict[str, Value] = READING) -> list[Record]:
    """What comes at `shadow` for a reading."""
    results = task.process(Record(message, "dev7", 0.0, values, {"airquality": "ppm"}, {"bn": "x"}))
    return [each for each in results if isinstance(each, Aside) and each.output == "shadow"]
