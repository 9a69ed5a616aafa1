import json
from typing import Any

import numpy as np
import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.predict.label_quantiles import LabelQuantiles
from tests.riot_tasks.conftest import SAMPLE
from tests.riot_tasks.weka import CITY, TAXI, senml


def _record(number: int, **values: Value) -> Record:
    return Record(number, f"dev{number % 2}", float(number), values, {"a": "Cel"}, {"bn": "x"})


def _table(task: LabelQuantiles, text: str | bytes) -> str:
    (result,) = task.process(_record(1, rows=text, name="city"))
    assert (result.id, result.values["name"]) == (1, "city")
    table = result.values["rows"]
    assert isinstance(table, str)
    return table


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
@pytest.mark.parametrize(
    ("file", "names"), [("SYS_sample_data_senml.csv", CITY), ("TAXI_sample_data_senml.csv", TAXI)], ids=["city", "taxi"]
)
def test_real_rows_are_labelled_as_riotbench_does(file: str, names: list[str]) -> None:
    """Below the median BAD, to the 75th percentile GOOD, above VERYGOOD, the maximum EXCELLENT, by the last column."""
    rows = senml(file, names)
    numbers = np.array([row[-1] for row in rows])
    median, upper, top = np.quantile(numbers, [0.5, 0.75, 1.0], method="weibull")
    expected = np.select(
        [numbers >= top, numbers >= upper, numbers >= median], ["EXCELLENT", "VERYGOOD", "GOOD"], "BAD"
    ).tolist()
    text = "\n".join(",".join(map(str, row)) for row in [names, *rows])
    lines = _table(LabelQuantiles(), text).splitlines()
    assert lines[0] == ",".join([*names, "label"])
    assert lines[1:] == [",".join([*map(str, row), label]) for row, label in zip(rows, expected, strict=True)]
    task = LabelQuantiles(window=len(rows))
    *_, window = (list(task.process(_record(1, **dict(zip(names, row, strict=True))))) for row in rows)
    assert [result.values["label"] for result in window] == expected


def test_the_window_comes_when_it_is_full() -> None:
    """The record that fills a window gives all of it, in order; the next window begins afresh."""
    task = LabelQuantiles("a", labels={"LOW": 1, "HIGH": 50}, window=3)
    said = [list(task.process(_record(number, b="x", a=a))) for number, a in enumerate([3.0, "1", 2, 10, 20])]
    units, meta = {"a": "Cel"}, {"bn": "x"}
    window = [
        Record(2, "dev0", 0.0, {"b": "x", "a": 3.0, "label": "HIGH"}, units, meta),
        Record(2, "dev1", 1.0, {"b": "x", "a": "1", "label": "LOW"}, units, meta),
        Record(2, "dev0", 2.0, {"b": "x", "a": 2, "label": "HIGH"}, units, meta),
    ]
    assert said == [[], [], window, [], []]
    assert [(late.id, late.values["a"], late.values["label"]) for late in task.flush()] == [
        (4, 10, "LOW"),
        (4, 20, "HIGH"),
    ]


def test_the_last_field_decides_by_default() -> None:
    """Without a field the last one of the record is taken."""
    task = LabelQuantiles(window=1)
    assert [result.values for result in task.process(_record(1, b="x", a=7))] == [
        {"b": "x", "a": 7, "label": "EXCELLENT"}
    ]


def test_a_json_table_stays_json() -> None:
    """Each object gets the label; one in which the number is null, or absent, gets null."""
    rows = [{"a": 1, "b": "x"}, {"a": None, "b": "y"}, {"a": 2.5}, {"b": "z"}]
    labelled = json.loads(_table(LabelQuantiles("a"), json.dumps(rows).encode()))
    labels = ["BAD", None, "EXCELLENT", None]
    assert labelled == [{**row, "label": label} for row, label in zip(rows, labels, strict=True)]


def test_a_table_may_be_empty() -> None:
    """A table without rows is labelled as any other: it has the column."""
    assert _table(LabelQuantiles(), "a,b\n") == "a,b,label\r\n"
    assert _table(LabelQuantiles(), "[]") == "[]"


def test_a_table_leaves_the_window_alone() -> None:
    """What waits in a window is not labelled by a table that comes between."""
    task = LabelQuantiles("a", labels={"LOW": 1, "HIGH": 100}, window=2)
    list(task.process(_record(1, a=1.0)))
    _table(task, "a\n100\n200\n")
    assert [result.values["label"] for result in task.process(_record(2, a=2.0))] == ["LOW", "HIGH"]


def test_none_is_left_out() -> None:
    """A record whose number was filtered out does not count."""
    task = LabelQuantiles("a", window=1)
    assert list(task.process(_record(1, a=None))) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"b": 1.0}, "a: the record lacks it, and is labelled by it"),
        ({"a": "much"}, "a: 'much' is not a number"),
        ({"a": 1.0, "b": float("nan")}, "b: nan is no number that can be kept"),
        ({"a": 1.0, "b": 2**64}, "b: an integer of 65 bits; 64 can be kept"),
        ({"a": 1.0, "b": "\ud800"}, "b: not a text in Unicode"),
        ({"rows": "b\n1\n"}, "rows: a is in none of the rows"),
        ({"rows": "a\n1\nx\n"}, "rows: row 2: a: 'x' is not a number"),
        ({"rows": 1}, "rows: holds no table, but a int"),
    ],
)
def test_what_has_no_label_is_refused(values: dict[str, Value], message: str) -> None:
    """A record or a row that can't be labelled, or kept until it is, is refused by its field."""
    with pytest.raises(BadRecord, match=message):
        LabelQuantiles("a").process(_record(1, **values))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"field": ""}, "field: must be a field's name"),
        ({"labels": {}}, "labels: {} maps no labels to rising percentiles"),
        ({"labels": ["BAD", "GOOD"]}, "labels: .* maps no labels to rising percentiles"),
        ({"labels": {"BAD": 50, "GOOD": 25}}, "labels: .* maps no labels to rising percentiles"),
        ({"labels": {"BAD": 25, "GOOD": 25}}, "labels: .* maps no labels to rising percentiles"),
        ({"labels": {"BAD": 0}}, "labels: .* maps no labels to rising percentiles"),
        ({"labels": {"BAD": 101}}, "labels: .* maps no labels to rising percentiles"),
        ({"labels": {"BAD": "25"}}, "labels: .* maps no labels to rising percentiles"),
        ({"labels": {True: 25}}, "labels: .* has a label that is no text"),
        ({"into": None}, "into: must be a field's name"),
        ({"window": 0}, "window: must be a whole number from 1"),
        ({"rows": ""}, "rows: must be a field's name"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        LabelQuantiles(**params)
