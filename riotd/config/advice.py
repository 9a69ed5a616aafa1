"""What can be run but may not be what was meant; `riotd check` says it."""

from collections.abc import Iterator
from glob import has_magic

from riotd import catalog
from riotd.config.blocks import Config, MqttSink
from riotd.config.checks import filter_levels
from riotd.config.connection import Connection
from riotd.config.endpoints import owners, relocated
from riotd.config.inlets import Inlet
from riotd.config.inputs import FileSource, MqttSource
from riotd.config.parts import whole
from riotd.config.planning import plan
from riotd.config.timers import TimerSource
from riotd.errors import Mistake

_LOCAL = {"localhost", "127.0.0.1", "::1"}


def warnings(config: Config) -> list[Mistake]:
    """Where data may be lost, work be in vain or a secret be seen, each with its remedy."""
    checks = (_sessions, _engine, _keys, _unused, _sinks, _loops, _brokers)
    known = owners(config.stages)
    return list(dict.fromkeys(relocated(warning, known) for check in checks for warning in check(config)))


def _sessions(config: Config) -> Iterator[Mistake]:
    for inlet in config.inlets:
        if isinstance(inlet.block, MqttSource) and inlet.block.qos:
            yield from _session(inlet.where, inlet.block, config.batch.max_records)


def _session(where: str, source: MqttSource, wanted: int) -> Iterator[Mistake]:
    if source.session == "clean":
        what = f"QoS {source.qos} with a clean session: what is sent while riotd is away is lost"
        yield Mistake(f"{where}.session", what, "session: persistent keeps it at the broker")
    elif source.protocol == "5" and source.session_expiry == 0:
        what = "is 0: the persistent session ends with the connection"
        yield Mistake(f"{where}.session_expiry", what, "give it a time")
    if source.protocol == "3.1.1" and wanted > 20:
        what = f"with QoS {source.qos} many brokers send 20 messages ahead: batches stay that small"
        yield Mistake(f"{where}.protocol", what, 'protocol: "5" says how many it may be, or raise the broker\'s limit')


def _engine(config: Config) -> Iterator[Mistake]:
    if config.engine.type == "inline" and config.engine.address is not None:
        yield Mistake("engine.address", "means nothing to the inline engine", "type: ray, or leave it out")
    if config.engine.type == "inline" and config.engine.memory is not None:
        remedy = "type: ray, or MemoryMax= in the unit"
        yield Mistake("engine.memory", "is a worker's: the inline engine has none", remedy)


def _keys(config: Config) -> Iterator[Mistake]:
    shards = config.engine.shards
    for inlet in config.inlets if shards > 1 else ():
        for what, remedy in _key(inlet):
            work = "all the work with them" if inlet.name else "all the work"
            yield Mistake(inlet.key_where, f"{what}, so one of the {shards} shards does {work}", remedy)


def _key(inlet: Inlet) -> Iterator[tuple[str, str]]:
    """Why all messages of a source have one key, and the remedy; nothing if they need not."""
    key, source = inlet.key, inlet.block
    if key.field is not None or inlet.every or isinstance(source, TimerSource):
        return
    if key.topic_level is None and key.topic_regex is None:
        yield "is not given: all messages share one key", "key: {topic_level: n}"
    elif isinstance(source, MqttSource) and key.topic_level is not None:
        levels = {levels[key.topic_level] for levels in map(filter_levels, source.topics) if levels[-1] != "#"}
        wild = any(filter_levels(topic)[-1] == "#" for topic in source.topics)
        if not wild and len(levels) == 1 and not levels & {"+"}:
            yield f"topic_level {key.topic_level} is always {levels.pop()!r}", "take the level with the +"
    elif isinstance(source, FileSource) and not has_magic(source.path):
        yield "all messages have the same path, and so the same key", "key: {field: name}"


def _unused(config: Config) -> Iterator[Mistake]:
    """What comes in, or out of a stage, and goes nowhere."""
    made = plan(config)
    wanted = {stage for outlet in made.outlets for stage in outlet.stages}
    taken = {name for stage in made.stages for name in stage.after}
    if all(stage.after for stage in made.stages):
        for name in made.sources:
            if name not in taken:
                what = f"no stage takes the messages of {name!r}: they come in for nothing"
                yield Mistake(f"sources.{name}", what, f"after: [{name}], or take the source out")
    for index, stage in enumerate(config.stages):
        if stage.id not in wanted | taken and not catalog.find(stage.task).writes:
            yield Mistake(f"stages[{index}]", f"nobody takes the records of {stage.id!r}", "name it in a sink's from:")


def _sinks(config: Config) -> Iterator[Mistake]:
    kept = max((inlet.block.qos for inlet in config.inlets if isinstance(inlet.block, MqttSource)), default=0)
    for name, sink in config.sinks.items():
        if kept and isinstance(sink, MqttSink) and sink.qos == 0:
            what = f"QoS 0 behind a source of QoS {kept}: results may be lost on the way out"
            yield Mistake(f"sinks.{name}.qos", what, "qos: 1")


def _loops(config: Config) -> Iterator[Mistake]:
    """Results that come back in as messages."""
    sources = [inlet.block for inlet in config.inlets if isinstance(inlet.block, MqttSource)]
    for name, sink in config.sinks.items():
        broker = isinstance(sink, MqttSink) and (sink.connection or config.broker)
        if not isinstance(sink, MqttSink) or not broker:
            continue
        for topic in (topic for source in sources if source.url == broker.url for topic in source.topics):
            if _matches(filter_levels(topic), sink.topic.split("/")):
                remedy = "publish below another first level"
                yield Mistake(f"sinks.{name}.topic", f"may match {topic}: results would come in again", remedy)


def _matches(wanted: list[str], template: list[str]) -> bool:
    """Whether a topic of the template, whatever its placeholders become, may match the filter."""
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(template) or not (level == "+" or level == template[index] or "{" in template[index]):
            return False
    return len(wanted) == len(template)


def _brokers(config: Config) -> Iterator[Mistake]:
    for where, connection in whole(config).connections():
        yield from _exposure(where, connection)
    if config.broker is None and config.stats.connection is None:
        sinks = [sink for sink in config.sinks.values() if isinstance(sink, MqttSink)]
        if not any(sink.connection for sink in sinks):
            yield Mistake("stats.connection", "is not given: there are no statistics", "connection: {url: …}")


def _exposure(where: str, connection: Connection) -> Iterator[Mistake]:
    if connection.password and not connection.secure and connection.host not in _LOCAL:
        yield Mistake(f"{where}.url", "the password goes over the network in clear", "mqtts://")
    if connection.tls and not connection.tls.verify_hostname:
        yield Mistake(f"{where}.tls.verify_hostname", "is false: anyone with a trusted certificate can be the broker")
    if connection.tls and not connection.secure:
        yield Mistake(f"{where}.tls", "means nothing to mqtt://", "mqtts://")
