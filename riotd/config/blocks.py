"""A whole file, as types: dataflow, engine, sinks; what comes in is in `inputs`."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PrivateAttr, model_validator

from riotd.config.connection import Block, Connection, Duration, Size
from riotd.config.control import ControlBlock
from riotd.config.inlets import AnyEntry, AnySource, Inlet, SourceName, inlets
from riotd.config.inputs import FileSource, MqttSource, Source
from riotd.config.keying import Key, StageKey

_MAX_WAIT = {"inline": 0.0, "ray": 0.002}
"""Seconds, where the file does not say: an inline call costs 0.1 ms, and company is not worth waiting for; a Ray call
costs 1 ms of CPU, so 1,000 messages a second one by one would take a whole core."""


class BatchLimits(Block):
    """When a micro-batch closes, per shard: whichever comes first.

    Attributes:
        max_records: messages.
        max_bytes: payload bytes.
        max_wait: how long the first message waits for company; default 0 inline, 2ms on Ray.
    """

    max_records: int = Field(default=350, ge=1)
    max_bytes: Size = 90_000
    max_wait: Duration | None = None


class StageBlock(Block):
    """One task of the dataflow.

    Attributes:
        id: its name; default the task's.
        task: a name that `riotd tasks` lists, or `module:Class`.
        params: the task's parameters.
        after: what it takes from: ids of stages, `<stage>/<output>` for another output of a stage's task; default the
            stage before it, [] the messages themselves.
        key: what its task instances are kept by: `source` (the record's), `name` (of its only field), `one` (the same
            for all), `{field: …}` (the field's value), or a list of those; default as what it takes from.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    task: str
    params: dict[str, Any] = Field(default={})
    after: list[str] | None = None
    key: StageKey | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:  # noqa: ANN401 - what YAML gives
        return {"id": data["task"], **data} if isinstance(data, dict) and isinstance(data.get("task"), str) else data


class EngineBlock(Block):
    """Where tasks run.

    Attributes:
        type: `inline`, in threads of the daemon, or `ray`, in actors.
        shards: workers.
        address: of a running Ray cluster (`host:port` or `auto`); default a local one of our own.
        max_keys: task instances one stage keeps in one shard.
        idle: how long an unused task instance is kept; 0 is for ever.
        deadline: how long a record may take, but for waiting for something outside; 0 is for ever. On Ray the message
            becomes a dead letter; inline the daemon ends, and its next life finds the message by the journal.
        memory: what a worker on Ray may take of its own, of which 80 MB go to Ray and Python; default any.
    """

    type: Literal["inline", "ray"] = "inline"
    shards: int = Field(default=1, ge=1, le=128)
    address: str | None = None
    max_keys: int = Field(default=1_000_000, ge=1)
    idle: Duration = 0.0
    deadline: Duration = 60.0
    memory: Size | None = Field(default=None, ge=200 * 10**6)


class MqttSink(Block):
    """Results onto a broker.

    Attributes:
        type: `mqtt`.
        topic: template over {source}, {stage}, {name} and {topic[n]}, a level of the source message's topic.
        from: ids of the stages whose records go there; default those no other stage takes from.
        format: `senml`, a compact RFC 8428 pack in JSON; `senml+cbor`, the same in CBOR; `json`, all a record has; or
            `raw`, the bytes or the text of its only field.
        qos: of the publishes, 0, 1 or 2.
        retain: whether the broker keeps the last result of each topic.
        max_inflight: QoS 1 and 2 messages on the way at once; default what the broker allows (20 on 3.1.1).
        connection: default the source's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    type: Literal["mqtt"]
    topic: str
    stages: list[str] | None = Field(default=None, alias="from")
    format: Literal["senml", "senml+cbor", "json", "raw"] = "senml"
    qos: Literal[0, 1, 2] = 1
    retain: bool = False
    max_inflight: int | None = Field(default=None, ge=1, le=65535)
    connection: Connection | None = None


class FileSink(Block):
    """Results into a file, a line each.

    Attributes:
        type: `file`.
        path: appended to; its folder must be there.
        from: ids of the stages whose records go there; default those no other stage takes from.
        format: `json`, all a record has, or `senml`, a compact RFC 8428 pack; no CBOR, which has line ends in it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    type: Literal["file"]
    path: Path
    stages: list[str] | None = Field(default=None, alias="from")
    format: Literal["senml", "json"] = "json"


class MqttRejects(Block):
    """Dead letters onto a broker, as JSON.

    Attributes:
        type: `mqtt`.
        topic: {name} is the daemon's.
        qos: 0, 1 or 2.
        connection: default the source's.
    """

    type: Literal["mqtt"]
    topic: str = "riotd/{name}/rejects"
    qos: Literal[0, 1, 2] = 1
    connection: Connection | None = None


class FileRejects(Block):
    """Dead letters into files, as JSON lines; the raw bytes in base64 where they are not UTF-8.

    Attributes:
        type: `file`.
        path: appended to; its folder must be there. Older letters are in `<path>.1`, `<path>.2`, ...
        max_size: bytes of all files together; past it the oldest letters go.
        files: how many there are.
    """

    type: Literal["file"]
    path: Path
    max_size: Size = Field(default=100 * 10**6, ge=10_000)
    files: int = Field(default=5, ge=2, le=1000)


class LogRejects(Block):
    """Dead letters into the log, at most a few a second, and counted.

    Attributes:
        type: `log`.
    """

    type: Literal["log"] = "log"


Sink = Annotated[MqttSink | FileSink, Field(discriminator="type")]
"""What an entry of `sinks:` may be."""

Rejects = Annotated[MqttRejects | FileRejects | LogRejects, Field(discriminator="type")]
"""What `rejects:` may be."""


class StatsBlock(Block):
    """Statistics and status over MQTT.

    Attributes:
        topic: of the statistics; {name} is the daemon's.
        status: retained online/offline, with a last will.
        every: interval.
        connection: default the source's, or the first MQTT sink's; without any there are none.
    """

    topic: str = "riotd/{name}/stats"
    status: str = "riotd/{name}/status"
    every: Duration = 10.0
    connection: Connection | None = None


class StateBlock(Block):
    """What the daemon keeps on disk, so that its end loses nothing.

    Attributes:
        path: a folder of this daemon's own; default below $STATE_DIRECTORY (systemd), else below
            $XDG_STATE_HOME or ~/.local/state.
        every: between snapshots of the tasks' state.
        quota: bytes of the journal; past it nothing is taken in until a snapshot makes it shorter.
    """

    path: Path | None = None
    every: Duration = Field(default=10.0, gt=0)
    quota: Size = Field(default=10**9, ge=2**20)


class Config(Block):
    """A whole file.

    Attributes:
        name: the daemon's, in topics, client ids and logs.
        source: where messages come from.
        sources: several instead, by name; stages take from one by `after: [name]`.
        key: which device a message is of; default none: all share one key, and so one shard.
        batch: when a micro-batch closes.
        stages: the dataflow.
        engine: where tasks run.
        sinks: where results go, by name.
        rejects: where dead letters go.
        stats: statistics and status over MQTT.
        control: questions and commands over MQTT.
        ack: when messages are acknowledged: `journal`, once they are on disk, so that tasks' state outlives the daemon
            too; or `processed`, once their results are with the sinks, and nothing is on disk. Default journal if a
            source is of QoS 1 or 2. Else, if a source reads files, there is no journal, since they can be read again,
            but tasks' state and the places in the files are kept all the same.
        state: what is kept on disk.
        memory: bytes that all it holds of messages may take; default 256MiB, or what its parts need. The parts are
            shares of it: `riotd check` says them.
        max_in_flight: bytes taken in and not yet settled, 4 kB a message beside its payload; past it riotd begins no
            further batch; default its share of `memory`.
        grace: how long a stop may take before it is forced.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    source: Source | None = None
    sources: dict[SourceName, AnyEntry] = Field(default={})
    key: Key = Key()
    batch: BatchLimits = BatchLimits()
    stages: list[StageBlock] = Field(min_length=1)
    engine: EngineBlock = EngineBlock()
    sinks: dict[str, Sink] = Field(min_length=1)
    rejects: Rejects = LogRejects()
    stats: StatsBlock = StatsBlock()
    control: ControlBlock = ControlBlock()
    ack: Literal["journal", "processed"] | None = None
    state: StateBlock = StateBlock()
    memory: Size | None = Field(default=None, ge=2**24)
    max_in_flight: Size | None = None
    grace: Duration = 20.0

    _files: tuple[str, ...] = PrivateAttr(default=("",))

    @property
    def inlets(self) -> list[Inlet]:
        """All sources in the order of the file; the single one has no name."""
        single = {} if self.source is None else {"": self.source}
        sources: dict[str, AnySource | None] = {**single, **self.sources}
        return inlets(sources, self.key)

    @property
    def broker(self) -> Connection | None:
        """How to reach the broker of whatever has no connection of its own: the first MQTT source's."""
        blocks = (inlet.block for inlet in self.inlets)
        return next((block.connection() for block in blocks if isinstance(block, MqttSource)), None)

    @property
    def durable(self) -> Literal["journal", "resume", "none"]:
        """What outlives the daemon.

        journal: tasks' state, and what comes in is on disk before it is acknowledged; resume: tasks' state, and where
        the files were that are read; none: nothing.
        """
        if self.ack is not None:
            return "journal" if self.ack == "journal" else "none"
        blocks = [inlet.block for inlet in self.inlets]
        if any(isinstance(block, MqttSource) and block.qos > 0 for block in blocks):
            return "journal"
        return "resume" if any(isinstance(block, FileSource) for block in blocks) else "none"

    @property
    def state_folder(self) -> Path:
        """Where state is kept."""
        if self.state.path is not None:
            return self.state.path
        if systemd := os.environ.get("STATE_DIRECTORY"):
            return Path(systemd.partition(":")[0]) / "state" / self.name
        home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return Path(home).expanduser() / "riotd" / self.name

    @property
    def max_wait(self) -> float:
        """Seconds a batch's first message waits for company: what the file says, or the engine's default."""
        return _MAX_WAIT[self.engine.type] if self.batch.max_wait is None else self.batch.max_wait

    @property
    def file(self) -> str:
        """The path it was loaded from, or ""."""
        return self._files[0]

    @property
    def overlays(self) -> tuple[str, ...]:
        """Paths of the files that were laid over it."""
        return self._files[1:]
