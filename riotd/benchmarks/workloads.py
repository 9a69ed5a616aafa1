"""A workload for every task: records of a city where the task takes records, else what it takes."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from riotd.benchmarks.workload import Workload
from riotd.dataflow import Outlet, Plan, Stage
from riotd.feeds import BANDS, city, sensor_id

FIELDS = list(BANDS)
"""The five numbers of a city's pack."""
_PACKS = 2_000
_ROWS = 1_000
"""Rows in a table to learn from, as RIoTBench's trainers had at each trigger."""
_SENSORS = 90
_UNITS = {"temperature": "Cel", "humidity": "%RH", "light": "lx", "dust": "ug/m3"}

LINEAR = {
    "kind": "linear_regression", "format": 1, "version": "CITY-MLR-1422748810000",
    "features": ["temperature", "humidity", "dust"], "target": "airquality_raw",
    "coefficients": {"temperature": -0.51069, "humidity": 0.15503, "dust": -0.0043941}, "intercept": 37.4427,
}  # fmt: skip
"""The model for CITY that RIoTBench ships, decoded."""
TREE = {
    "kind": "decision_tree", "format": 1, "version": "CITY-DTC-1422748810000",
    "features": FIELDS, "target": "label", "classes": ["BAD", "GOOD", "VERYGOOD", "EXCELLENT"],
    "tree": {
        "attr": "airquality_raw", "split_le": 22, "le": {"leaf": "BAD"},
        "gt": {"attr": "airquality_raw", "split_le": 29, "le": {"leaf": "GOOD"}, "gt": {"leaf": "VERYGOOD"}},
    },
}  # fmt: skip
"""The same for its tree."""


def workload(task: str, folder: Path) -> Workload:
    """The workload of a registered task.

    Args:
        task: its name.
        folder: for files, blobs and tables; must exist.

    Raises:
        KeyError: there is none for it: the broker's tasks are measured at a broker, see `brokered`.
    """
    return WORKLOADS[task](folder)


def packs(number: int = _PACKS) -> list[bytes]:
    """SenML packs of a city's sensors, about 380 bytes each, one in a hundred with an outlier."""
    return [pack for _, pack in islice(city(sensors=_SENSORS, gaps=0.0), number)]


def chained(*stages: tuple[str, dict[str, Any]], note: str = "", payloads: Sequence[bytes] | None = None) -> Workload:
    """Tasks one behind the other, the last of which is measured; over city packs if nothing is said."""
    plan: list[Stage] = []
    for task, params in stages:
        plan.append(Stage(f"{task}-{len(plan)}", task, params, (plan[-1].id,) if plan else ()))
    outlet = Outlet("results", (plan[-1].id,), "json")
    return Workload(Plan(tuple(plan), (outlet,)), packs() if payloads is None else payloads, note=note)


def _behind_parse(task: str, note: str = "", **params: Any) -> Callable[[Path], Workload]:  # noqa: ANN401 - a task's own
    return lambda _folder: chained(("senml_parse", {}), (task, params), note=note)


def _annotate(_folder: Path) -> Workload:
    table = {sensor_id(number): ["Geneva", "outdoor"] for number in range(2_162)}
    return chained(("senml_parse", {}), ("annotate", {"table": table, "names": ["location", "type"]}))


def _bloom_filter(_folder: Path) -> Workload:
    allow = [f"{value}" for value in range(20_000)]
    return chained(("senml_parse", {}), ("bloom_filter", {"allow": allow, "field": "light"}))


def _join(_folder: Path) -> Workload:
    return chained(("senml_parse", {"explode": True}), ("join", {"fields": FIELDS}), note="a message is 7 records")


def _csv_to_senml(_folder: Path) -> Workload:
    schema = [{"name": "timestamp", "type": "sv"}, *({"name": name, "unit": _UNITS.get(name, "")} for name in FIELDS)]
    for column in schema:
        if not column.get("unit", "-"):
            del column["unit"]
    rows = [f"{int(time * 1e3)}," + ",".join(map(str, values)) for time, values in _readings(_PACKS)]
    return chained(("csv_to_senml", {"schema": schema}), payloads=[row.encode() for row in rows])


def _xml_parse(_folder: Path) -> Workload:
    return chained(
        ("xml_parse", {"rows": "readings/reading"}),
        payloads=[_document(start) for start in range(0, 20 * 37, 37)],
        note="a document of 37 rows, 6 kB, as the original's",
    )


def _table(labelled: Callable[[Sequence[float]], str] | None = None) -> list[bytes]:
    """One CSV table of 1,000 rows."""
    lines = [",".join(FIELDS + ["label"] * (labelled is not None))]
    for _, values in _readings(_ROWS):
        lines.append(",".join(map(str, values)) + (f",{labelled(values)}" if labelled else ""))
    return ["\n".join(lines).encode()]


def _label(values: Sequence[float]) -> str:
    air = values[-1]
    return "BAD" if air <= 29 else "GOOD" if air <= 40 else "VERYGOOD"


def _linear_regression_train(_folder: Path) -> Workload:
    params = {"features": FIELDS[:-1], "target": FIELDS[-1], "rows": "payload"}
    return chained(("linear_regression_train", params), payloads=_table(), note="a message is 1,000 rows")


def _decision_tree_train(_folder: Path) -> Workload:
    params = {"features": FIELDS, "rows": "payload"}
    return chained(("decision_tree_train", params), payloads=_table(_label), note="a message is 1,000 rows")


def _label_quantiles(_folder: Path) -> Workload:
    params = {"field": FIELDS[-1], "rows": "payload"}
    return chained(("label_quantiles", params), payloads=_table(), note="a message is 1,000 rows")


def _readings(number: int) -> list[tuple[float, list[float]]]:
    """Times and the five numbers of as many packs."""
    found = []
    for due, pack in islice(city(sensors=_SENSORS, gaps=0.0), number):
        values = {entry["n"]: entry.get("v") for entry in msgspec.json.decode(pack)}
        found.append((due, [values[name] for name in FIELDS]))
    return found


def _document(start: int) -> bytes:
    rows = "".join(
        "<reading>" + "".join(f"<{n}>{v}</{n}>" for n, v in zip(FIELDS, values, strict=True)) + "</reading>"
        for _, values in _readings(start + 37)[start:]
    )
    return f"<readings>{rows}</readings>".encode()


WORKLOADS: dict[str, Callable[[Path], Workload]] = {
    "annotate": _annotate,
    "csv_to_senml": _csv_to_senml,
    "senml_parse": lambda _folder: chained(("senml_parse", {})),
    "xml_parse": _xml_parse,
    "bloom_filter": _bloom_filter,
    "range_filter": _behind_parse("range_filter", ranges={name: list(band) for name, band in BANDS.items()}),
    "accumulate": _behind_parse("accumulate", fields=FIELDS),
    "average": _behind_parse("average", fields=FIELDS),
    "distinct_count": _behind_parse("distinct_count", item="light"),
    "kalman_filter": _behind_parse("kalman_filter", fields=FIELDS),
    "second_moment": _behind_parse("second_moment", fields=["airquality_raw"]),
    "decision_tree_classify": _behind_parse("decision_tree_classify", model=TREE),
    "decision_tree_train": _decision_tree_train,
    "interpolate": _behind_parse("interpolate", fields=FIELDS),
    "linear_regression": _behind_parse("linear_regression", model=LINEAR),
    "linear_regression_train": _linear_regression_train,
    "sliding_regression": _behind_parse("sliding_regression", fields=["temperature"]),
    "noop": _behind_parse("noop"),
    "pi_viete": lambda _folder: chained(("pi_viete", {})),
    "label_quantiles": _label_quantiles,
    "join": _join,
    "bloom_train": _behind_parse("bloom_train", field="light"),
}
"""Task to its workload, in the order of RIoTBench's table; behind a stage that parses, where it takes records."""
