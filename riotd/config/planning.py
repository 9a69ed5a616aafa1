"""From the file's blocks to the plan that shards run."""

from collections.abc import Sequence

from riotd.config.blocks import Config, FileSink, MqttSink, StageBlock
from riotd.dataflow import Outlet, Plan, Stage, chain, ends, ordered
from riotd.templates import TopicTemplate


def graph(blocks: Sequence[StageBlock]) -> list[Stage]:
    """The stages in the file's order, each with what it takes from."""
    stages = [Stage(block.id, block.task, dict(block.params), tuple(block.after or ())) for block in blocks]
    return chain(stages, [block.after is not None for block in blocks])


def plan(config: Config, path: Sequence[str] = ()) -> Plan:
    """What every shard needs to know.

    Args:
        config: as `load` gave it.
        path: entries to put in front of `sys.path` before tasks are loaded.
    """
    stages = graph(config.stages)
    last = ends(stages)
    return Plan(
        stages=ordered(stages),
        outlets=tuple(_outlet(name, sink, last) for name, sink in config.sinks.items()),
        max_keys=config.engine.max_keys,
        idle=config.engine.idle,
        path=tuple(path),
    )


def _outlet(name: str, sink: MqttSink | FileSink, last: tuple[str, ...]) -> Outlet:
    stages = last if sink.stages is None else tuple(sink.stages)
    topics = isinstance(sink, MqttSink) and TopicTemplate(sink.topic).uses_topic
    return Outlet(name, stages, sink.format, topics)
