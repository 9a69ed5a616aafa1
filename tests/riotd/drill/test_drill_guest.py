"""A user's own configuration in a drill."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from riotd.config import Config, FileSink, MqttSink, MqttSource, load
from riotd.drill.guest import Command, GuestFlow, guest
from riotd.drill.subject import Finding
from riotd.errors import ConfigError

CONFIG: dict[str, Any] = {
    "name": "city",
    "source": {
        "type": "mqtt",
        "url": "mqtts://broker.example:8883",
        "username": "me",
        "password": {"env": "SECRET"},
        "topics": ["$share/all/sensors/+/senml"],
        "qos": 1,
    },
    "key": {"topic_level": 1},
    "stages": [{"task": "senml_parse"}],
    "sinks": {
        "far": {"type": "mqtt", "topic": "results/{source}", "connection": {"url": "mqtts://else.example"}},
        "near": {"type": "file", "path": "results.jsonl"},
    },
    "rejects": {"type": "file", "path": "rejects.jsonl"},
}


def written(folder: Path, config: dict[str, Any]) -> Path:
    file = folder / "city.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


def laid(folder: Path, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Config:
    """The configuration as a drill in the folder has it, with brokers at ports 1 and 2."""
    monkeypatch.setenv("SECRET", "x")
    file = written(folder, config)
    flow = GuestFlow(Command(file), load(file), [("sensors/a/senml", b"[]")])
    _, _, overlay = flow.prepare(folder, inlet=1, outlet=2)
    return load(file, overlays=[overlay])


class TestGuest:
    def test_has_nothing_to_do_with_the_brokers_of_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every connection leads to the drill's proxies, without the secrets; state and files are in its folder."""
        config = laid(tmp_path, CONFIG, monkeypatch)
        source, far, near = config.source, config.sinks["far"], config.sinks["near"]
        assert isinstance(source, MqttSource)
        assert isinstance(far, MqttSink)
        assert isinstance(near, FileSink)
        assert (source.url, source.username, source.password, source.session) == (
            "mqtt://127.0.0.1:1",
            None,
            None,
            "persistent",
        )
        assert far.connection is not None
        assert far.connection.url == config.stats.connection.url == "mqtt://127.0.0.1:2"  # type: ignore[union-attr]  # it is laid over
        assert config.state.path == tmp_path / "state"
        assert near.path.parent == tmp_path

    def test_may_have_its_ends_as_stages(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`mqtt_subscribe` and `mqtt_publish` are led to the proxies as sources and sinks are."""
        stages = [
            {"id": "in", "task": "mqtt_subscribe", "params": {"url": "mqtt://broker", "topics": ["a/+"]}},
            {"id": "parse", "task": "senml_parse"},
            {"id": "out", "task": "mqtt_publish", "params": {"topic": "b/{source}"}},
        ]
        config = laid(tmp_path, {"name": "ends", "stages": stages}, monkeypatch)
        sink = config.sinks["out"]
        assert isinstance(sink, MqttSink)
        assert sink.connection is not None
        assert (config.source.url, sink.connection.url) == ("mqtt://127.0.0.1:1", "mqtt://127.0.0.1:2")  # type: ignore[union-attr]  # it has one

    def test_takes_results_by_what_they_say(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The number of a message in one life is not in it; what was fed and what is about the daemon is no result."""
        monkeypatch.setenv("SECRET", "x")
        file = written(tmp_path, CONFIG)
        flow = GuestFlow(Command(file), load(file), [("sensors/a/senml", b"[]")])
        first, second = (
            flow.read("results/a", b'{"id":%d,"source":"a","values":{"v":1}}' % number) for number in (1, 2)
        )
        assert first == second == Finding("results/a of a", b'{"source":"a","values":{"v":1}}')
        assert flow.read("results/a", b"\xff") == Finding("results/a", b"\xff")
        assert flow.read("sensors/a/senml", b"[]") is None
        assert flow.read("riotd/city/stats", b"{}") is None

    def test_is_fed_where_it_listens(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Recorded packs go to the source's first filter, each to its device, again from the start if there are few."""
        monkeypatch.setenv("SECRET", "x")
        recording = tmp_path / "feed.csv"
        recording.write_text(
            "".join(f'{number},[{{"bn":"urn:dev:{name}:","v":1}}]\n' for number, name in enumerate("ab"))
        )
        flow = guest(Command(written(tmp_path, CONFIG)), recording, None, count=3)
        assert [item.topic for item in flow.items()] == ["sensors/a/senml", "sensors/b/senml", "sensors/a/senml"]

    def test_needs_something_to_feed_and_to_hear(self, tmp_path: Path) -> None:
        """Without MQTT on either side, or without messages, it is refused."""
        files = {"type": "file", "path": "in.csv"}
        for change in ({"source": files}, {"sinks": {"near": {"type": "file", "path": "out"}}}):
            plain = {**CONFIG, "source": {"type": "mqtt", "url": "mqtt://b", "topics": ["a/+"]}}
            file = written(tmp_path, {**plain, **change})
            with pytest.raises(ConfigError):
                GuestFlow(Command(file), load(file), [("a", b"")])
        with pytest.raises(ConfigError, match=r"none\.csv"):
            guest(
                Command(written(tmp_path, {**CONFIG, "source": plain["source"]})), tmp_path / "none.csv", None, count=1
            )
