"""The four dataflows in config/, with each overlay: they are right, compose, and can be drawn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from riot_tasks.io.table_insert import TableInsert
from riotd import config as cfg
from riotd import feeds
from riotd.cli.verbs import riotd
from riotd.errors import ConfigError

CONFIG = Path(__file__).resolve().parents[2] / "config"
SETS = ["city", "taxi", "fit", "grid"]
FLOWS = ["etl", "stats", "train", "pred"]
THERE = [(flow, dataset) for flow in FLOWS for dataset in SETS if dataset != "grid" or flow in {"etl", "stats"}]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with what is known about each data set's devices."""
    for dataset in feeds.ANNOTATIONS:
        lines = feeds.annotations(dataset, sensors=20)
        (tmp_path / f"{dataset}-annotations.txt").write_bytes(b"".join(lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _load(flow: str, dataset: str) -> cfg.Config:
    return cfg.load(CONFIG / f"{flow}.yaml", overlays=[dataset])


def _stages(config: cfg.Config) -> dict[str, Any]:
    return {stage.id: stage for stage in config.stages}


@pytest.mark.parametrize(("flow", "dataset"), THERE)
def test_each_is_right_and_has_nothing_to_warn_of(flow: str, dataset: str, folder: Path) -> None:
    """`riotd check` finds no mistake and has no warning, and makes nothing."""
    before = sorted(folder.iterdir())
    result = CliRunner().invoke(riotd, ["check", str(CONFIG / f"{flow}.yaml"), "--with", dataset])
    assert (result.exit_code, "warning" in result.output) == (0, False), result.output
    assert f"{dataset}-{flow} would run" in result.output
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("flow", FLOWS)
def test_the_file_alone_is_for_city(flow: str) -> None:
    """Without an overlay each file is whole, and what the overlay of CITY makes of it."""
    alone, city = cfg.load(CONFIG / f"{flow}.yaml"), _load(flow, "city")
    assert alone.model_dump() == city.model_dump()


@pytest.mark.parametrize("flow", ["train", "pred"])
def test_there_are_no_models_for_grid(flow: str) -> None:
    """The paper trains and foretells nothing for GRID: asked for, it is said which there are."""
    with pytest.raises(ConfigError) as refusal:
        _load(flow, "grid")
    assert "there is no" in str(refusal.value)
    assert "city, fit, taxi" in str(refusal.value)


@pytest.mark.parametrize(("flow", "dataset"), THERE)
def test_each_can_be_drawn(flow: str, dataset: str) -> None:
    """`riotd graph` has every stage and every sink in its picture, in each form."""
    config = _load(flow, dataset)
    for form in ("text", "mermaid", "dot", "svg"):
        arguments = ["graph", str(CONFIG / f"{flow}.yaml"), "--with", dataset, "--format", form]
        result = CliRunner().invoke(riotd, arguments)
        assert result.exit_code == 0, result.output
        for name in [stage.id for stage in config.stages] + list(config.sinks):
            assert name in result.output


def _topics(config: cfg.Config) -> set[str]:
    """Filters that a dataflow subscribes to."""
    return {topic for inlet in config.inlets if isinstance(inlet.block, cfg.MqttSource) for topic in inlet.block.topics}


def _published(config: cfg.Config) -> Iterator[str]:
    """Topics it publishes to, each with names in the place of placeholders."""
    for sink in config.sinks.values():
        assert isinstance(sink, cfg.MqttSink)
        for stage in sink.stages or ():
            yield sink.topic.replace("{source}", "dev7").replace("{stage}", stage.partition("/")[0])


def _hears(topic: str, topics: set[str]) -> bool:
    parts = topic.split("/")
    return any(
        len(levels) == len(parts) and all(level in {"+", part} for level, part in zip(levels, parts, strict=True))
        for levels in (each.split("/") for each in topics)
    )


@pytest.mark.parametrize("dataset", ["city", "taxi", "fit"])
def test_what_one_says_the_next_hears_and_nobody_else(dataset: str) -> None:
    """Sensors are heard by ETL, ETL by STATS and PRED, TRAIN's notices by PRED; no topic serves two purposes."""
    flows = {flow: _load(flow, dataset) for flow in FLOWS}
    ears = {flow: _topics(config) for flow, config in flows.items()}
    heard = {
        f"{speaker}: {topic}": {flow for flow in FLOWS if _hears(topic, ears[flow])}
        for speaker, topics in [("sensors", [f"{dataset}/raw/dev7/senml"]), *((f, _published(flows[f])) for f in FLOWS)]
        for topic in topics
    }
    assert heard == {
        f"sensors: {dataset}/raw/dev7/senml": {"etl"},
        f"etl: {dataset}/etl/dev7": {"stats", "pred"},
        f"stats: {dataset}/stats/charts": set(),
        f"train: {dataset}/models/linear_regression": {"pred"},
        f"train: {dataset}/models/decision_tree": {"pred"},
        f"pred: {dataset}/pred/dev7/class": set(),
        f"pred: {dataset}/pred/dev7/error": set(),
        f"pred: {dataset}/pred/models": set(),
    }


@pytest.mark.parametrize("dataset", ["city", "taxi", "fit"])
def test_what_one_keeps_the_next_finds(dataset: str) -> None:
    """TRAIN reads ETL's table by its columns, PRED fetches where TRAIN puts, by the fields TRAIN learns by."""
    etl, train, pred = (_stages(_load(flow, dataset)) for flow in ("etl", "train", "pred"))
    kept, rows = etl["insert"].params, train["rows"].params
    assert (rows["store"], rows["table"]) == (kept["store"], kept["table"])
    assert "partition" not in rows | kept
    assert TableInsert(**kept).key == kept["key"]
    assert set(rows["columns"]) <= set(etl["join"].params["fields"])
    assert {stage.params["store"] for stage in (train["keep-line"], train["keep-tree"], pred["fetch"])} == {
        f"file:{dataset}-models"
    }
    target = train["regress"].params["target"]
    assert set(train["regress"].params["features"]) <= set(pred["predict"].params["features"])
    assert train["grow"].params["features"] == pred["classify"].params["features"] == rows["columns"]
    assert train["label"].params["field"] == pred["error"].params["actual"] == target
    assert pred["average"].params["fields"] == [target]


@pytest.mark.parametrize("dataset", SETS)
def test_bands_and_columns_are_the_feeds(dataset: str) -> None:
    """The range filter's bounds are those that generated outliers leave; a message is joined of the feed's columns."""
    etl = _stages(_load("etl", dataset))
    ranges = {name: tuple(bounds) for name, bounds in etl["range"].params["ranges"].items()}
    if dataset == "city":
        assert ranges == feeds.BANDS
        assert set(etl["join"].params["fields"]) == {"longitude", "latitude", *feeds.BANDS}
        return
    columns = feeds.SCHEMAS[dataset].columns
    assert ranges == {column.name: column.band for column in columns if column.band}
    assert set(etl["join"].params["fields"]) == {column.name for column in columns[1:]}
    named = {column["name"] for column in etl["senml"].params["schema"]}
    assert named == {*etl["join"].params["fields"], *etl["annotate"].params["names"]}
    assert tuple(etl["annotate"].params["names"]) == feeds.ANNOTATIONS[dataset]
