"""STATS as it stands in config/, against a plain reference, figure by figure."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.flows import references
from tests.contracts.flows.running import Case, cases, run


@cases()
def test_stats_is_the_reference_figure_by_figure(case: Case) -> None:
    """Averages, forecasts and what is drawn are, for each device and quantity, what one loop over the file gives."""
    feed, engine = case
    expected = references.stats(feed.dataset, feed.lines)
    ran = run("stats", feed, sinks=["average", "forecast", "series"], overlay=_chartless(feed.dataset), **engine)
    assert _figures(ran.results["average"]) == _grouped(expected.averages)
    assert _figures(ran.results["forecast"]) == _grouped(expected.forecasts)
    assert _series(ran.results["series"]) == expected.charts
    assert ran.rejects == []


@cases(of="('inline', 1)")
def test_a_record_for_each_observation_gives_the_same(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The paper's graph, which tears messages apart: averages, forecasts and charts are no other for it."""
    feed, engine = case
    runs = []
    for explode in ("true", "false"):
        (folder := tmp_path / explode).mkdir()
        monkeypatch.chdir(folder)
        settings = [f"stages.parse.params.explode={explode}"]
        sinks = ["average", "forecast", "series"]
        runs.append(run("stats", feed, sinks=sinks, overlay=_chartless(feed.dataset), settings=settings, **engine))
    alone, whole = runs
    for name in ("average", "forecast"):
        assert _figures(alone.results[name]) == _figures(whole.results[name])
    assert _series(alone.results["series"]) == _series(whole.results["series"])


@cases(without="taxi")
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
    """Time and value by device and quantity."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for each in results:
        for name, value in each["values"].items():
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
