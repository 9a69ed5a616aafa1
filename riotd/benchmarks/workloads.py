"""A workload for every task: records of a city where the task takes records, else what it takes."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from riot_tasks import models
from riotd.benchmarks import stored
from riotd.benchmarks.workload import SENSORS, Workload, chained
from riotd.feeds import BANDS, city, sensor_id

FIELDS = list(BANDS)
"""The five numbers of a city's pack."""
_PACKS = 2_000
_STUDENTS = 37
"""Rows in the document that RIoTBench parses."""
_ROWS = 1_000
"""Rows in a table to learn from, as RIoTBench's trainers had at each trigger."""
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


def _json_parse(_folder: Path) -> Workload:
    objects = [{"at": time, **dict(zip(FIELDS, values, strict=True))} for time, values in _readings(_PACKS)]
    return chained(("json_parse", {"timestamp": "at"}), payloads=[msgspec.json.encode(each) for each in objects])


def _xml_parse(_folder: Path) -> Workload:
    readings = _readings(20 * _STUDENTS)
    return chained(
        ("xml_parse", {"rows": "readings/reading"}),
        payloads=[_document(readings[at : at + _STUDENTS]) for at in range(0, len(readings), _STUDENTS)],
        note="a document of 37 rows, 6 kB, as the original's",
        batch=50,
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
    return chained(("linear_regression_train", params), payloads=_table(), note="a message is 1,000 rows", batch=1)


def _decision_tree_train(_folder: Path) -> Workload:
    params = {"features": FIELDS, "rows": "payload"}
    return chained(("decision_tree_train", params), payloads=_table(_label), note="a message is 1,000 rows", batch=1)


def _label_quantiles(_folder: Path) -> Workload:
    params = {"field": FIELDS[-1], "rows": "payload"}
    return chained(("label_quantiles", params), payloads=_table(), note="a message is 1,000 rows", batch=1)


def _multi_line_plot(_folder: Path) -> Workload:
    readings = _readings(200)
    series = {
        f"{name} {n}": [[time + n, row[at]] for time, row in readings] for at, name in enumerate(FIELDS) for n in (0, 7)
    }
    text = msgspec.json.encode(series).decode()
    pack = msgspec.json.encode([{"bn": "dev7:", "bt": readings[0][0], "n": "series", "vs": text}])
    return chained(
        ("senml_parse", {}), ("multi_line_plot", {}), payloads=[pack], note="10 series of 200 points", batch=1
    )


def _model_notice(_folder: Path) -> Workload:
    text = msgspec.json.encode(TREE).decode()
    pack = [{"bn": "city:", "n": "model", "vs": text}, {"n": "blob", "vs": "city/tree.json"}]
    return chained(("senml_parse", {}), ("model_notice", {}), payloads=[msgspec.json.encode(pack)])


def _notice_parse(_folder: Path) -> Workload:
    notice = models.notice(msgspec.json.encode(TREE), "city/tree.json")
    return chained(("notice_parse", {}), payloads=[notice.encode()])


def _model_compare(_folder: Path) -> Workload:
    said = {"prediction": 21.5, "prediction_in_force": 22.5, "airquality_raw": 22.0}
    pack = [{"bn": "dev7:", "n": name, "v": value} for name, value in said.items()]
    params = {"actual": "airquality_raw"}
    return chained(("senml_parse", {}), ("model_compare", params), payloads=[msgspec.json.encode(pack)])


def _readings(number: int) -> list[tuple[float, list[float]]]:
    """Times and the five numbers of as many packs."""
    found = []
    for due, pack in islice(city(sensors=SENSORS, gaps=0.0), number):
        values = {entry["n"]: entry.get("v") for entry in msgspec.json.decode(pack)}
        found.append((due, [values[name] for name in FIELDS]))
    return found


def _document(readings: Sequence[tuple[float, list[float]]]) -> bytes:
    rows = "".join(
        "<reading>" + "".join(f"<{n}>{v}</{n}>" for n, v in zip(FIELDS, values, strict=True)) + "</reading>"
        for _, values in readings
    )
    return f"<readings>{rows}</readings>".encode()


WORKLOADS: dict[str, Callable[[Path], Workload]] = {
    "annotate": _annotate,
    "csv_to_senml": _csv_to_senml,
    "senml_parse": lambda _folder: chained(("senml_parse", {})),
    "xml_parse": _xml_parse,
    "json_parse": _json_parse,
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
    "sliding_regression": _behind_parse(
        "sliding_regression", "the mean of 10 forecasts, as the original's", fields=["temperature"], give="mean"
    ),
    "noop": _behind_parse("noop"),
    "pi_viete": lambda _folder: chained(("pi_viete", {})),
    "label_quantiles": _label_quantiles,
    "model_notice": _model_notice,
    "notice_parse": _notice_parse,
    "model_compare": _model_compare,
    "join": _join,
    "window": _behind_parse("window", fields=FIELDS, size="1m", aggregates=["mean", "p95"]),
    "bloom_train": _behind_parse("bloom_train", field="light"),
    "multi_line_plot": _multi_line_plot,
}
WORKLOADS |= stored.WORKLOADS
"""Task to its workload, in the order of RIoTBench's table; behind a stage that parses, where it takes records."""
