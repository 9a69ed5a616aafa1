"""RIoTBench's own models and rows, and what Weka says of them."""

import csv
import json
from pathlib import Path
from typing import Any

from tests.riot_tasks.conftest import SAMPLE

DATA = Path(__file__).resolve().parents[1] / "data/models"
SHARED = SAMPLE.parent
NAMES = {
    "Temp": "temperature",
    "Humid": "humidity",
    "Light": "light",
    "Dust": "dust",
    "airquality": "airquality_raw",
    "triptimeInSecs": "trip_time_in_secs",
    "tripDistance": "trip_distance",
    "fareAmount": "fare_amount",
}
"""Attributes of the models to the fields of the feeds."""
CITY = ["temperature", "humidity", "light", "dust", "airquality_raw"]
TAXI = ["trip_time_in_secs", "trip_distance", "fare_amount"]


def document(file: str) -> dict[str, Any]:
    """One of RIoTBench's models as our document; `file` is the original's name without `.model`."""
    decoded = json.loads((DATA / "models-decoded.json").read_text())[f"{file}.model"]
    names = [NAMES.get(name, name) for name in decoded["attributes"]]
    target = NAMES.get(decoded["class_attribute"], decoded["class_attribute"])
    head = {"kind": decoded["kind"], "format": 1, "version": file, "target": target}
    head["features"] = [name for name in names if name != target]
    if decoded["kind"] == "linear_regression":
        weights = {NAMES[name]: weight for name, weight in decoded["coefficients"].items()}
        return {**head, "coefficients": weights, "intercept": decoded["intercept"]}
    return {**head, "classes": decoded["class_values"], "tree": _node(decoded["tree"])}


def _node(decoded: dict[str, Any]) -> dict[str, Any]:
    if "leaf" in decoded:
        return {"leaf": decoded["leaf"], "counts": [int(count) for count in decoded["per_class"]]}
    attr = NAMES.get(decoded["attr"], decoded["attr"])
    branches = {side: _node(decoded[side]) for side in ("le", "gt")}
    return {"attr": attr, "split_le": decoded["split_le"], **branches}


def arff(path: Path) -> list[list[str]]:
    """The rows of an ARFF file."""
    lines = path.read_text().splitlines()
    return [line.split(",") for line in lines[lines.index("@DATA") + 1 :] if line]


def senml(file: str, names: list[str]) -> list[list[float]]:
    """The values of some fields in a stream of RIoTBench's; `bt` is the time, in ms."""
    packs = (json.loads(line.partition(",")[2]) for line in (SHARED / file).read_text().splitlines())
    rows = (
        {"bt": pack["bt"], **{entry["n"]: entry.get("v", entry.get("sv")) for entry in pack["e"]}} for pack in packs
    )
    return [[float(row[name]) for name in names] for row in rows]


def labelled(file: str, names: list[str], columns: list[int]) -> list[tuple[dict[str, float], str]]:
    """The fields of each row of a labelled table, and its label."""
    with (DATA / file).open(newline="") as lines:
        return [
            ({name: float(row[column]) for name, column in zip(names, columns, strict=True)}, row[-1])
            for row in csv.reader(lines)
        ]


def city_rows() -> list[tuple[dict[str, float], str]]:
    """The 15 labelled rows of city sensors."""
    return labelled("test-decision-SYS.csv", CITY, [4, 5, 6, 7, 8])


def taxi_rows() -> list[tuple[dict[str, float], str]]:
    """The 239 labelled taxi trips."""
    return labelled("test-decision-TAXI.csv", TAXI, [4, 5, 11])
