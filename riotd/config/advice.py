"""What can be run but may not be what was meant; `riotd check` says it."""

from collections.abc import Iterator
from glob import has_magic

from riotd.config.blocks import Config, MqttSink
from riotd.config.checks import filter_levels
from riotd.config.connection import Connection
from riotd.config.endpoints import owners, relocated
from riotd.config.inputs import MqttSource
from riotd.config.parts import whole
from riotd.config.planning import plan
from riotd.errors import Mistake

_LOCAL = {"localhost", "127.0.0.1", "::1"}


def warnings(config: Config) -> list[Mistake]:
    """Where data may be lost, work be in vain or a secret be seen, each with its remedy."""
    checks = (_session, _engine, _key, _sinks, _loops, _brokers)
    known = owners(config.stages)
    return [relocated(warning, known) for check in checks for warning in check(config)]


def _session(config: Config) -> Iterator[Mistake]:
    source = config.source
    if not isinstance(source, MqttSource) or source.qos == 0:
        return
    if source.session == "clean":
        what = f"QoS {source.qos} with a clean session: what is sent while riotd is away is lost"
        yield Mistake("source.session", what, "session: persistent keeps it at the broker")
    elif source.protocol == "5" and source.session_expiry == 0:
        yield Mistake(
            "source.session_expiry", "is 0: the persistent session ends with the connection", "give it a time"
        )
    if source.protocol == "3.1.1" and config.batch.max_records > 20:
        what = f"with QoS {source.qos} many brokers send 20 messages ahead: batches stay that small"
        yield Mistake("source.protocol", what, 'protocol: "5" says how many it may be, or raise the broker\'s limit')


def _engine(config: Config) -> Iterator[Mistake]:
    if config.engine.type == "inline" and config.engine.address is not None:
        yield Mistake("engine.address", "means nothing to the inline engine", "type: ray, or leave it out")


def _key(config: Config) -> Iterator[Mistake]:
    key, source, shards = config.key, config.source, config.engine.shards
    if key.field is not None:
        return
    what, remedy = "", ""
    if key.topic_level is None and key.topic_regex is None:
        what, remedy = "is not given: all messages share one key", "key: {topic_level: n}"
    elif isinstance(source, MqttSource) and key.topic_level is not None:
        levels = {levels[key.topic_level] for levels in map(filter_levels, source.topics) if levels[-1] != "#"}
        wild = any(filter_levels(topic)[-1] == "#" for topic in source.topics)
        if not wild and len(levels) == 1 and not levels & {"+"}:
            what, remedy = f"topic_level {key.topic_level} is always {levels.pop()!r}", "take the level with the +"
    elif not isinstance(source, MqttSource) and not has_magic(source.path):
        what, remedy = "all messages have the same path, and so the same key", "key: {field: name}"
    if what and shards > 1:
        yield Mistake("key", f"{what}, so one of the {shards} shards does all the work", remedy)


def _sinks(config: Config) -> Iterator[Mistake]:
    made = plan(config)
    wanted = {stage for outlet in made.outlets for stage in outlet.stages}
    taken = {stage for each in made.stages for stage in each.after}
    for index, stage in enumerate(config.stages):
        if stage.id not in wanted | taken:
            yield Mistake(f"stages[{index}]", f"nobody takes the records of {stage.id!r}", "name it in a sink's from:")
    if not isinstance(config.source, MqttSource) or config.source.qos == 0:
        return
    for name, sink in config.sinks.items():
        if isinstance(sink, MqttSink) and sink.qos == 0:
            what = f"QoS 0 behind a source of QoS {config.source.qos}: results may be lost on the way out"
            yield Mistake(f"sinks.{name}.qos", what, "qos: 1")


def _loops(config: Config) -> Iterator[Mistake]:
    """Results that come back in as messages."""
    if not isinstance(config.source, MqttSource):
        return
    for name, sink in config.sinks.items():
        if not isinstance(sink, MqttSink) or (sink.connection and sink.connection.url != config.source.url):
            continue
        for topic in config.source.topics:
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
    if not isinstance(config.source, MqttSource) and config.stats.connection is None:
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
