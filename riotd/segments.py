"""Where the key changes: which stage runs in which pass of a batch, and which records pass on between shards.

All stages of one level run in one pass, on the shards that have their records already. A stage whose key the
records' present place does not serve takes them by an exchange: it is a level further on, the records travel to the
shard of their key. A key that only refines the present one (`[source, name]` where the records are placed by
`source`) needs no exchange.
"""

import msgspec

from riotd.dataflow import Plan, Stage

BY_SOURCE = ("source",)
"""The key of raw messages, and of all stages that do not say another."""


class Input(msgspec.Struct, frozen=True):
    """One of the things a stage takes from.

    Attributes:
        name: `<stage>`, `<stage>/<output>`, a source's name, or "" for all raw messages.
        stage: id of the stage, "" for raw messages.
        edge: number of the exchange it comes by, among all of the plan's; None if the shard has it already.
        level: the pass that its records come from.
        key: the key they have there.
        exact: whether that is the stage's key.
    """

    name: str
    stage: str
    edge: int | None
    level: int
    key: tuple[str, ...]
    exact: bool

    @property
    def late(self) -> bool:
        """Whether records of one message may come from several shards, so that their keys decide their order."""
        return self.level > 0


class Step(msgspec.Struct, frozen=True):
    """A stage with its place.

    Attributes:
        stage: as the plan has it.
        level: the pass it runs in.
        key: parts of what its instances are kept by, never empty.
        placement: the key that its records are placed by: a part of `key`, or all of it.
        inputs: in the order of `after`.
    """

    stage: Stage
    level: int
    key: tuple[str, ...]
    placement: tuple[str, ...]
    inputs: tuple[Input, ...]

    @property
    def by_own_source(self) -> bool:
        """Whether its instances are kept by what the records themselves say is their source."""
        return self.level == 0 and self.key == BY_SOURCE


def arranged(plan: Plan) -> list[Step]:
    """The plan's stages, in its order, each with its place."""
    steps: dict[str, Step] = {}
    edges = 0
    for stage in plan.stages:
        taken = [(name, _origin(name, steps)) for name in stage.after or ("",)]
        key = stage.key or _key(taken[0][1])
        level = max(_level(step) + (not _serves(step, key)) for _, step in taken)
        here = {_placement(step) for _, step in taken if _level(step) == level}
        if len(here) > 1:  # each serves the key, but not in the same way: they meet a level further on
            level, here = level + 1, set()
        inputs = []
        for name, step in taken:
            edge = edges if _level(step) < level else None
            edges += edge is not None
            have = _key(step)
            inputs.append(Input(name, step.stage.id if step else "", edge, _level(step), have, key == have))
        placement = here.pop() if here else key
        steps[stage.id] = Step(stage, level, key, placement, tuple(inputs))
    return list(steps.values())


def passes(plan: Plan) -> int:
    """How often a batch goes to the shards: once for each level, and once in all where one shard has everything."""
    return 1 if plan.shards == 1 else max((step.level for step in arranged(plan)), default=0) + 1


def entrances(plan: Plan) -> dict[str, tuple[int, ...]]:
    """Ids of the stages that get every message of some sources in the first pass, and those sources; () is all."""
    found = {}
    for step in arranged(plan):
        names = [each.name for each in step.inputs]
        if (plan.shards == 1 or step.level == 0) and not any(each.stage for each in step.inputs):
            found[step.stage.id] = () if "" in names else tuple(plan.sources.index(name) for name in names)
    return found


def _origin(name: str, steps: dict[str, Step]) -> Step | None:
    """The step a name is of; None for raw messages."""
    return steps.get(name.partition("/")[0]) if name else None


def _key(step: Step | None) -> tuple[str, ...]:
    return step.key if step else BY_SOURCE


def _level(step: Step | None) -> int:
    return step.level if step else 0


def _placement(step: Step | None) -> tuple[str, ...]:
    return step.placement if step else BY_SOURCE


def _serves(step: Step | None, key: tuple[str, ...]) -> bool:
    """Whether records that are placed as this step's are where a stage of this key wants them."""
    return set(_placement(step)) <= set(key)
