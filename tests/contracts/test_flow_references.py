"""ETL, STATS, TRAIN and PRED as they stand in config/, against plain single-threaded references, record by record."""

import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from riotd.feeds import Dataset
from tests.contracts import flow_references as references
from tests.contracts.flows import Feed, Ran, by_source, generated, run, sample

SETS: list[Dataset] = ["city", "taxi", "fit", "grid"]
FEEDS = [("sample", "city"), ("sample", "taxi"), ("sample", "fit"), *(("generated", dataset) for dataset in SETS)]
ON_RAY = [("sample", "city"), ("generated", "taxi")]
"""Seconds each: what an engine does is its own contract's, here the dataflows' two kinds of keys count."""
CASES = [
    *((feed, ("inline", shards)) for feed in FEEDS for shards in (1, 8)),
    *(pytest.param((feed, ("ray", 2)), marks=pytest.mark.ray) for feed in ON_RAY),
]


class Case(NamedTuple):
    """A feed, and where the dataflow runs."""

    feed: Feed
    engine: dict[str, Any]


def _called(case: Any) -> str:
    (kind, dataset), (engine, shards) = case
    return f"{kind}-{dataset}-{engine}-{shards}"


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """Real samples and generated messages, inline and on Ray, in a working directory of its own."""
    (kind, dataset), (engine, shards) = request.param
    feed = sample(dataset) if kind == "sample" else generated(dataset, 300)
    monkeypatch.chdir(tmp_path)
    if engine == "ray":
        request.getfixturevalue("ray_pool")
    return Case(feed, {"engine": engine, "shards": shards})


def _table(ran: Ran, dataset: str) -> list[tuple[str, float, dict[str, Any]]]:
    """What is in ETL's table: device, time and values, in no order that says anything."""
    with closing(sqlite3.connect(ran.folder / f"{dataset}.db")) as table:
        found = table.execute(f'SELECT source, time, "values" FROM {dataset}data ORDER BY key').fetchall()
    return [(source, time, json.loads(values)) for source, time, values in found]


def _folded(dataset: str, rows: list[references.Reading]) -> list[tuple[str, float, dict[str, Any]]]:
    """What a table has of rows: one for a device's instant, or for a taxi's trip; what comes again changes it."""
    table: dict[str, tuple[str, float, dict[str, Any]]] = {}
    for source, time, values in rows:
        trip = f"{values.get('hack_license')}-{values.get('pickup_datetime')}"
        key = f"{source}-{trip}" if dataset == "taxi" else f"{source}-{round(time * 1000)}"
        said = {name: value for name, value in values.items() if value is not None}
        table[key] = source, time, {**(table[key][2] if key in table else {}), **said}
    return [table[key] for key in sorted(table)]


@pytest.mark.parametrize("case", CASES, indirect=True, ids=_called)
def test_etl_is_the_reference_row_by_row(case: Case) -> None:
    """What ETL publishes is, device by device and in order, what one loop over the file gives; so is its table."""
    feed, engine = case
    expected = list(references.etl(feed.dataset, feed.lines, feed.known))
    ran = run("etl", feed, sinks=["senml"], **engine)
    assert by_source(ran.results["senml"]) == _by_source(expected)
    assert _table(ran, feed.dataset) == _folded(feed.dataset, expected)
    assert ran.rejects == []


def _by_source(rows: list[references.Reading]) -> dict[str, list[tuple[float, dict[str, Any]]]]:
    found: dict[str, list[tuple[float, dict[str, Any]]]] = defaultdict(list)
    for source, time, values in rows:
        found[source].append((time, values))
    return found


@pytest.mark.parametrize("case", CASES, indirect=True, ids=_called)
def test_stats_is_the_reference_figure_by_figure(case: Case) -> None:
    """Averages, forecasts and what is drawn are, for each device and quantity, what one loop over the file gives."""
    feed, engine = case
    expected = references.stats(feed.dataset, feed.lines)
    ran = run("stats", feed, sinks=["average", "forecast", "series"], overlay=_chartless(feed.dataset), **engine)
    assert _figures(ran.results["average"]) == _grouped(expected.averages)
    assert _figures(ran.results["forecast"]) == _grouped(expected.forecasts)
    assert _series(ran.results["series"]) == expected.charts
    assert ran.rejects == []


COUNTED = [case for case in CASES if "taxi" not in str(case)]


@pytest.mark.parametrize("case", COUNTED, indirect=True, ids=_called)
def test_devices_counted_by_all_shards_are_the_reference_s(case: Case) -> None:
    """The distinct count goes on from message to message in their order, whichever shards the devices are on."""
    feed, engine = case
    ran = run("stats", feed, sinks=["distinct", "counts"], overlay=_chartless(feed.dataset), **engine)
    expected = references.stats(feed.dataset, feed.lines).counts
    assert [
        (each["source"], each["time"], each["values"]["distinct_count"]) for each in ran.results["distinct"]
    ] == expected
    (chart,) = (json.loads(each["values"]["series"]) for each in ran.results["counts"])
    assert chart == {
        "distinct_count": sorted([[time, count] for _, time, count in expected], key=lambda point: point[0])
    }


def _chartless(dataset: str) -> dict[str, Any]:
    """STATS without its pictures, which are `multi_line_plot`'s own matter: what is in them counts here."""
    drawing = {"plot": None, "zip": None} | ({} if dataset == "taxi" else {"plot-counts": None})
    return {"stages": drawing}


def _figures(results: list[dict[str, Any]]) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Time and value by device and quantity, of records that have one."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for each in results:
        ((name, value),) = each["values"].items()
        found[each["source"], name].append((each["time"], value))
    return found


def _grouped(figures: list[tuple[str, str, float, float]]) -> dict[tuple[str, str], list[tuple[float, float]]]:
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for source, name, time, value in figures:
        found[source, name].append((time, value))
    return found


def _series(results: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """What charts have, by device and quantity."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for each in results:
        series = json.loads(each["values"]["series"])
        found[each["source"], next(iter(series)).partition(" ")[0]].append(series)
    return found
