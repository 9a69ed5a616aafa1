"""The blocks of the file, as types."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, PrivateAttr, model_validator

from riotd.config.connection import Block, Connection, Duration, Size


def _topic_filter(text: str) -> str:
    levels = text.split("/")
    if not text or "\0" in text:
        raise ValueError("a topic filter has at least one character, none of them NUL")
    if levels[0] == "$share" and (len(levels) < 3 or not levels[1] or set(levels[1]) & set("+#")):
        raise ValueError("a shared subscription is $share/<group>/<filter>")
    if "#" in levels[:-1] or any(len(level) > 1 and set(level) & set("+#") for level in levels):
        raise ValueError("+ and # stand alone in a level, and # only in the last")
    return text


class MqttSource(Connection):
    """Subscriptions on a broker.

    Attributes:
        topics: topic filters; shared subscriptions as $share/<group>/<filter>.
        qos: of the subscriptions, 0, 1 or 2.
        receive_maximum: unacknowledged messages the broker may send ahead (MQTT 5, QoS 1 and 2).
        buffer: bytes received and not yet taken; past it reading pauses.
        max_packet: largest packet accepted, bytes (MQTT 5 brokers are told).
        retained: false leaves out what the broker kept from before the subscription.
    """

    type: Literal["mqtt"]
    topics: list[Annotated[str, AfterValidator(_topic_filter)]] = Field(min_length=1)
    qos: Literal[0, 1, 2] = 1
    receive_maximum: int = Field(default=8192, ge=1, le=65535)
    buffer: Size = 16 * 2**20
    max_packet: Size = 16 * 2**20
    retained: bool = True


class FileSource(Block):
    """Lines of files.

    Attributes:
        path: one file or a glob.
        follow: true is tail -F: wait for more, through rotation; false reads to the end and stops (.gz too).
        format: `lines`, one message each, or `riotbench`, `<epoch ms>,<SenML>`.
        start: where a followed file that is there at the start is read from.
        max_line: longest line, bytes; a longer one is a dead letter.
    """

    type: Literal["file"]
    path: str
    follow: bool = False
    format: Literal["lines", "riotbench"] = "lines"
    start: Literal["beginning", "end"] = "beginning"
    max_line: Size = 2**20


class Key(Block):
    """Which device a message is of; messages of one key keep their order and share state. At most one of the three.

    Attributes:
        topic_level: level of the topic, counted from 0.
        topic_regex: regular expression searched in the topic; its first group, or all it matched.
        field: name of a SenML entry, read from the payload (for feeds that say it only there).
    """

    topic_level: int | None = Field(default=None, ge=0)
    topic_regex: str | None = None
    field: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "Key":
        if sum(value is not None for value in (self.topic_level, self.topic_regex, self.field)) > 1:
            raise ValueError("give at most one of topic_level, topic_regex, field")
        return self


class BatchLimits(Block):
    """When a micro-batch closes, per shard: whichever comes first.

    Attributes:
        max_records: messages.
        max_bytes: payload bytes; above Ray's inline limit of 100 kB calls are three times slower.
        max_wait: how long the first message waits for company; default 0.5 ms inline, 6 ms on Ray.
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
        after: ids of the stages it takes from; default the one before it.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    task: str
    params: dict[str, Any] = {}
    after: list[str] | None = None

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
    """

    type: Literal["inline", "ray"] = "inline"
    shards: int = Field(default=1, ge=1, le=128)
    address: str | None = None
    max_keys: int = Field(default=1_000_000, ge=1)
    idle: Duration = 0.0


class MqttSink(Block):
    """Results onto a broker; whatever of the connection is not said is the source's.

    Attributes:
        topic: template over {source}, {stage}, {name} and {topic[n]}, a level of the source message's topic.
        from: ids of the stages whose records go there; default those no other stage takes from.
        max_inflight: QoS 1 and 2 messages on the way at once; default what the broker allows (20 on 3.1.1).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    type: Literal["mqtt"]
    topic: str
    stages: list[str] | None = Field(default=None, alias="from")
    format: Literal["senml", "json"] = "senml"
    qos: Literal[0, 1, 2] = 1
    retain: bool = False
    max_inflight: int | None = Field(default=None, ge=1, le=65535)
    connection: Connection | None = None


class FileSink(Block):
    """Results into a file, a line each.

    Attributes:
        path: appended to; its folder must be there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    type: Literal["file"]
    path: Path
    stages: list[str] | None = Field(default=None, alias="from")
    format: Literal["senml", "json"] = "json"


class MqttRejects(Block):
    """Dead letters onto a broker, as JSON."""

    type: Literal["mqtt"]
    topic: str = "riotd/{name}/rejects"
    qos: Literal[0, 1, 2] = 1
    connection: Connection | None = None


class FileRejects(Block):
    """Dead letters into a file, as JSON lines; the raw bytes in base64 where they are not UTF-8."""

    type: Literal["file"]
    path: Path


class LogRejects(Block):
    """Dead letters into the log, at most a few a second, and counted."""

    type: Literal["log"] = "log"


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


class Config(Block):
    """A whole file."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    source: Annotated[MqttSource | FileSource, Field(discriminator="type")]
    key: Key = Key()
    batch: BatchLimits = BatchLimits()
    stages: list[StageBlock] = Field(min_length=1)
    engine: EngineBlock = EngineBlock()
    sinks: dict[str, Annotated[MqttSink | FileSink, Field(discriminator="type")]] = Field(min_length=1)
    rejects: Annotated[MqttRejects | FileRejects | LogRejects, Field(discriminator="type")] = LogRejects()
    stats: StatsBlock = StatsBlock()
    max_in_flight: Size = 32 * 10**6
    grace: Duration = 20.0

    _file: str = PrivateAttr(default="")
