from pathlib import Path

import pytest

from riotd import shipped
from riotd.config import Config, MqttSource, TimerSource, load
from riotd.demo.full import feed
from riotd.demo.full.files import Broker, Flow

BROKER = Broker("mqtt://127.0.0.1:5555", "3.1.1", "a test's")
DATASETS = ("city", "taxi", "fit")


def flow(name: str, dataset: str = "city") -> Flow:
    return Flow(shipped.folder() / f"{name}.yaml", [dataset])


def loaded(arguments: list[str]) -> Config:
    """What `riotd run` makes of such arguments."""
    values = {kind: [value for key, value in zip(arguments[1::2], arguments[2::2], strict=True) if key == kind]
              for kind in ("--with", "--set")}  # fmt: skip
    return load(arguments[0], values["--set"], overlays=values["--with"])


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("name", shipped.FLOWS)
def test_the_demo_sets_what_there_is(
    name: str, dataset: feed.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each config with the demo's settings is right, and all it says goes to the demo's broker."""
    monkeypatch.chdir(tmp_path)
    feed.describe(dataset, tmp_path / f"{dataset}-annotations.txt")
    config = loaded(flow(name, dataset).arguments(BROKER, train_every="7s"))
    assert config.name == f"{dataset}-{name}"
    for inlet in config.inlets:
        if isinstance(inlet.block, MqttSource):
            assert (inlet.block.url, inlet.block.protocol, inlet.block.session) == (BROKER.url, "3.1.1", "clean")
        else:
            assert isinstance(inlet.block, TimerSource)
            assert (inlet.block.every, inlet.block.window, inlet.block.at_start) == (7.0, None, False)
    connections = [sink.connection for sink in config.sinks.values() if getattr(sink, "connection", None)]
    assert {connection.url for connection in connections if connection} <= {BROKER.url}


def test_topics_of_sinks() -> None:
    """What a flow's sinks publish is heard by filters with a wildcard for each level that varies."""
    assert flow("etl").topics() == ["city/etl/+"]
    assert set(flow("pred").topics()) == {"city/pred/+/class", "city/pred/+/error", "city/pred/models"}


def test_stages_are_found_by_their_task() -> None:
    """A stage is found by the task it runs; one that is not there is empty."""
    assert flow("etl").stage("table_insert")["id"] == "insert"
    assert flow("etl").stage("pi_viete") == {}


def test_the_feed_is_where_etl_listens(tmp_path: Path) -> None:
    """What is known about the demo's sensors is a line for each of them."""
    feed.describe("city", tmp_path / "known.txt")
    lines = (tmp_path / "known.txt").read_text().splitlines()
    assert len(lines) == feed.SENSORS["city"]
    assert all(line.count(":") == 1 for line in lines)
