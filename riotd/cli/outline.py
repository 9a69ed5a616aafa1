"""A configuration in words: what would run, line by line."""

from collections.abc import Iterable
from pathlib import Path

from riot_tasks import Task
from riotd import catalog
from riotd import config as cfg
from riotd.cli.tables import aligned
from riotd.dataflow import Plan, Stage
from riotd.placement import GROUPS
from riotd.segments import Step, arranged, passes
from riotd.units import duration_text, size_text

Line = tuple[str, str]
"""A label, empty where the last one goes on, and its text."""


_MANY = "{:,}".format
_KEYS = {"source": "device", "name": "field"}
"""What a part of a stage's key tells apart."""


def outline(config: cfg.Config, plan: Plan) -> list[Line]:
    """The whole plan, from the source to what SIGHUP may change."""
    return [
        *_sources(config),
        ("batch", _batch(config)),
        ("engine", _engine(config.engine)),
        *_labelled("stages", _stages(config, plan)),
        *_exchanges(plan),
        *_labelled("sinks", _sinks(config, plan)),
        ("rejects", _rejects(config.rejects).replace("{name}", config.name)),
        ("stats", _stats(config)),
        ("state", _kept(config)),
        ("memory", _memory(config)),
        ("limits", _limits(config)),
        ("reload", f"SIGHUP changes everything but {', '.join(cfg.FIXED)}"),
    ]


def source_text(source: cfg.AnySource) -> str:
    """Where messages come from."""
    if isinstance(source, cfg.FileSource):
        how = "followed, through rotation" if source.follow else "read to the end"
        return f"{source.path}, {how}, {source.format}"
    if isinstance(source, cfg.TimerSource):
        return _timer_text(source)
    session: str = source.session
    if session == "persistent" and source.protocol == "5":
        session = f"persistent ({duration_text(source.session_expiry)})"
    ahead = f", at most {_MANY(source.receive_maximum)} ahead" if source.qos and source.protocol == "5" else ""
    return (
        f"{source.url}  {' '.join(source.topics)}  QoS {source.qos}, MQTT {source.protocol}, {session} session{ahead}"
    )


def _kept(config: cfg.Config) -> str:
    """What outlives the daemon, and where."""
    if config.durable == "none":
        return "in memory; acknowledged once the results are with the sinks"
    every, quota = duration_text(config.state.every), size_text(config.state.quota)
    input_ = f"a journal of at most {quota}" if config.durable == "journal" else "where the files were read to"
    return f"{_shown(config.state_folder)}  {input_}, a snapshot every {every}"


def _shown(folder: Path) -> str:
    """The folder, the user's own in short."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)


def _timer_text(timer: cfg.TimerSource) -> str:
    if timer.file is not None:
        pace = f", {timer.speed:g} times as fast" if timer.speed != 1 else ""
        return f"the rows of {timer.file}{pace}{', again and again' if timer.repeat else ''}"
    back = f", each for the last {duration_text(timer.window)}" if timer.window else ""
    if timer.every is not None:
        return f"every {duration_text(timer.every)}{' of the clock' if timer.align else ''}{back}"
    return f"at {timer.cron}, {timer.timezone or 'UTC'}{back}"


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


def _sources(config: cfg.Config) -> list[Line]:
    shards = config.engine.shards
    if config.source is not None:
        return [("source", source_text(config.source)), ("key", _key(config.key, shards))]
    rows = [(inlet.name, source_text(inlet.block), f"key: {_inlet_key(inlet)}") for inlet in config.inlets]
    return [*_labelled("sources", aligned(rows)), ("key", f"in {_groups(shards)}")]


def _inlet_key(inlet: cfg.Inlet) -> str:
    return "every message goes to every shard" if inlet.every else _key_text(inlet.key)


def _labelled(label: str, texts: Iterable[str]) -> list[Line]:
    return [(label if index == 0 else "", text) for index, text in enumerate(texts)]


def _key(key: cfg.Key, shards: int) -> str:
    return f"{_key_text(key)}, in {_groups(shards)}"


def _key_text(key: cfg.Key) -> str:
    if key.topic_level is not None:
        return f"level {key.topic_level} of the topic"
    if key.topic_regex is not None:
        return f"{key.topic_regex} in the topic"
    return f"field {key.field} of the payload" if key.field else "none: all messages are of one device"


def _groups(shards: int) -> str:
    return f"{GROUPS} groups on {shards} shard{'s' * (shards > 1)}"


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
    for step in arranged(plan):
        stage, task = step.stage, catalog.find(step.stage.task)
        state = f"is {blocks[stage.id]}" if stage.id in blocks else _state(task, step.key)
        rows.append((
            stage.id,
            f"{'⇄' if exchanged(plan, step) else '←'} {', '.join(stage.after) or 'messages'}",
            call_text(stage),
            f"{task.pattern}, {state}",
        ))
    return aligned(rows)


def _state(task: type[Task], key: tuple[str, ...]) -> str:
    if not task.stateful:
        return "no state"
    if task.shared or key == ("one",):
        return "one instance for all" if key == ("one",) else "one instance a shard"
    return "an instance per " + " and ".join(_KEYS.get(part, f"value of {part[1:]}") for part in key)


def exchanged(plan: Plan, step: Step) -> bool:
    """Whether records have to go to another shard for this stage."""
    return plan.shards > 1 and any(each.edge is not None for each in step.inputs)


def _exchanges(plan: Plan) -> list[Line]:
    stages = [step.stage.id for step in arranged(plan) if exchanged(plan, step)]
    if not stages:
        return []
    return [
        ("exchange", f"⇄: for {', '.join(stages)} records go to the shard of their key; {passes(plan)} passes a batch")
    ]


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


def _memory(config: cfg.Config) -> str:
    """The budget with its parts, and what it does not cover."""
    shares, ray = cfg.shares(config), config.engine.type == "ray"
    beside = "Python" if ray else "Python and the tasks' state"
    rest = f", snapshots {cfg.about(shares.rest)}" if ray else ""
    return f"{cfg.about(shares.total)}: {shares.text()}{rest}; beside it {beside}"


def _limits(config: cfg.Config) -> str:
    idle = f", dropped when idle for {duration_text(config.engine.idle)}" if config.engine.idle else ""
    keys = f"{_MANY(config.engine.max_keys)} devices a stage and shard{idle}"
    return f"{keys}, {duration_text(config.grace)} to stop"
