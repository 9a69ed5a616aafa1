"""The blocks of a file that hold by themselves, so that checks across blocks go as far as they can."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
from pydantic import TypeAdapter, ValidationError

from riotd.config.blocks import (
    BatchLimits,
    Config,
    EngineBlock,
    FileRejects,
    FileSink,
    LogRejects,
    MqttRejects,
    MqttSink,
    Rejects,
    Sink,
    StageBlock,
    StatsBlock,
)
from riotd.config.connection import Connection
from riotd.config.control import ControlBlock
from riotd.config.inlets import AnyEntry, AnySource, Inlet, inlets
from riotd.config.inputs import MqttSource, Source
from riotd.config.keying import Key

_TAG = {"source": 1, "rejects": 1, "sources": 2, "sinks": 2}
"""Which step of a location in pydantic's errors is no key, but says which block of a union was tried."""


class Parts(msgspec.Struct, frozen=True):
    """A config's blocks; None stands for one that is wrong in itself.

    Attributes:
        sources: by name, the single one under "".
    """

    sources: dict[str, AnySource | None]
    key: Key | None
    batch: BatchLimits | None
    engine: EngineBlock | None
    rejects: MqttRejects | FileRejects | LogRejects | None
    stats: StatsBlock | None
    stages: list[StageBlock | None]
    sinks: dict[str, MqttSink | FileSink | None]
    memory: int | None = None
    max_in_flight: int | None = None
    control: ControlBlock | None = None

    def inlets(self) -> list[Inlet]:
        """The sources that are right, with their keys."""
        return inlets(self.sources, self.key or Key())

    def connections(self) -> Iterator[tuple[str, Connection]]:
        """Every connection with its path in the file."""
        for inlet in self.inlets():
            if isinstance(inlet.block, MqttSource):
                yield inlet.where, inlet.block
        for name, sink in self.sinks.items():
            if isinstance(sink, MqttSink) and sink.connection:
                yield f"sinks.{name}.connection", sink.connection
        if isinstance(self.rejects, MqttRejects) and self.rejects.connection:
            yield "rejects.connection", self.rejects.connection
        if self.stats and self.stats.connection:
            yield "stats.connection", self.stats.connection
        if self.control and self.control.connection:
            yield "control.connection", self.control.connection


def whole(config: Config) -> Parts:
    """The blocks of a config."""
    return Parts(
        sources={inlet.name: inlet.block for inlet in config.inlets},
        key=config.key,
        batch=config.batch,
        engine=config.engine,
        rejects=config.rejects,
        stats=config.stats,
        stages=list(config.stages),
        sinks=dict(config.sinks),
        memory=config.memory,
        max_in_flight=config.max_in_flight,
        control=config.control,
    )


def partial(data: dict[str, Any], error: ValidationError) -> Parts:
    """Of a file that pydantic refused, the blocks that are right but for unknown keys."""
    pruned = {key: value for key, value in _pruned(data, error).items() if value is not None}
    stages, sinks = pruned.get("stages"), pruned.get("sinks")
    return Parts(
        sources=_sources(pruned),
        key=_block(Key, pruned.get("key", {})),
        batch=_block(BatchLimits, pruned.get("batch", {})),
        engine=_block(EngineBlock, pruned.get("engine", {})),
        rejects=_block(Rejects, pruned.get("rejects", {"type": "log"})),
        stats=_block(StatsBlock, pruned.get("stats", {})),
        control=_block(ControlBlock, pruned.get("control", {})),
        stages=[_block(StageBlock, stage) for stage in stages] if isinstance(stages, list) else [None],
        sinks={str(name): _block(Sink, sink) for name, sink in sinks.items()} if isinstance(sinks, dict) else {},
    )


def _sources(pruned: dict[str, Any]) -> dict[str, AnySource | None]:
    single = {"": _block(Source, pruned["source"])} if "source" in pruned else {}
    several = pruned.get("sources", {})
    if not isinstance(several, dict):
        return single or {"": None}  # there, and wrong: neither missing nor to be looked into
    return {**single, **{str(name): _block(AnyEntry, block) for name, block in several.items()}}


def _pruned(data: dict[str, Any], error: ValidationError) -> dict[str, Any]:
    """A copy without the keys there should not be."""
    copy = deepcopy(data)
    for detail in error.errors(include_url=False):
        if detail["type"] == "extra_forbidden":
            *steps, last = detail["loc"]
            place: Any = copy
            for index, step in enumerate(steps):
                if index != _TAG.get(str(steps[0])):
                    place = place[step]
            place.pop(last, None)
    return copy


def _block(kind: Any, data: object) -> Any:  # noqa: ANN401 - one of the file's types, or None
    try:
        return TypeAdapter(kind).validate_python(data)
    except ValidationError:
        return None
