"""From the file's blocks to the plan that shards run."""

from collections.abc import Collection, Sequence

import msgspec

from riotd.config.blocks import Config, FileSink, MqttSink, StageBlock
from riotd.config.keying import stage_key
from riotd.dataflow import Outlet, Plan, Stage, chain, ends, ordered
from riotd.templates import TopicTemplate


def graph(blocks: Sequence[StageBlock]) -> list[Stage]:
    """The stages in the file's order, each with what it takes from."""
    return chain([_stage(block) for block in blocks], [block.after is not None for block in blocks])


def among(stages: Sequence[Stage], *, outputs: bool) -> list[Stage]:
    """The stages with nothing but stages of theirs in `after`.

    Args:
        stages: with sources, and outputs as `<stage>/<output>`, in it.
        outputs: whether who takes such an output counts as taking from the stage.
    """
    ids = {stage.id for stage in stages}
    return [msgspec.structs.replace(stage, after=_ids(stage.after, ids, outputs=outputs)) for stage in stages]


def _ids(names: Sequence[str], known: Collection[str], *, outputs: bool) -> tuple[str, ...]:
    found = [name.partition("/")[0] if outputs else name for name in names]
    return tuple(name for name in found if name in known)


def plan(config: Config, path: Sequence[str] = ()) -> Plan:
    """What every shard needs to know.

    Args:
        config: as `load` gave it.
        path: entries to put in front of `sys.path` before tasks are loaded.
    """
    stages = {stage.id: stage for stage in graph(config.stages)}
    order = ordered(among(list(stages.values()), outputs=True))
    last = ends(among(list(stages.values()), outputs=False))
    return Plan(
        stages=tuple(stages[stage.id] for stage in order),
        outlets=tuple(_outlet(name, sink, last) for name, sink in config.sinks.items()),
        max_keys=config.engine.max_keys,
        idle=config.engine.idle,
        path=tuple(path),
        shards=config.engine.shards,
        sources=tuple(inlet.name for inlet in config.inlets if inlet.name),
    )


def _stage(block: StageBlock) -> Stage:
    return Stage(block.id, block.task, dict(block.params), tuple(block.after or ()), stage_key(block.key or ()))


def _outlet(name: str, sink: MqttSink | FileSink, last: tuple[str, ...]) -> Outlet:
    stages = last if sink.stages is None else tuple(sink.stages)
    topics = isinstance(sink, MqttSink) and TopicTemplate(sink.topic).uses_topic
    return Outlet(name, stages, sink.format, topics)
