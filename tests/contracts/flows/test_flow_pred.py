"""PRED as it stands in config/, against a plain reference, message by message."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.contracts.flows import learning
from tests.contracts.flows.datasets import CLASSES
from tests.contracts.flows.running import Case, cases, run
from tests.riot_tasks.weka import document


@cases(without="grid")
def test_pred_says_what_the_reference_says(case: Case) -> None:
    """By RIoTBench's models, each message has the class, the number and the error that one loop over the file has."""
    feed, engine = case
    tree, line = MODELS[feed.dataset]
    Path("tree.json").write_text(json.dumps(tree))
    Path("line.json").write_text(json.dumps(line))
    models = {"stages.classify.params.model": "tree.json", "stages.predict.params.model": "line.json"}
    ran = run(
        "pred", feed, sinks=["classify", "error"], settings=[f"{key}={path}" for key, path in models.items()], **engine
    )
    expected = learning.pred(feed.dataset, feed.lines, tree, line)
    classes = [(each["source"], each["time"], each["values"]["class"]) for each in ran.results["classify"]]
    errors = [
        (each["source"], each["time"], each["values"]["prediction"], each["values"]["error"])
        for each in ran.results["error"]
    ]
    assert _each(classes) == _each(expected.classes)
    assert _each(errors) == _each(expected.errors)
    assert {each["meta"]["model"] for each in ran.results["classify"]} == {tree["version"]}
    assert ran.rejects == []


def _each(results: list[Any]) -> dict[str, list[Any]]:
    """By device, each device's in order."""
    found: dict[str, list[Any]] = defaultdict(list)
    for source, *rest in results:
        found[source].append(rest)
    return found


def _named(document: dict[str, Any], *features: str) -> dict[str, Any]:
    """A document that calls its features by these names, for RIoTBench's own have none of FIT's."""
    return {**document, "format": 1, "version": f"fit-{document['kind']}", "features": list(features)}


MODELS = {
    "city": (document("CITY-DTC-1422748810000"), document("CITY-MLR-1422748810000")),
    "taxi": (document("TAXI-DTC-1358102664000"), document("TAXI-MLR-1358102664000")),
    "fit": (
        _named(
            {
                "kind": "decision_tree",
                "target": "label",
                "classes": list(CLASSES),
                "tree": {
                    "attr": "ecg_lead_1",
                    "split_le": -0.054422,
                    "le": {"leaf": "BAD"},
                    "gt": {"attr": "acc_arm_x", "split_le": -3.0, "le": {"leaf": "GOOD"}, "gt": {"leaf": "VERYGOOD"}},
                },
            },
            "acc_arm_x",
            "ecg_lead_1",
        ),
        _named(
            {
                "kind": "linear_regression",
                "target": "ecg_lead_1",
                "coefficients": {"acc_chest_x": 0.25, "acc_arm_z": -0.125},
                "intercept": 1.5,
            },
            "acc_chest_x",
            "acc_arm_y",
            "acc_arm_z",
        ),
    ),
}
"""Tree and regression: RIoTBench's where it has both."""
