"""Stages that are the daemon's own source and sinks: `mqtt_subscribe` and `mqtt_publish`.

A stage `mqtt_publish` becomes an entry of `sinks:` under the stage's name that takes the stage's records, a stage
`mqtt_subscribe` becomes the `source:`, or, where there are several, the entry `<stage>.in` of `sources:`. That happens
to the file's plain data, before there are types, so that whatever is checked and promised of sinks and sources holds
for these; mistakes in them are put in the stage's words.
"""

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import msgspec
from pydantic import TypeAdapter, ValidationError

from riot_tasks import Task
from riot_tasks.io.mqtt_publish import MqttPublish
from riot_tasks.io.mqtt_subscribe import MqttSubscribe
from riotd import catalog
from riotd.config.blocks import MqttSink, Sink, StageBlock
from riotd.config.connection import Secret
from riotd.config.inlets import AnyEntry
from riotd.config.inputs import Source
from riotd.errors import Mistake

PUBLISH, SUBSCRIBE = "mqtt_publish", "mqtt_subscribe"
BLOCKS = {"source": SUBSCRIBE, "sinks": PUBLISH}
"""Keys of a file that such a stage stands for."""

Owners = Mapping[str, str]
"""Path of a block that a stage stands for, to the stage's: {"sinks.publish": "stages[3]"}."""

_TASKS: dict[str, type[Task]] = {PUBLISH: MqttPublish, SUBSCRIBE: MqttSubscribe}
_DIRECT = {kind: frozenset(signature(task).parameters) - {"options"} for kind, task in _TASKS.items()}
"""Parameters that are keys of the block; what else the block has is in `options`."""
_PLACES = {f"{task.__module__}:{task.__name__}": kind for kind, task in _TASKS.items()}
"""The two as `module:Class`."""
_OF_SINK = frozenset(MqttSink.model_fields) - {"type", "stages", "connection"}
"""Parameters that are keys of the sink; all others are of its connection."""


class Expanded(msgspec.Struct, frozen=True):
    """A file's mapping with the blocks its stages stand for, which those are, and what is wrong with that."""

    data: dict[str, Any]
    owners: Owners
    mistakes: list[Mistake]


class _Endpoint(msgspec.Struct, frozen=True):
    """A stage that stands for a block.

    Attributes:
        index: its place in `stages:`.
        kind: `mqtt_publish` or `mqtt_subscribe`.
        name: its id.
        params: as the file has them.
        first: whether it takes the messages themselves.
        source: the name of the source it becomes; "" if that is the single one, and of a sink.
    """

    index: int
    kind: str
    name: str
    params: Mapping[str, Any]
    first: bool
    source: str

    @property
    def where(self) -> str:
        return f"stages[{self.index}]"

    @property
    def path(self) -> str:
        source = f"sources.{self.source}" if self.source else "source"
        return f"sinks.{self.name}" if self.kind == PUBLISH else source

    def block(self) -> dict[str, Any]:
        """The block it stands for, as it would be written."""
        options = self.params.get("options")
        given = {**(options if isinstance(options, Mapping) else {}), **self.params}
        given.pop("options", None)
        if self.kind == SUBSCRIBE:
            return {"type": "mqtt", **given}
        sink = {key: value for key, value in given.items() if key in _OF_SINK}
        connection = {key: value for key, value in given.items() if key not in _OF_SINK and value is not None}
        return {"type": "mqtt", **sink, "from": [self.name], **({"connection": connection} if connection else {})}


def names(kind: str) -> list[str]:
    """What a stage's `task` may say for one of the two; upper and lower case make no difference besides."""
    places = [place for place, task in _PLACES.items() if task == kind]
    return [kind, *filter(None, catalog.RIOTBENCH[kind]), *places]


def expanded(data: dict[str, Any]) -> Expanded:
    """The file's mapping with the source and the sinks its stages stand for; `data` stays as it is."""
    stages = data.get("stages")
    found = _endpoints(stages, several=bool(data.get("sources"))) if isinstance(stages, list) else []
    if not found:
        return Expanded(data, {}, [])
    whole = {**data, "stages": list(data["stages"])}
    owners: dict[str, str] = {}
    mistakes = []
    for each in found:
        if mistake := _put(whole, each):
            mistakes.append(mistake)
            continue
        owners[each.path] = each.where
        stage = _without_bad_secret(data["stages"][each.index])
        whole["stages"][each.index] = {**stage, "after": [each.source]} if each.source else stage
    return Expanded(whole, owners, mistakes)


def stood_for(stages: Sequence[StageBlock]) -> dict[str, str]:
    """Ids of a right configuration's stages to the paths of the blocks they stand for."""
    return {each.name: each.path for each in _of(stages)}


def owners(stages: Sequence[StageBlock]) -> Owners:
    """The same the other way round, with the stages' paths."""
    return {each.path: each.where for each in _of(stages)}


def _of(stages: Sequence[StageBlock]) -> list[_Endpoint]:
    return _endpoints([stage.model_dump(by_alias=True) for stage in stages])


def relocated(mistake: Mistake, owners: Owners) -> Mistake:
    """A mistake in a block that a stage stands for, as one of the stage's parameters; any other as it is."""
    for path, stage in owners.items():
        rest = mistake.where.removeprefix(path)
        if mistake.where.startswith(path) and rest[:1] in {"", ".", "["}:
            kind = PUBLISH if path.startswith("sinks.") else SUBSCRIBE
            # of what such a stage subscribes to, the key can only be the top-level one
            where = "key" if rest == ".key" else f"{stage}.params{_parameter(kind, rest)}"
            remedy = mistake.remedy.replace("connection: {url: …}", "url: mqtt://host:1883")
            return Mistake(where, mistake.what, remedy)
    return mistake


def _parameter(kind: str, rest: str) -> str:
    """The parameter that a path within the block is about."""
    if rest == ".connection":
        return ".url"
    inner = rest.removeprefix(".connection").removeprefix(".")
    key = inner.partition(".")[0].partition("[")[0]
    return f".{inner}" if key in _DIRECT[kind] else f".options.{inner}" if inner else ""


def _endpoints(stages: Sequence[object], *, several: bool = False) -> list[_Endpoint]:
    """The stages that stand for blocks; `several` says that there are named sources beside theirs."""
    kinds = [_kind(stage.get("task")) if isinstance(stage, dict) else "" for stage in stages]
    several = several or kinds.count(SUBSCRIBE) > 1
    return [
        _endpoint(index, kind, name, stage, several=several)
        for index, (stage, kind) in enumerate(zip(stages, kinds, strict=True))
        if isinstance(stage, dict) and kind and isinstance(name := stage.get("id", stage["task"]), str)
    ]


def _endpoint(index: int, kind: str, name: str, stage: Mapping[str, Any], *, several: bool) -> _Endpoint:
    after, source = stage.get("after"), f"{name}.in"  # not the stage's own name, for both are names to take from
    own = after == [source]
    first = own or (not after and (index == 0 or after is not None))
    source = source if kind == SUBSCRIBE and (several or own) else ""
    return _Endpoint(index, kind, name, _mapping(stage.get("params")), first, source)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _kind(task: object) -> str:
    """Which of the two a stage's task is, by any of its names, or ""."""
    if not isinstance(task, str) or task in _PLACES:
        return _PLACES.get(str(task), "")
    try:
        name = catalog.resolve(task)
    except catalog.TaskNotFound:
        return ""
    return name if name in _TASKS else ""


def _put(whole: dict[str, Any], each: _Endpoint) -> Mistake | None:
    """Put the block where the file would have it; what is wrong if that can't be."""
    block, there = each.block(), ""
    if each.kind == PUBLISH:
        if not _entered(whole, "sinks", each.name, block, kind=Sink):
            return Mistake(each.where, f"there is a sink {each.name!r} too", "rename one, or keep one of the two")
        return None
    if not each.first:
        return Mistake(each.where, "takes from the broker, not from a stage", "put it first, or write after: []")
    single = whole.get("source")
    if single is not None and (each.source or not _same(Source, single, block)):
        there = "source:"
    elif each.source and not _entered(whole, "sources", each.source, block, kind=AnyEntry):
        there = f"source {each.source!r}"
    elif not each.source:
        whole["source"] = block
    return Mistake(each.where, f"there is a {there} too", "keep one of the two") if there else None


def _entered(whole: dict[str, Any], blocks: str, name: str, block: dict[str, Any], *, kind: Any) -> bool:  # noqa: ANN401 - one of the file's types
    """Put an entry among its like; False if there is another one under its name."""
    known = whole.get(blocks) or {}
    if not isinstance(known, dict):
        return True  # which is a mistake by itself
    there = known.get(name, block)
    whole[blocks] = {**known, name: there}
    return there is block or _same(kind, there, block)


def _same(kind: Any, one: object, other: object) -> bool:  # noqa: ANN401 - one of the file's types
    """Whether two blocks say the same: the settings in force, printed and read again, have both."""
    adapter = TypeAdapter(kind)
    try:
        return bool(adapter.validate_python(one) == adapter.validate_python(other))
    except ValidationError:
        return False


def _without_bad_secret(stage: dict[str, Any]) -> dict[str, Any]:
    """The stage without a password that is no reference: the block says so, and says it without the password."""
    params = stage.get("params")
    if not isinstance(params, dict) or params.get("password") is None:
        return stage
    try:
        Secret.model_validate(params["password"])
    except ValidationError:
        return {**stage, "params": {key: value for key, value in params.items() if key != "password"}}
    return stage
