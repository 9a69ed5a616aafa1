"""A configuration in words: what would run, line by line."""

from collections.abc import Iterable

from riotd import catalog
from riotd import config as cfg
from riotd.cli.tables import aligned
from riotd.dataflow import Plan, Stage
from riotd.partitioning import GROUPS
from riotd.units import duration_text, size_text

Line = tuple[str, str]
"""A label, empty where the last one goes on, and its text."""


_MANY = "{:,}".format


def outline(config: cfg.Config, plan: Plan) -> list[Line]:
    """The whole plan, from the source to what SIGHUP may change."""
    return [
        ("source", source_text(config)),
        ("key", _key(config.key, config.engine.shards)),
        ("batch", _batch(config)),
        ("engine", _engine(config.engine)),
        *_labelled("stages", _stages(config, plan)),
        *_labelled("sinks", _sinks(config, plan)),
        ("rejects", _rejects(config.rejects)),
        ("stats", _stats(config)),
        ("limits", _limits(config)),
        ("reload", f"SIGHUP changes everything but {', '.join(cfg.FIXED)}"),
    ]


def source_text(config: cfg.Config) -> str:
    """Where messages come from."""
    source = config.source
    if isinstance(source, cfg.FileSource):
        how = "followed, through rotation" if source.follow else "read to the end"
        return f"{source.path}, {how}, {source.format}"
    session: str = source.session
    if session == "persistent" and source.protocol == "5":
        session = f"persistent ({duration_text(source.session_expiry)})"
    ahead = f", at most {_MANY(source.receive_maximum)} ahead" if source.qos and source.protocol == "5" else ""
    return (
        f"{source.url}  {' '.join(source.topics)}  QoS {source.qos}, MQTT {source.protocol}, {session} session{ahead}"
    )


def sink_text(sink: cfg.MqttSink | cfg.FileSink) -> str:
    """Where results go."""
    if isinstance(sink, cfg.FileSink):
        return f"{sink.path}, {sink.format}"
    broker = f"{sink.connection.url}  " if sink.connection else ""
    retained = ", retained" if sink.retain else ""
    return f"{broker}{sink.topic}  QoS {sink.qos}, {sink.format}{retained}"


def call_text(stage: Stage) -> str:
    """A stage's task with its parameters."""
    return f"{stage.task}({', '.join(f'{name}={value!r}' for name, value in stage.params.items())})"


def _labelled(label: str, texts: Iterable[str]) -> list[Line]:
    return [(label if index == 0 else "", text) for index, text in enumerate(texts)]


def _key(key: cfg.Key, shards: int) -> str:
    if key.topic_level is not None:
        said = f"level {key.topic_level} of the topic"
    elif key.topic_regex is not None:
        said = f"{key.topic_regex} in the topic"
    else:
        said = f"field {key.field} of the payload" if key.field else "none: all messages are of one device"
    return f"{said}, in {GROUPS} groups on {shards} shard{'s' * (shards > 1)}"


def _batch(config: cfg.Config) -> str:
    batch, wait = config.batch, config.max_wait
    patience = f"after {duration_text(wait)}" if wait else "at once when a shard is idle"
    return f"{_MANY(batch.max_records)} messages or {size_text(batch.max_bytes)} a shard, {patience}"


def _engine(engine: cfg.EngineBlock) -> str:
    if engine.type == "inline":
        return f"inline, {engine.shards} thread{'s' * (engine.shards > 1)} of the daemon"
    place = f"on the cluster at {engine.address}" if engine.address else "in a local cluster of our own"
    return f"ray, {engine.shards} actor{'s' * (engine.shards > 1)} {place}"


def _stages(config: cfg.Config, plan: Plan) -> list[str]:
    rows = []
    blocks = cfg.stood_for(config.stages)
    for stage in plan.stages:
        task = catalog.find(stage.task)
        state = "an instance per device" if task.stateful else "no state"
        if stage.id in blocks:
            state = f"is {blocks[stage.id]}"
        rows.append((
            stage.id,
            f"← {', '.join(stage.after) or 'messages'}",
            call_text(stage),
            f"{task.pattern}, {state}",
        ))
    return aligned(rows)


def _sinks(config: cfg.Config, plan: Plan) -> list[str]:
    sinks = zip(plan.outlets, config.sinks.values(), strict=True)
    return aligned([(outlet.sink, f"← {', '.join(outlet.stages)}", sink_text(sink)) for outlet, sink in sinks])


def _rejects(rejects: cfg.MqttRejects | cfg.FileRejects | cfg.LogRejects) -> str:
    if isinstance(rejects, cfg.MqttRejects):
        return f"{rejects.topic}  QoS {rejects.qos}"
    return str(rejects.path) if isinstance(rejects, cfg.FileRejects) else "the log"


def _stats(config: cfg.Config) -> str:
    topic, status = (text.replace("{name}", config.name) for text in (config.stats.topic, config.stats.status))
    return f"{topic} every {duration_text(config.stats.every)}, {status}"


def _limits(config: cfg.Config) -> str:
    idle = f", dropped when idle for {duration_text(config.engine.idle)}" if config.engine.idle else ""
    keys = f"{_MANY(config.engine.max_keys)} devices a stage and shard{idle}"
    return f"{size_text(config.max_in_flight)} in flight, {keys}, {duration_text(config.grace)} to stop"
