"""Where a dataflow's messages go in and its results come out, as its configuration says."""

import re
from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from riotd import catalog
from riotd import config as cfg
from riotd.benchmarks.flows.published import Flow
from riotd.errors import ConfigError, Mistake
from riotd.feeds import Dataset, Form

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_SHARED = re.compile(r"^\$share/[^/]*/")
_OFTEN = "250ms"
"""Between two reports of the daemon: the queue is known by them."""
_FORMS: Mapping[Flow, Form] = {"etl": "riotbench", "stats": "rfc", "train": "rfc", "pred": "rfc"}
"""ETL takes what sensors send; what it gives is RFC 8428, and goes to the others."""


class Engine(msgspec.Struct, frozen=True):
    """Where tasks run: `inline` or `ray`, and in how many shards."""

    type: Literal["inline", "ray"] = "inline"
    shards: int = 1


class Place(msgspec.Struct, frozen=True):
    """Where a dataflow is to run.

    Attributes:
        folder: its working directory.
        url: of the broker.
        engine: where its tasks run.
        models: by task, the file of the model that it is to begin with.
        settings: what else is to be set in its configuration, as `riotd run --set` has it.
    """

    folder: Path
    url: str
    engine: Engine
    models: Mapping[str, Path]
    settings: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True):
    """A dataflow over a data set."""

    flow: Flow
    dataset: Dataset

    @property
    def name(self) -> str:
        """As it is shown."""
        return f"{self.flow.upper()} {self.dataset.upper()}"

    @property
    def form(self) -> Form:
        """How its messages are written."""
        return _FORMS[self.flow]


class Ends(msgspec.Struct, frozen=True):
    """A dataflow's ends on a broker.

    Attributes:
        arguments: of `riotd run`.
        config: that these lead to.
        topic: filter that its messages are taken by.
        results: filters that match its results.
        host, port: of the broker.
    """

    arguments: list[str]
    config: cfg.Config
    topic: str
    results: list[str]
    host: str
    port: int

    @property
    def stats(self) -> str:
        """Topic of its reports."""
        return self.config.stats.topic.replace("{name}", self.config.name)

    @property
    def waiting(self) -> list[str]:
        """Stages whose tasks wait for something outside."""
        return [stage.id for stage in self.config.stages if catalog.find(stage.task).waits]

    @property
    def rejects(self) -> str:
        """Topic of its dead letters."""
        block = self.config.rejects
        return block.topic.replace("{name}", self.config.name) if isinstance(block, cfg.MqttRejects) else ""


def ends(case: Case, configs: Path, place: Place) -> Ends:
    """Read a case's configuration, and adapt it to where it is to run.

    A timer becomes a topic, so that its ticks can be sent when they are wanted.

    Args:
        case: its file is `<flow>.yaml`, with the overlay `<data set>/<flow>.yaml` where there is one.
        configs: folder of the files.
        place: where it is to run.

    Raises:
        ConfigError: there is no such file, it is wrong, or has nothing that messages could come by, or no MQTT sink.
    """
    file = (configs / f"{case.flow}.yaml").resolve()
    if not file.is_file():
        raise ConfigError([Mistake(str(file), "is not there", "give --configs the folder of the dataflows' files")])
    overlays = [case.dataset] if (file.parent / case.dataset / file.name).is_file() else []
    with chdir(place.folder):  # what a file refers to is there
        given = cfg.load(file, overlays=overlays)
        settings = [f"name=bench-{case.flow}-{case.dataset}", *_settings(given, place)]
        config = cfg.load(file, settings, overlays=overlays)
    parts = urlsplit(place.url)
    return Ends(
        [str(file), *(f"--with={each}" for each in overlays), *(f"--set={each}" for each in settings)],
        config,
        topic=_entrance(config, file),
        results=_exits(config, file),
        host=parts.hostname or "",
        port=parts.port or 1883,
    )


def _settings(config: cfg.Config, place: Place) -> Iterator[str]:
    url, models, engine = place.url, place.models, place.engine
    for inlet in config.inlets:
        if isinstance(inlet.block, cfg.MqttSource):
            yield from (f"{inlet.where}.url={url}", f"{inlet.where}.session=clean")
        elif isinstance(inlet.block, cfg.TimerSource):
            topic = f"timer/{inlet.name}"
            yield f"{inlet.where}={{type: mqtt, url: '{url}', topics: [{topic}], key: {{topic_level: 1}}}}"
    for name, sink in config.sinks.items():
        if isinstance(sink, cfg.MqttSink) and sink.connection is not None:
            yield f"sinks.{name}.connection.url={url}"
    for stage in config.stages:
        if stage.task in models:
            yield f"stages.{stage.id}.params.model={models[stage.task]}"
    yield from (f"engine.type={engine.type}", f"engine.shards={engine.shards}")
    yield from (f"stats.every={_OFTEN}", "rejects={type: mqtt}", f"state.path={place.folder / 'state'}")
    yield from place.settings


def _entrance(config: cfg.Config, file: Path) -> str:
    """The filter of the source of messages, which is not the one that every shard is told of."""
    for inlet in config.inlets:
        if isinstance(inlet.block, cfg.MqttSource) and not inlet.every:
            return _SHARED.sub("", inlet.block.topics[0])
    raise ConfigError([Mistake(f"{file}: source", "is not on a broker", "a load can only be sent to one that is")])


def _exits(config: cfg.Config, file: Path) -> list[str]:
    """Topic filters of the results; what comes by a side output tells of the flow and not of a message."""
    topics = [
        sink.topic
        for sink in config.sinks.values()
        if isinstance(sink, cfg.MqttSink) and not (sink.stages and all("/" in stage for stage in sink.stages))
    ]
    if not topics:
        raise ConfigError([Mistake(f"{file}: sinks", "are not on a broker", "results can only be heard from one")])
    return sorted({"/".join(map(_level, topic.split("/"))) for topic in topics})


def _level(level: str) -> str:
    return "+" if _PLACEHOLDER.search(level) else level
