"""The dataflows of config/ on a real broker, and what may be wrong: each has its outcome, none stops them."""

import json
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from riot_tasks import models
from riotd import feeds
from riotd.config.layers import layered
from riotd.feeds import Dataset
from tests.e2e.daemon import REPOSITORY, Daemon, Listener, publish
from tests.riot_tasks.weka import document
from tests.riotd.brokers import Broker

Make = Callable[..., Daemon]
Message = tuple[str, bytes]


def _config(flow: str, dataset: str, broker: Broker, *settings: str) -> dict[str, Any]:
    """A config as the daemon would read it, for the test's broker; its dead letters are on a topic."""
    layers, mistakes = layered(REPOSITORY / "config" / f"{flow}.yaml", [dataset], settings)
    assert mistakes == []
    _point(layers.data, broker.url)
    rejects = {"rejects": {"type": "mqtt"}} if flow in {"etl", "stats", "pred"} else {}
    return {**layers.data, **rejects, "stats": {"every": "200ms"}}


def _point(block: dict[str, Any], url: str) -> None:
    for value in block.values():
        if isinstance(value, dict):
            _point(value, url)
    if str(block.get("url", "")).startswith("mqtt://"):
        block["url"] = url


def _messages(dataset: Dataset, count: int, *, sensors: int, topic: str = "raw/{}/senml") -> list[Message]:
    """Generated packs without faults, each with its topic."""
    made = getattr(feeds, dataset)(sensors=sensors, outliers=0.0, gaps=0.0)
    return list(islice(_addressed(dataset, made, topic), count))


def _addressed(dataset: str, made: Iterator[tuple[float, bytes]], topic: str) -> Iterator[Message]:
    for _, pack in made:
        yield f"{dataset}/{topic.format(json.loads(pack)[0]['bn'].split(':')[3])}", pack


@pytest.fixture
def make(make_daemon: Make) -> Make:
    """A daemon in a folder where what is known of five of a set's devices is written down."""

    def make(config: dict[str, Any]) -> Daemon:
        daemon = make_daemon(config)
        dataset: Any = config["name"].partition("-")[0]
        lines = feeds.annotations(dataset, sensors=5)
        (daemon.folder / f"{dataset}-annotations.txt").write_bytes(b"".join(lines))
        return daemon

    return make


async def _counted(listener: Listener, fulfilled: Callable[[dict[str, Any]], bool]) -> None:
    """Return when a report of statistics fulfils the condition, of its stages by their ids."""

    def said(heard: list[Message]) -> bool:
        reports = (json.loads(body) for topic, body in heard if topic.endswith("/stats"))
        return any(fulfilled({stage["id"]: stage for stage in report["stages"]}) for report in reports)

    await listener.until(said)


async def test_unknown_sensors_pass_without_annotations(broker: Broker, make: Make) -> None:
    """FIT's ETL gives a stranger's message on as it is, beside those of known subjects, and counts it as unknown."""
    messages = _messages("fit", 6, sensors=6)
    async with make(_config("etl", "fit", broker)) as daemon, Listener(broker.port, "fit/etl/+") as listener:
        async with Listener(broker.port, "riotd/fit-etl/stats") as stats:
            await publish(broker.port, messages)
            await listener.count(6)
            await _counted(stats, lambda stages: stages["annotate"].get("counts") == {"unknown": 1})
        assert await daemon.stop() == 0
    annotated = {topic: b'"n":"gender"' in body for topic, body in listener.heard}
    assert annotated == {f"fit/etl/subject{number}": number < 6 for number in range(1, 7)}


async def test_unknown_sensors_are_kept_out(broker: Broker, make: Make) -> None:
    """CITY's ETL lets nothing through of sensors that are not on its list, and counts it as filtered."""
    messages = _messages("city", 40, sensors=8)
    known = {feeds.sensor_id(number) for number in range(5)}
    expected = [topic.split("/")[2] for topic, _ in messages if topic.split("/")[2] in known]
    config = _config("etl", "city", broker, "stages.bloom.params.false_positive=0.000001")
    async with make(config) as daemon, Listener(broker.port, "city/etl/+") as listener:
        await publish(broker.port, messages)
        await listener.count(len(expected))
        assert await daemon.stop() == 0
    assert [topic.split("/")[2] for topic, _ in listener.heard] == expected
    assert "received 40 = settled 40 + in flight 0" in daemon.log


async def test_a_store_that_is_away_is_waited_for(broker: Broker, make: Make) -> None:
    """While somebody holds the table ETL publishes nothing, and says what it waits for; then each message has a row."""
    messages = _messages("city", 40, sensors=5)
    async with make(_config("etl", "city", broker)) as daemon, Listener(broker.port, "city/etl/+") as listener:
        await publish(broker.port, messages[:10])
        await listener.count(10)
        table = daemon.folder / "city.db"
        with closing(sqlite3.connect(table, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            await publish(broker.port, messages[10:])
            await daemon.logged("stage 'insert' waits")
            assert len(listener.heard) == 10
        await listener.count(40)
        assert await daemon.stop() == 0
    with closing(sqlite3.connect(table)) as found:
        assert found.execute("SELECT count(*) FROM citydata").fetchone() == (40,)


async def test_an_exchange_on_a_missing_field_is_a_dead_letter(broker: Broker, make: Make) -> None:
    """Where a stage's key is a field that records lack, each is refused by that stage; other branches go on."""
    config = _config("stats", "city", broker, "engine.shards=2", "stages.distinct.key={field: room}")
    config["sinks"] = {"averages": {"type": "mqtt", "topic": "city/stats/average", "from": ["average"]}}
    messages = _messages("city", 20, sensors=2, topic="etl/{}")
    async with make(config) as daemon, Listener(broker.port, "city/stats/average") as listener:
        async with Listener(broker.port, "riotd/city-stats/rejects") as letters:
            await publish(broker.port, messages)
            await listener.count(2)  # ten readings of each sensor have one average, of all their quantities
            await letters.count(20)
        assert await daemon.stop() == 0
    found = {(letter["stage"], letter["reason"]) for letter in map(json.loads, (body for _, body in letters.heard))}
    assert found == {("distinct", "room: the record has no value in it, and the stage's key asks for one")}


async def test_a_graph_with_a_cycle_is_refused(broker: Broker, make: Make) -> None:
    """A file with a cycle is not run, exit 78; a running ETL that is told to read it says so and goes on as before."""
    config = _config("etl", "city", broker)
    messages = _messages("city", 10, sensors=5)
    async with make(config) as daemon, Listener(broker.port, "city/etl/+") as listener:
        await publish(broker.port, messages[:5])
        await listener.count(5)
        config["stages"][0]["after"] = ["range"]
        daemon.write(config)
        daemon.signal(signal.SIGHUP)
        await daemon.logged("reload refused: running on as before")
        assert "stages: parse → range → parse is a cycle" in daemon.log
        await publish(broker.port, messages[5:])
        await listener.count(10)
        assert await daemon.stop() == 0
    daemon.start()
    assert await daemon.exit() == 78


async def test_a_timer_file_with_a_wrong_row_is_refused(broker: Broker, make: Make) -> None:
    """TRAIN does not start with it, exit 78; file, line and reason are said."""
    config = _config("train", "city", broker)
    config["sources"] = {"city": {"type": "timer", "file": "ticks.csv", "key": {"topic_level": 1}}}
    daemon = make(config)
    (daemon.folder / "ticks.csv").write_text("msgId,timestamp,rowstart,rowend\n1,0,5,9\n2,120,soon,9\n")
    daemon.start()
    assert await daemon.exit() == 78
    assert "ticks.csv, line 3: rowstart: must be a whole number" in daemon.log


def _notice(folder: Path, model: dict[str, Any], name: str, *, broken: bool = False) -> bytes:
    """The notice of a model that is put where PRED fetches it; broken: other bytes are there than it says."""
    text = json.dumps(model).encode()
    place = folder / "city-models" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text[:-20] if broken else text)
    return models.notice(text, name).encode()


async def test_models_that_do_not_fit_are_refused(broker: Broker, make: Make) -> None:
    """A torn model, one by other fields, one of a later format: PRED keeps the one it has, and says why of each."""
    good = document("CITY-MLR-1422748810000")
    other = {**good, "version": "other", "features": ["rain"], "coefficients": {"rain": 1.0}}
    later = {**json.loads(models.notice(json.dumps(good), "good.json").encode()), "format": 99}
    messages = _messages("city", 30, sensors=1, topic="etl/{}")
    config = _config("pred", "city", broker)
    topics = ("city/pred/models", "city/pred/+/error", "riotd/city-pred/rejects")
    async with make(config) as daemon, Listener(broker.port, *topics) as listener:
        notices = [
            _notice(daemon.folder, good, "good.json"),
            _notice(daemon.folder, {**good, "version": "torn"}, "torn.json", broken=True),
            _notice(daemon.folder, other, "other.json"),
            json.dumps(later).encode(),
        ]
        await publish(broker.port, [("city/models/linear_regression", notice) for notice in notices])
        await listener.count(4)
        await publish(broker.port, messages)
        await listener.count(4 + 21)  # from the tenth message on there is an average to measure errors by
        assert await daemon.stop() == 0
    events = [json.loads(body)["values"] for topic, body in listener.heard if topic == "city/pred/models"]
    assert [(event["event"], event["version"]) for event in events] == [
        ("taken", good["version"]),
        ("refused", "torn"),
        ("refused", "other"),
    ]
    assert "torn, or replaced" in events[1]["reason"]
    assert "rain" in events[2]["reason"]
    (letter,) = (json.loads(body) for topic, body in listener.heard if topic == "riotd/city-pred/rejects")
    assert (letter["stage"], "format 99" in letter["reason"]) == ("notice", True)
    said = {json.loads(body)["meta"]["model"] for topic, body in listener.heard if topic.endswith("/error")}
    assert said == {good["version"]}
