"""What must hold across the blocks of a file: the graph, the tasks, the sinks, the sizes."""

import re
from collections.abc import Iterator

from riotd import catalog
from riotd.config.blocks import MqttRejects, MqttSink, StageBlock
from riotd.config.inputs import FileSource, MqttSource
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
        *_tasks(parts),
        *_graph(parts),
        *_outlets(parts),
        *_topics(parts),
        *_brokers(parts),
        *_sizes(parts),
        *_key(parts),
    ]


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
    return [*unknown, *graph_mistakes(among(stages, outputs=True))]


def _outlets(parts: Parts) -> Iterator[Mistake]:
    if None in parts.stages:
        return
    names = _names(parts)
    for name, sink in parts.sinks.items():
        for index, stage in enumerate((sink and sink.stages) or ()):
            if wrong := names.wanted(stage):
                yield Mistake(f"sinks.{name}.from[{index}]", *wrong)


def _names(parts: Parts) -> Names:
    return Names({stage.id: stage.task for stage in parts.stages if stage is not None})


def _topics(parts: Parts) -> Iterator[Mistake]:
    for name, sink in parts.sinks.items():
        if isinstance(sink, MqttSink):
            yield from _template(f"sinks.{name}.topic", sink.topic, FIELDS)
    if isinstance(parts.rejects, MqttRejects):
        yield from _template("rejects.topic", parts.rejects.topic, ("name",))
    if parts.stats is not None:
        yield from _template("stats.topic", parts.stats.topic, ("name",))
        yield from _template("stats.status", parts.stats.status, ("name",))


def _template(where: str, topic: str, fields: tuple[str, ...]) -> Iterator[Mistake]:
    try:
        TopicTemplate(topic, fields)
    except ValueError as error:
        yield Mistake(where, str(error))


def _brokers(parts: Parts) -> Iterator[Mistake]:
    """Whatever publishes needs a broker to publish to."""
    if not isinstance(parts.source, FileSource):
        return
    remedy = "give it connection: {url: …}, for the source is a file and has none"
    for name, sink in parts.sinks.items():
        if isinstance(sink, MqttSink) and sink.connection is None:
            yield Mistake(f"sinks.{name}.connection", "must be given", remedy)
    if isinstance(parts.rejects, MqttRejects) and parts.rejects.connection is None:
        yield Mistake("rejects.connection", "must be given", remedy)


def _sizes(parts: Parts) -> Iterator[Mistake]:
    batch, engine, source = parts.batch, parts.engine, parts.source
    if batch is None or engine is None:
        return
    if parts.max_in_flight is not None and parts.max_in_flight < batch.max_bytes * engine.shards:
        least = f"{size_text(batch.max_bytes * engine.shards)}, batch.max_bytes times engine.shards"
        remedy = "a batch that can't fill only ever times out"
        yield Mistake("max_in_flight", f"must be at least {least} (is {size_text(parts.max_in_flight)})", remedy)
    if not isinstance(source, MqttSource) or source.qos == 0 or source.protocol != "5":
        return
    whole = batch.max_records * engine.shards
    if source.receive_maximum < whole:
        what = f"must be at least {whole}, batch.max_records times engine.shards (is {source.receive_maximum})"
        most = _MOST_AHEAD // engine.shards
        remedy = "raise it" if whole <= _MOST_AHEAD else f"lower batch.max_records to {most} at most"
        yield Mistake("source.receive_maximum", what, f"a batch that can't fill only ever times out: {remedy}")


def _key(parts: Parts) -> Iterator[Mistake]:
    key, source = parts.key, parts.source
    if key is None:
        return
    if key.topic_regex is not None:
        try:
            re.compile(key.topic_regex)
        except re.error as error:
            yield Mistake("key.topic_regex", f"is no regular expression: {error}")
    if key.topic_level is None or not isinstance(source, MqttSource):
        return
    for topic in source.topics:
        levels = filter_levels(topic)
        if levels[-1] != "#" and key.topic_level >= len(levels):
            what = f"must be below {len(levels)}, for so many levels has {topic} (is {key.topic_level})"
            yield Mistake("key.topic_level", what, "levels are counted from 0")


def filter_levels(topic: str) -> list[str]:
    """Levels of a topic filter, without the $share/<group> of a shared subscription."""
    levels = topic.split("/")
    return levels[2:] if levels[0] == "$share" else levels
