"""Where a dataflow's messages go in and its results come out, as its configuration says."""

import re
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from riotd import config as cfg
from riotd.benchmarks.flows.published import PUBLISHED, Flow
from riotd.errors import ConfigError, Mistake
from riotd.feeds import Dataset, Form

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_OFTEN = "250ms"
"""Between two reports of the daemon: the queue is known by them."""
_FORMS: dict[Flow, Form] = {"etl": "riotbench", "stats": "rfc", "pred": "rfc", "train": "rfc"}
"""ETL takes what sensors send; what it gives is RFC 8428, and goes to the others."""


class Engine(msgspec.Struct, frozen=True):
    """Where tasks run: `inline` or `ray`, and in how many shards."""

    type: Literal["inline", "ray"] = "inline"
    shards: int = 1


class Case(msgspec.Struct, frozen=True):
    """A dataflow over a data set."""

    flow: Flow
    dataset: Dataset

    @property
    def name(self) -> str:
        """As it is shown."""
        return f"{self.flow.upper()} {self.dataset.upper()}"

    @property
    def known(self) -> bool:
        """Whether the paper has it: it leaves GRID out of what learns and predicts."""
        return (self.flow, self.dataset) in PUBLISHED

    @property
    def form(self) -> Form:
        """How its messages are written."""
        return _FORMS[self.flow]


class Ends(msgspec.Struct, frozen=True):
    """A dataflow's ends on a broker.

    Attributes:
        arguments: of `riotd run`.
        topic: filter that its messages are taken by.
        results: filters that match its results.
        stats, rejects: topics of its reports and dead letters.
        host, port: of the broker.
    """

    arguments: list[str]
    topic: str
    results: list[str]
    stats: str
    rejects: str
    host: str
    port: int


def ends(case: Case, configs: Path, folder: Path, *, url: str, engine: Engine) -> Ends:
    """Read a case's configuration, and adapt it to a broker and an engine.

    Args:
        case: its file is `<flow>.yaml`, with the overlay `<data set>/<flow>.yaml` where there is one.
        configs: folder of the files.
        folder: the working directory that it is to run in.
        url: of the broker.
        engine: where tasks are to run.

    Raises:
        ConfigError: there is no such file, it is wrong, or has no MQTT source or no MQTT sink.
    """
    file = (configs / f"{case.flow}.yaml").resolve()
    if not file.is_file():
        raise ConfigError([Mistake(str(file), "is not there", "give --configs the folder of the dataflows' files")])
    overlay = [case.dataset] if (file.parent / case.dataset / file.name).is_file() else []
    with chdir(folder):  # what a file refers to is there
        config = cfg.load(file, overlays=overlay)
        settings = _settings(config, case, url, engine)
        config = cfg.load(file, settings, overlays=overlay)
    parts = urlsplit(url)
    return Ends(
        [str(file), *(f"--with={each}" for each in overlay), *(f"--set={each}" for each in settings)],
        topic=_entrance(config, file)[1].topics[0].removeprefix("$share/"),
        results=_exits(config, file),
        stats=config.stats.topic.replace("{name}", config.name),
        rejects=_rejects(config),
        host=parts.hostname or "",
        port=parts.port or 1883,
    )


def _settings(config: cfg.Config, case: Case, url: str, engine: Engine) -> Sequence[str]:
    addressed = [inlet.where for inlet in config.inlets if isinstance(inlet.block, cfg.MqttSource)]
    return [
        f"name=bench-{case.flow}-{case.dataset}",
        *(f"{where}.url={url}" for where in addressed),
        *(f"{where}.session=clean" for where in addressed),
        f"engine.type={engine.type}",
        f"engine.shards={engine.shards}",
        f"stats.every={_OFTEN}",
        "rejects={type: mqtt}",
    ]


def _entrance(config: cfg.Config, file: Path) -> tuple[str, cfg.MqttSource]:
    """The source of the messages, and not of what every shard is told."""
    for inlet in config.inlets:
        if isinstance(inlet.block, cfg.MqttSource) and not inlet.every:
            return inlet.where, inlet.block
    raise ConfigError([Mistake(f"{file}: source", "is not on a broker", "a load can only be sent to one that is")])


def _exits(config: cfg.Config, file: Path) -> list[str]:
    """Topic filters of the results."""
    topics = [sink.topic for sink in config.sinks.values() if isinstance(sink, cfg.MqttSink)]
    if not topics:
        raise ConfigError([Mistake(f"{file}: sinks", "are not on a broker", "results can only be heard from one")])
    return sorted({"/".join(map(_level, topic.split("/"))) for topic in topics})


def _level(level: str) -> str:
    return "+" if _PLACEHOLDER.search(level) else level


def _rejects(config: cfg.Config) -> str:
    block = config.rejects
    return block.topic.replace("{name}", config.name) if isinstance(block, cfg.MqttRejects) else ""
