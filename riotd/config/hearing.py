"""Whether what every shard must hear gets to all of them: no exchange may stand in its way."""

from collections.abc import Iterator, Sequence

from riotd import catalog
from riotd.dataflow import Plan, Stage, ordered
from riotd.errors import Mistake
from riotd.segments import Step, arranged


def unheard(
    stages: Sequence[Stage], within: Sequence[Stage], sources: Sequence[str], every: Sequence[str]
) -> Iterator[Mistake]:
    """Stages whose one instance for all keys of a shard would hear of a model in one shard only.

    An exchange hands each record to the one shard of its key; so what is for every shard must not come by one, unless
    all else that the stage takes goes to the same shard.

    Args:
        stages: in the file's order; a graph without mistakes.
        within: the same with nothing but stages in `after`.
        sources: names of the sources.
        every: of them those whose messages are for every shard.
    """
    order = {stage.id: stage for stage in stages}
    plan = Plan(tuple(order[stage.id] for stage in ordered(within)), shards=2, sources=tuple(sources))
    crossed: dict[str, str] = {}  # of what follows from messages for every shard, the first stage behind an exchange
    reached = {*every, ""} if every else set()  # "" is the messages of all sources
    for step in arranged(plan):
        told = [each for each in step.inputs if (each.stage or each.name) in reached]
        if not told:
            continue
        reached.add(step.stage.id)
        behind = next((crossed[each.stage] for each in told if each.stage in crossed), "")
        if behind or any(each.edge is not None for each in told):
            crossed[step.stage.id] = behind or step.stage.id
            yield from _deaf(step, crossed[step.stage.id], list(order).index(step.stage.id))


def _deaf(step: Step, behind: str, index: int) -> Iterator[Mistake]:
    task = catalog.find(step.stage.task)
    if not (task.shared and task.stateful) or step.placement == ("one",):
        return
    where = "its own key" if behind == step.stage.id else f"the key of {behind!r}"
    what = f"one shard only would hear what is for every shard: {where} has it passed on to the shard of that key"
    yield Mistake(
        f"stages[{index}].after", what, "keep key: out of the way of such messages, from their source to here"
    )
