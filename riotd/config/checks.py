"""What must hold across the blocks of a file: the graph, the tasks, the sinks, the sizes."""

import re
from collections.abc import Iterator

from riotd import catalog
from riotd.config.blocks import MqttRejects, MqttSink, StageBlock
from riotd.config.hearing import unheard
from riotd.config.inlets import AnySource, Inlet
from riotd.config.inputs import MqttSource
from riotd.config.memory import BESIDE, share_out
from riotd.config.parts import Parts
from riotd.config.planning import among, graph
from riotd.config.references import Names
from riotd.dataflow import graph_mistakes
from riotd.errors import Mistake
from riotd.templates import FIELDS, TopicTemplate
from riotd.units import size_text

_MOST_AHEAD = 50_000
"""What `receive_maximum` can say (MQTT 5, 3.1.2.11.3)."""


def across(parts: Parts) -> list[Mistake]:
    """Every mistake that no block shows by itself; blocks that are wrong in themselves are left out."""
    return [
        *_sources(parts),
        *_tasks(parts),
        *_graph(parts),
        *_outlets(parts),
        *_topics(parts),
        *_brokers(parts),
        *_sizes(parts),
        *_memory(parts),
        *_keys(parts),
    ]


def _sources(parts: Parts) -> Iterator[Mistake]:
    if not parts.sources:
        yield Mistake("source", "must be given", "where messages come from; several, by name, are in sources:")
    if "" in parts.sources and len(parts.sources) > 1:
        yield Mistake("sources", "there is a source: too", "keep one of the two")
    ids = [stage and stage.id for stage in parts.stages]
    for name in filter(None, parts.sources):
        if name in ids:
            yield Mistake(f"sources.{name}", f"{name!r} is also the id of stages[{ids.index(name)}]", "rename one")
    yield from _clients(parts)


def _clients(parts: Parts) -> Iterator[Mistake]:
    """A broker ends the connection of whoever has a client id, when another one comes with it."""
    known: dict[tuple[str, str], str] = {}
    for inlet in parts.inlets():
        block = inlet.block
        if not isinstance(block, MqttSource) or block.client_id is None:
            continue
        first = known.setdefault((block.url, block.client_id), inlet.where)
        if first != inlet.where:
            what = f"is also that of {first}: each connection would end the other"
            yield Mistake(f"{inlet.where}.client_id", what, "rename one, or leave it out")


def _tasks(parts: Parts) -> Iterator[Mistake]:
    for index, stage in enumerate(parts.stages):
        if stage is not None:
            yield from _task(f"stages[{index}]", stage)


def _task(where: str, stage: StageBlock) -> Iterator[Mistake]:
    try:
        task = catalog.find(stage.task)
    except (catalog.TaskNotFound, catalog.BrokenTask) as error:
        yield Mistake(f"{where}.task", str(error))
        return
    for bad in catalog.parameter_mistakes(task, stage.params):
        yield Mistake(f"{where}.params" + (f".{bad.name}" if bad.name else ""), bad.what, bad.remedy)


def _graph(parts: Parts) -> list[Mistake]:
    blocks = [stage for stage in parts.stages if stage is not None]
    if len(blocks) < len(parts.stages):
        return []
    stages, names = graph(blocks), _names(parts)
    unknown = [
        Mistake(f"stages[{index}].after", *wrong)
        for index, stage in enumerate(stages)
        for name in stage.after
        if (wrong := names.after(name))
    ]
    within = among(stages, outputs=True)
    if found := [*unknown, *graph_mistakes(within)]:
        return found
    return [] if _broken(blocks) else list(unheard(stages, within, *_hearers(parts)))


def _broken(blocks: list[StageBlock]) -> bool:
    """Whether a task can't be loaded, which is a mistake of its own."""
    try:
        for block in blocks:
            catalog.find(block.task)
    except (catalog.TaskNotFound, catalog.BrokenTask):
        return True
    return False


def _hearers(parts: Parts) -> tuple[list[str], list[str]]:
    """Names of the sources, and of those whose messages are for every shard."""
    inlets = [inlet for inlet in parts.inlets() if inlet.name]
    return [inlet.name for inlet in inlets], [inlet.name for inlet in inlets if inlet.every]


def _outlets(parts: Parts) -> Iterator[Mistake]:
    if None in parts.stages:
        return
    names = _names(parts)
    for name, sink in parts.sinks.items():
        for index, stage in enumerate((sink and sink.stages) or ()):
            if wrong := names.wanted(stage):
                yield Mistake(f"sinks.{name}.from[{index}]", *wrong)


def _names(parts: Parts) -> Names:
    sources = [name for name in parts.sources if name]
    return Names({stage.id: stage.task for stage in parts.stages if stage is not None}, sources)


def _topics(parts: Parts) -> Iterator[Mistake]:
    for name, sink in parts.sinks.items():
        if isinstance(sink, MqttSink):
            yield from _template(f"sinks.{name}.topic", sink.topic, FIELDS)
    if isinstance(parts.rejects, MqttRejects):
        yield from _template("rejects.topic", parts.rejects.topic, ("name",))
    if parts.stats is not None:
        yield from _template("stats.topic", parts.stats.topic, ("name",))
        yield from _template("stats.status", parts.stats.status, ("name",))
    if parts.control is not None:
        yield from _template("control.topic", parts.control.topic, ("name",))


def _template(where: str, topic: str, fields: tuple[str, ...]) -> Iterator[Mistake]:
    try:
        TopicTemplate(topic, fields)
    except ValueError as error:
        yield Mistake(where, str(error))


def _brokers(parts: Parts) -> Iterator[Mistake]:
    """Whatever publishes needs a broker to publish to."""
    kinds = [block and block.type for block in parts.sources.values()]
    if not kinds or None in kinds or "mqtt" in kinds:
        return
    sources = f"the source is a {kinds[0]} and has none" if len(kinds) == 1 else "none of the sources has one"
    remedy = f"give it connection: {{url: …}}, for {sources}"
    for name, sink in parts.sinks.items():
        if isinstance(sink, MqttSink) and sink.connection is None:
            yield Mistake(f"sinks.{name}.connection", "must be given", remedy)
    if isinstance(parts.rejects, MqttRejects) and parts.rejects.connection is None:
        yield Mistake("rejects.connection", "must be given", remedy)
    control, stats, sinks = parts.control, parts.stats, [sink for sink in parts.sinks.values() if sink]
    others = [stats and stats.connection, *(sink.connection for sink in sinks if isinstance(sink, MqttSink))]
    if control is not None and control.mqtt != "none" and not any([control.connection, *others]):
        yield Mistake("control.connection", "must be given", remedy)


def _sizes(parts: Parts) -> Iterator[Mistake]:
    batch, engine = parts.batch, parts.engine
    if batch is None or engine is None:
        return
    if parts.max_in_flight is not None and parts.max_in_flight < batch.max_bytes * engine.shards:
        least = f"{size_text(batch.max_bytes * engine.shards)}, batch.max_bytes times engine.shards"
        remedy = "a batch that can't fill only ever times out"
        yield Mistake("max_in_flight", f"must be at least {least} (is {size_text(parts.max_in_flight)})", remedy)
    whole = batch.max_records * engine.shards
    limits = [_ahead(block) for block in parts.sources.values()]
    if not limits or None in limits or (given := sum(filter(None, limits))) >= whole:
        return
    inlet = max(parts.inlets(), key=lambda inlet: _ahead(inlet.block) or 0)
    together = " of all sources together" if len(limits) > 1 else ""
    what = f"must be at least {whole}{together}, batch.max_records times engine.shards (is {given})"
    most = _MOST_AHEAD // engine.shards
    remedy = "raise it" if whole <= _MOST_AHEAD else f"lower batch.max_records to {most} at most"
    where = f"{inlet.where}.receive_maximum"
    yield Mistake(where, what, f"a batch that can't fill only ever times out: {remedy}")


def _memory(parts: Parts) -> Iterator[Mistake]:
    """The parts must have room in the whole; none of them can be made smaller than what has to fit into it."""
    batch, engine, memory = parts.batch, parts.engine, parts.memory
    if batch is None or engine is None or memory is None or None in parts.sources.values():
        return
    whole = (batch.max_bytes + BESIDE * batch.max_records) * engine.shards
    sources = [inlet.block for inlet in parts.inlets()]
    shares = share_out(memory, parts.max_in_flight, whole, sources)
    if shares.needed <= memory:
        return
    least = f"{size_text(shares.needed)}, the sum of its parts: {shares.text()}"
    yield Mistake("memory", f"must be at least {least} (is {size_text(memory)})", _smaller(parts))


def _smaller(parts: Parts) -> str:
    """What could be given less."""
    keys = ["max_in_flight"] if parts.max_in_flight else ["batch.max_records"]
    for inlet in parts.inlets():
        if isinstance(inlet.block, MqttSource):
            keys += [f"{inlet.where}.buffer"] if inlet.block.buffer else []
            keys += [f"{inlet.where}.max_packet"]
    return f"raise it, or lower {' or '.join(keys)}"


def _ahead(block: AnySource | None) -> int | None:
    """Messages the source may give before any is acknowledged; None for no limit, or none that is known."""
    limited = isinstance(block, MqttSource) and block.qos > 0 and block.protocol == "5"
    return block.receive_maximum if isinstance(block, MqttSource) and limited else None


def _keys(parts: Parts) -> Iterator[Mistake]:
    for inlet in parts.inlets() if parts.key is not None else ():
        yield from _key(inlet)


def _key(inlet: Inlet) -> Iterator[Mistake]:
    key = inlet.key
    if key.topic_regex is not None:
        try:
            re.compile(key.topic_regex)
        except re.error as error:
            yield Mistake(f"{inlet.key_where}.topic_regex", f"is no regular expression: {error}")
    if key.topic_level is None or not isinstance(inlet.block, MqttSource):
        return
    for topic in inlet.block.topics:
        levels = filter_levels(topic)
        if levels[-1] != "#" and key.topic_level >= len(levels):
            what = f"must be below {len(levels)}, for so many levels has {topic} (is {key.topic_level})"
            yield Mistake(f"{inlet.key_where}.topic_level", what, "levels are counted from 0")


def filter_levels(topic: str) -> list[str]:
    """Levels of a topic filter, without the $share/<group> of a shared subscription."""
    levels = topic.split("/")
    return levels[2:] if levels[0] == "$share" else levels
