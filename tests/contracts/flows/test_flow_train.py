"""TRAIN as it stands in config/, against a plain reference, model by model."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.contracts.flows import learning, references
from tests.contracts.flows.running import Case, Ran, cases, run


@cases(of="generated", without="grid")
def test_train_learns_what_the_reference_learns(case: Case) -> None:
    """Both models of each tick are, weight by weight and split by split, those of the rows that ETL has kept."""
    feed, engine = case
    run("etl", feed, sinks=["senml"], **engine)
    rows = _rows_in_time(feed.dataset, list(references.etl(feed.dataset, feed.lines, feed.known)))
    ends = _ticks([time for time, _ in rows])
    ran = run("train", feed, sinks=["linear_regression", "decision_tree"], **engine)
    assert len(ends) == len(ran.results["decision_tree"]) == 2
    for end, line, tree in zip(ends, ran.results["linear_regression"], ran.results["decision_tree"], strict=True):
        expected = learning.train(feed.dataset, [row for time, row in rows if time * 1000 < end])
        regression, classes = (_announced(ran, feed.dataset, each) for each in (line, tree))
        assert regression["coefficients"] == expected.weights
        assert regression["intercept"] == expected.intercept
        assert _bare(classes["tree"]) == expected.tree
        assert (regression["training"]["rows"], classes["training"]["rows"]) == expected.rows
        assert [each["version"] for each in (regression, classes)] == [
            f"{feed.dataset}-MLR-{end}",
            f"{feed.dataset}-DTC-{end}",
        ]
    assert ran.rejects == []


def _rows_in_time(dataset: str, rows: list[references.Reading]) -> list[tuple[float, dict[str, Any]]]:
    """The rows of ETL's table in the order of their times, those of one time in that of their keys."""
    return sorted(((time, values) for _, time, values in references.table(dataset, rows)), key=lambda row: row[0])


def _ticks(times: list[float]) -> list[int]:
    """Write a timer file of two stretches, half of the rows and all of them; where they end, in ms."""
    start, *ends = (round(time * 1000) for time in (times[0], times[len(times) // 2], times[-1] + 1))
    lines = [f"{number},{number * 120},{start},{end}" for number, end in enumerate(ends, start=1)]
    Path("ticks.csv").write_text("\n".join(["msgId,timestamp,rowstart,rowend", *lines]))
    return ends


def _announced(ran: Ran, dataset: str, result: dict[str, Any]) -> dict[str, Any]:
    """The document of a notice: it is where that says, and has the bytes that it says."""
    notice = json.loads(result["values"]["payload"])
    text = (ran.folder / f"{dataset}-models" / notice["model"]).read_bytes()
    assert sha256(text).hexdigest() == notice["sha256"]
    document: dict[str, Any] = json.loads(text)
    return document


def _bare(node: dict[str, Any]) -> dict[str, Any]:
    """A tree without its counts of rows."""
    return {key: _bare(value) if key in {"le", "gt"} else value for key, value in node.items() if key != "counts"}
