"""The graph of stages: what runs after what, and which results leave it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from riotd.errors import Mistake


class Stage(msgspec.Struct, frozen=True):
    """One task of a dataflow.

    Attributes:
        id: its name in the dataflow.
        task: a registered task's name, RIoTBench's code or factory name, or `module:Class`.
        params: the task's constructor arguments.
        after: what it takes its records from: ids of stages, `<stage>/<output>` for another output of a stage's task
            (`Task.asides`), names of sources for their raw messages; empty means all raw messages.
        key: what its task instances are kept by, as parts: `source` (the record's), `name` (of its only field),
            `.<field>` (the field's value, or what the meta says), `one` (the same for all). Empty means as what it
            takes from.
    """

    id: str
    task: str
    params: dict[str, Any] = {}
    after: tuple[str, ...] = ()
    key: tuple[str, ...] = ()


class Outlet(msgspec.Struct, frozen=True):
    """What one sink wants: records of which stages, encoded how.

    Attributes:
        sink: the sink's name in the config.
        stages: ids of the stages.
        format: `senml` (a compact RFC 8428 pack), `senml+cbor`, `json` (id, source, time, values, units, meta) or `raw`
            (the bytes or the text of its only field).
        topics: whether results must carry the topic of their source message.
    """

    sink: str
    stages: tuple[str, ...]
    format: str = "senml"
    topics: bool = False


class Plan(msgspec.Struct, frozen=True):
    """Everything a shard needs to know; plain data, so that it travels.

    Attributes:
        stages: in an order in which every stage comes after those it takes from.
        outlets: one for each sink.
        max_keys: task instances one stage keeps in one shard; past it the longest unused are dropped.
        idle: seconds of feed time after which an unused instance is dropped; 0 means never.
        path: entries to put in front of `sys.path` before tasks are loaded.
        shards: how many share the keys; they pass records on where a stage has another key.
        sources: names of the sources that stages may take from; empty if there is but one, without a name.
    """

    stages: tuple[Stage, ...]
    outlets: tuple[Outlet, ...] = ()
    max_keys: int = 1_000_000
    idle: float = 0.0
    path: tuple[str, ...] = ()
    shards: int = 1
    sources: tuple[str, ...] = ()


def chain(stages: Sequence[Stage], explicit: Sequence[bool]) -> list[Stage]:
    """Stages with every unsaid `after` filled in: the stage before it in the file.

    Args:
        stages: in the file's order.
        explicit: whether the file said `after` for it.
    """
    previous: tuple[str, ...] = ()
    chained = []
    for stage, said in zip(stages, explicit, strict=True):
        chained.append(stage if said else msgspec.structs.replace(stage, after=previous))
        previous = (stage.id,)
    return chained


def graph_mistakes(stages: Sequence[Stage]) -> list[Mistake]:
    """What is wrong with the graph: ids twice, unknown ids, cycles. Empty if it can be run."""
    mistakes = []
    ids = [stage.id for stage in stages]
    for index, stage in enumerate(stages):
        where = f"stages[{index}]"
        if stage.id in ids[:index]:
            first = ids.index(stage.id)
            mistakes.append(Mistake(f"{where}.id", f"{stage.id!r} is also the id of stages[{first}]", "rename one"))
        mistakes += [
            Mistake(f"{where}.after", f"there is no stage {name!r}", f"stages are {', '.join(ids)}")
            for name in stage.after
            if name not in ids
        ]
    if not mistakes and (loop := _cycle(stages)):
        mistakes.append(Mistake("stages", f"{' → '.join(loop)} is a cycle", "a stage may only take from earlier ones"))
    return mistakes


def ordered(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages so that each comes after those it takes from, the file's order kept where it may be."""
    done: list[Stage] = []
    names: set[str] = set()
    waiting = list(stages)
    while waiting:
        ready = next(stage for stage in waiting if names.issuperset(stage.after))
        waiting.remove(ready)
        done.append(ready)
        names.add(ready.id)
    return tuple(done)


def ends(stages: Sequence[Stage]) -> tuple[str, ...]:
    """Ids of the stages no other stage takes from."""
    taken = {name for stage in stages for name in stage.after}
    return tuple(stage.id for stage in stages if stage.id not in taken)


def _cycle(stages: Sequence[Stage]) -> list[str]:
    """The ids along one cycle, first and last the same; empty if there is none."""
    after = {stage.id: stage.after for stage in stages}
    finished: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in finished:
            return []
        for other in after[name]:
            if loop := visit(other, [*trail, name]):
                return loop
        finished.add(name)
        return []

    for stage in stages:
        if loop := visit(stage.id, []):
            return loop[::-1]
    return []
