"""A configuration of the user's own, on a scratch broker, fed with recorded messages."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec
import orjson
import yaml

from riotd.config import Config, FileRejects, MqttRejects, MqttSink, MqttSource, load, stood_for
from riotd.drill.subject import Finding, Item
from riotd.errors import ConfigError, Mistake
from riotd.replay import Recording, Topics

_STRANGE = ("riotd/",)
"""What topics begin with that are no results: statistics, status, dead letters."""
_PLAIN = {"tls": None, "username": None, "password": None, "keepalive": "2s"}
"""Of every connection, as the scratch broker wants it."""
_PARAMETERS = {"url", "username", "password", "session"}
"""What `mqtt_subscribe` and `mqtt_publish` have as parameters; the rest is in their `options`."""


class Command(msgspec.Struct, frozen=True):
    """How the user would run it: the file, `--with` and `--set`."""

    file: Path
    overlays: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


class GuestFlow:
    """Any dataflow that takes from MQTT; keeps `riotd.drill.subject.Subject`.

    Its brokers, its state and the files of its results are replaced by scratch ones. What its tasks reach by
    themselves, such as stores, is not.

    Args:
        command: how it is run.
        config: what that loads.
        messages: topics and payloads to feed.

    Raises:
        ConfigError: nothing comes in by MQTT, or nothing goes out.
    """

    filters = ("#",)
    immediate = False

    def __init__(self, command: Command, config: Config, messages: Sequence[tuple[str, bytes]]) -> None:
        self._command, self._config, self._messages = command, config, messages
        self._fed = {topic for topic, _ in messages}
        if not any(isinstance(inlet.block, MqttSource) for inlet in config.inlets):
            raise ConfigError([Mistake("source", "a drill feeds over MQTT, and this takes nothing from there", "")])
        if not any(isinstance(sink, MqttSink) for sink in config.sinks.values()):
            raise ConfigError([Mistake("sinks", "a drill hears what is published, and nothing is", "")])

    @property
    def engine(self) -> str:
        """As `Subject.engine`."""
        return self._config.engine.type

    @property
    def batch(self) -> int:
        """As `Subject.batch`."""
        return self._config.batch.max_records * self._config.engine.shards

    def items(self) -> Iterator[Item]:
        """As `Subject.items`."""
        return (Item(topic, payload) for topic, payload in self._messages)

    def prepare(self, folder: Path, *, inlet: int, outlet: int) -> Sequence[str]:
        """As `Subject.prepare`: an overlay with all that is of the scratch system."""
        overlay = folder / "drill.yaml"
        overlay.write_text(yaml.safe_dump(self._overlay(folder, inlet, outlet), sort_keys=False), encoding="utf-8")
        laid = [*self._command.overlays, str(overlay)]
        options = [part for each in laid for part in ("--with", each)]
        settings = [part for each in self._command.settings for part in ("--set", each)]
        return [str(self._command.file), *options, *settings]

    def read(self, topic: str, payload: bytes) -> Finding | None:
        """As `Subject.read`: a result is known by what it says, but for the number it has in this life."""
        if topic in self._fed or topic.startswith(_STRANGE):
            return None
        try:
            result = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return Finding(topic, payload)
        if not isinstance(result, dict):
            return Finding(topic, payload)
        result.pop("id", None)
        return Finding(f"{topic} of {result.get('source', '')}", orjson.dumps(result))

    def _overlay(self, folder: Path, inlet: int, outlet: int) -> dict[str, Any]:
        config = self._config
        into = {**_PLAIN, "url": f"mqtt://127.0.0.1:{inlet}"}
        out = {**_PLAIN, "url": f"mqtt://127.0.0.1:{outlet}"}
        stages = {place: name for name, place in stood_for(config.stages).items()}
        found: dict[str, Any] = {"state": {"path": str(folder / "state")}, "stats": {"connection": out}}
        for source in config.inlets:
            if isinstance(source.block, MqttSource):
                _put(
                    found,
                    source.where,
                    {**into, "client_id": None, "session": "persistent", "session_expiry": "10m"},
                    stages,
                )
        for name, sink in config.sinks.items():
            where = f"sinks.{name}"
            own: dict[str, Any] = {"path": str(folder / f"{name}.out")}
            if isinstance(sink, MqttSink):
                own = out if where in stages else {"connection": out}
            _put(found, where, own, stages)
        if isinstance(config.rejects, FileRejects):
            found["rejects"] = {"path": str(folder / "rejects.jsonl")}
        elif isinstance(config.rejects, MqttRejects):
            found["rejects"] = {"connection": out}
        return found


def guest(command: Command, recording: Path, topic: str | None, *, count: int) -> GuestFlow:
    """A user's configuration with so many messages of a recording, which is read again and again if it is short.

    Args:
        command: how it is run.
        recording: the file.
        topic: a template, as of `riotd replay`; default made of the first filter of the first MQTT source.
        count: messages.

    Raises:
        ConfigError: the configuration is wrong, or nothing comes in by MQTT, or the recording can't be read.
    """
    config = load(command.file, command.settings, overlays=command.overlays)
    filters = [name for inlet in config.inlets if isinstance(inlet.block, MqttSource) for name in inlet.block.topics]
    try:
        topics = Topics(topic or _template(filters[0] if filters else "in"))
        payloads = asyncio.run(_payloads(recording, count))
    except (OSError, EOFError, ValueError) as error:
        raise ConfigError([Mistake("--feed", str(error), "")]) from error
    if not payloads:
        raise ConfigError([Mistake("--feed", f"{recording} has no messages", "")])
    messages = ((topics.of(payload, number), payload) for number, payload in enumerate(cycle(payloads), 1))
    return GuestFlow(command, config, list(islice(messages, count)))


async def _payloads(recording: Path, count: int) -> list[bytes]:
    found: list[bytes] = []
    async with aclosing(Recording(recording).groups()) as groups:
        async for group in groups:
            found += [payload for _, payload in group]
            if len(found) >= count:
                break
    return found[:count]


def _template(topic_filter: str) -> str:
    """A topic that a filter takes: {source} for its first wildcard, a word for the others."""
    levels = re.sub(r"^\$share/[^/]+/", "", topic_filter).split("/")
    return re.sub(r"[+#]", "x", re.sub(r"[+#]", "{source}", "/".join(levels), count=1))


def _put(overlay: dict[str, Any], where: str, block: Mapping[str, Any], stages: Mapping[str, str]) -> None:
    """Lay a block over what is at a dotted path, or over the parameters of the stage that stands for it."""
    found, steps = dict(block), where.split(".", 1)
    if where in stages:
        steps = ["stages", stages[where], "params"]
        options = {key: found.pop(key) for key in block if key not in _PARAMETERS}
        found["options"] = options
    for step in steps[:-1]:
        overlay = overlay.setdefault(step, {})
    overlay[steps[-1]] = found
