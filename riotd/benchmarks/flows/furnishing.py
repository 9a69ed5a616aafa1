"""What a dataflow needs in its working directory before it can run: what others would have left there.

ETL looks sensors up, TRAIN reads what ETL has kept, PRED applies what TRAIN has learnt.
"""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from riot_tasks import senml
from riot_tasks.stores import tables
from riot_tasks.stores.rows import Row
from riotd import config as cfg
from riotd import feeds
from riotd.benchmarks.flows.prepared import Wanted, feed
from riotd.feeds import Dataset

ROWS: Final = 1_000
"""That a model is learnt from: about as many as the paper says (p. 23)."""
SPACING: Final = 1.0
"""Seconds between two rows of the table."""
_CITY = ("temperature", "humidity", "light", "dust", "airquality_raw")
_TAXI = ("trip_time_in_secs", "trip_distance", "fare_amount")
_FIT = (*(f"acc_{limb}_{axis}" for limb in ("ankle", "arm", "chest") for axis in "xyz"), "ecg_lead_1")
_FIELDS: Mapping[Dataset, tuple[str, ...]] = {"city": _CITY, "taxi": _TAXI, "fit": _FIT}
"""Of the models, the one that is foretold last."""
_LINES: Mapping[Dataset, tuple[float, dict[str, float]]] = {
    "city": (37.442739, {"temperature": -0.510690, "humidity": 0.155035, "dust": -0.004394}),
    "taxi": (3.574165, {"trip_time_in_secs": 0.00216778, "trip_distance": 2.347247}),
    "fit": (0.0, dict.fromkeys(_FIT[:-1], 0.01)),
}
"""RIoTBench's own models, decoded; for FIT there is none, and this one has its size."""
_SPLITS: Mapping[Dataset, tuple[float, float]] = {"city": (22, 29), "taxi": (10, 18.5), "fit": (-0.054422, 0.016745)}
"""Where its trees say GOOD instead of BAD, and VERYGOOD."""
_CLASSES = ["BAD", "GOOD", "VERYGOOD", "EXCELLENT"]


def annotations(wanted: Wanted, folder: Path) -> None:
    """What is known about the devices, under the name that the dataflows have for it."""
    lines = feeds.annotations(wanted.dataset, sensors=wanted.speakers)
    with (folder / f"{wanted.dataset}-annotations.txt").open("wb") as file:
        file.writelines(line + b"\n" for line in lines)


def history(stage: cfg.StageBlock, wanted: Wanted, *, until: int, spare: int) -> None:
    """Rows as ETL keeps them, into the table that a stage reads: `ROWS`, and `spare` more, before a number's time.

    Relative paths are the working directory's.
    """
    params = stage.params
    table = tables.table(params["store"], params["table"], params.get("credentials"))
    start = until / 1000 - ROWS * SPACING
    rows = []
    for index, (_, pack) in enumerate(islice(feed(wanted), ROWS + spare)):
        (record, *_) = senml.records(pack, id=0, source="", now=0.0)
        time = start + index * SPACING
        values = {name: value for name, value in record.values.items() if name in params["columns"]}
        rows.append(Row(params.get("partition", "all"), f"{record.source}-{index}", values, record.source, time))
    table.upsert(rows)
    tables.close_all()


def models(dataset: Dataset, folder: Path) -> dict[str, Path]:
    """A model for each task that applies one, in a file; none for a data set that the paper foretells nothing for."""
    if dataset not in _LINES:
        return {}
    *features, target = _FIELDS[dataset]
    intercept, coefficients = _LINES[dataset]
    low, high = _SPLITS[dataset]
    above = {"attr": target, "split_le": high, "le": {"leaf": "GOOD"}, "gt": {"leaf": "VERYGOOD"}}
    documents: dict[str, dict[str, Any]] = {
        "linear_regression": {
            "features": [name for name in features if name in coefficients],
            "target": target,
            "coefficients": coefficients,
            "intercept": intercept,
        },
        "decision_tree_classify": {
            "features": [*features, target],
            "target": "label",
            "classes": _CLASSES,
            "tree": {"attr": target, "split_le": low, "le": {"leaf": "BAD"}, "gt": above},
        },
    }
    kinds = {"linear_regression": "linear_regression", "decision_tree_classify": "decision_tree"}
    found = {}
    for task, document in documents.items():
        found[task] = folder / f"{task}.json"
        whole = {"kind": kinds[task], "format": 1, "version": f"bench-{dataset}", **document}
        found[task].write_bytes(msgspec.json.encode(whole))
    return found
