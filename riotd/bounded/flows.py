"""What a run does: one task, or a configuration's dataflow; checked before the first record."""

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from inspect import signature

import msgspec

from riot_tasks.record import Record
from riotd import catalog
from riotd.bounded.forms import Form
from riotd.dataflow import Outlet, Plan, Stage
from riotd.errors import ConfigError, Mistake
from riotd.segments import passes

_NAMING = ("fields", "field", "ranges", "features", "target", "actual", "item", "trigger", "by")
"""Parameters that say which fields a task works on; those of `ranges` are its keys."""
_OF_RECORDS = ("source", "id", "time")
"""What they may say that is no field."""
_TABLES = "rows"
"""The parameter that names a field with rows, in which the others' fields then are."""


class Flow(msgspec.Struct, frozen=True):
    """Stages that are right in themselves, and what they were asked to do.

    Attributes:
        name: the task's, or the configuration's.
        stages: ordered; those without `after` take what comes in.
        outlets: ids of the stages whose records are the results.
        key: the field that says who, if a configuration says so.
        max_keys: task instances one stage keeps in one shard.
        path: entries to put in front of `sys.path` before tasks are loaded.
        engine: where a configuration wants it to run; "" if nobody said.
        shards: on how many.
        address: of the Ray cluster it wants.
    """

    name: str
    stages: tuple[Stage, ...]
    outlets: tuple[str, ...]
    key: str | None = None
    max_keys: int = 1_000_000
    path: tuple[str, ...] = ()
    engine: str = ""
    shards: int = 1
    address: str | None = None

    @property
    def wants_payload(self) -> bool:
        """Whether every first stage does."""
        return all(wants_payload(stage) for stage in self.stages if not stage.after)

    @property
    def stateful(self) -> bool:
        """Whether any task remembers what came before."""
        return any(catalog.find(stage.task).stateful for stage in self.stages)

    def plan(self, form: Form, encoding: str) -> Plan:
        """What shards run: stages for the form in front of those that take what comes in.

        Args:
            form: of the input.
            encoding: of the results, a name of `riotd.formats.ENCODERS`.
        """
        taken = {stage.id for stage in self.stages}
        bare, front = _named(form.bare, taken), _named(form.front, taken)
        stages = []
        for stage in self.stages:
            first = None if stage.after else bare if wants_payload(stage) else front
            stages.append(stage if first is None else msgspec.structs.replace(stage, after=(first.id,)))
        used = {name for stage in stages for name in stage.after}
        firsts = [first for first in (bare, front) if first is not None and first.id in used]
        outlet = Outlet("results", self.outlets, encoding)
        return Plan((*firsts, *stages), (outlet,), max_keys=self.max_keys, path=self.path)


def usable(plan: Plan, shards: Sequence[int]) -> Sequence[int]:
    """Those of the shards that a plan may be divided over.

    It is one where a stage has a key of its own for which records would have to pass between shards: in a run over
    files each shard keeps to itself.
    """
    apart = passes(msgspec.structs.replace(plan, shards=2)) == 1
    return shards if apart else shards[:1]


def wants_payload(stage: Stage) -> bool:
    """Whether a stage's task reads raw messages."""
    return catalog.wants_payload(catalog.find(stage.task), stage.params)


def check_fields(flow: Flow, form: Form, sample: Iterable[Record]) -> None:
    """See that the fields which a single task is told to work on are in the input.

    Raises:
        ConfigError: one of them is in none of the records, of which there are some.
    """
    found = dict.fromkeys(name for record in sample for name in record.values)
    if not found or len(flow.stages) > 1 or flow.wants_payload:
        return
    stage = flow.stages[0]
    table = signature(catalog.find(stage.task)).parameters.get(_TABLES)
    if table is not None and stage.params.get(_TABLES, table.default) in found:
        return
    where = "among the columns of the input" if form.name == "csv" else "in the first records of the input"
    mistakes = [
        Mistake(f"{flow.name}.{parameter}", f"there is no field {name!r} {where}", meant(name, found))
        for parameter in _NAMING
        for name in _names(stage.params.get(parameter))
        if name not in found and name not in _OF_RECORDS
    ]
    if mistakes:
        raise ConfigError(mistakes)


def sampled(form: Form, lines: Sequence[bytes], keys: Sequence[str]) -> list[Record]:
    """The records that the form's first stage makes of some lines; those it refuses are left out."""
    if form.front is None:
        return []
    front = catalog.find(form.front.task)(**form.front.params)
    records: list[Record] = []
    for line, key in zip(lines, keys, strict=True):
        try:
            records += front.process(Record(0, key, 0.0, {"payload": line}))
        except Exception:  # noqa: BLE001, S112 - each line's fate is told when it is run
            continue
    return records


def _named(stage: Stage | None, taken: Collection[str]) -> Stage | None:
    """The stage under an id that is not taken."""
    if stage is None or stage.id not in taken:
        return stage
    return _named(msgspec.structs.replace(stage, id=f"{stage.id}_"), taken)


def _names(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [name for name in value if isinstance(name, str)] if isinstance(value, list | tuple | dict) else []


def meant(name: str, found: Iterable[str]) -> str:
    """A suggestion for a field that is not there: the nearest, else what there is."""
    if close := get_close_matches(name, found := list(found), n=1):
        return f"did you mean {close[0]!r}?"
    return f"there are {', '.join(found)}"
