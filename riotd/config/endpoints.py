"""Stages that are the daemon's own source and sinks: `mqtt_subscribe` and `mqtt_publish`.

A stage `mqtt_publish` becomes an entry of `sinks:` under the stage's name that takes the stage's records, a stage
`mqtt_subscribe` becomes the `source:`. That happens to the file's plain data, before there are types, so that
whatever is checked and promised of sinks and sources holds for these; mistakes in them are put in the stage's words.
"""

from collections.abc import Iterator, Mapping, Sequence
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
    """

    index: int
    kind: str
    name: str
    params: Mapping[str, Any]
    first: bool

    @property
    def where(self) -> str:
        return f"stages[{self.index}]"

    @property
    def path(self) -> str:
        return f"sinks.{self.name}" if self.kind == PUBLISH else "source"

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
    found = list(_endpoints(stages)) if isinstance(stages, list) else []
    if not found:
        return Expanded(data, {}, [])
    whole = {**data, "stages": list(data["stages"])}
    owners: dict[str, str] = {}
    mistakes = []
    for each in found:
        if mistake := _misplaced(each, owners) or _put(whole, each):
            mistakes.append(mistake)
            continue
        owners[each.path] = each.where
        whole["stages"][each.index] = _without_bad_secret(data["stages"][each.index])
    return Expanded(whole, owners, mistakes)


def stood_for(stages: Sequence[StageBlock]) -> dict[str, str]:
    """Ids of a right configuration's stages to the paths of the blocks they stand for."""
    return {each.name: each.path for each in _of(stages)}


def owners(stages: Sequence[StageBlock]) -> Owners:
    """The same the other way round, with the stages' paths."""
    return {each.path: each.where for each in _of(stages)}


def _of(stages: Sequence[StageBlock]) -> Iterator[_Endpoint]:
    return _endpoints([stage.model_dump(by_alias=True) for stage in stages])


def relocated(mistake: Mistake, owners: Owners) -> Mistake:
    """A mistake in a block that a stage stands for, as one of the stage's parameters; any other as it is."""
    for path, stage in owners.items():
        rest = mistake.where.removeprefix(path)
        if mistake.where.startswith(path) and rest[:1] in {"", ".", "["}:
            kind = SUBSCRIBE if path == "source" else PUBLISH
            where = f"{stage}.params{_parameter(kind, rest)}"
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


def _endpoints(stages: Sequence[object]) -> Iterator[_Endpoint]:
    for index, stage in enumerate(stages):
        kind = _kind(stage.get("task")) if isinstance(stage, dict) else ""
        if not isinstance(stage, dict) or not kind:
            continue
        name, params, after = stage.get("id", stage["task"]), stage.get("params"), stage.get("after")
        if isinstance(name, str):
            given = params if isinstance(params, dict) else {}
            yield _Endpoint(index, kind, name, given, first=not after and (index == 0 or after is not None))


def _kind(task: object) -> str:
    """Which of the two a stage's task is, by any of its names, or ""."""
    if not isinstance(task, str) or task in _PLACES:
        return _PLACES.get(str(task), "")
    try:
        name = catalog.resolve(task)
    except catalog.TaskNotFound:
        return ""
    return name if name in _TASKS else ""


def _misplaced(each: _Endpoint, owners: Owners) -> Mistake | None:
    if each.kind == PUBLISH:
        return None
    if not each.first:
        return Mistake(each.where, "takes from the broker, not from a stage", "put it first, or write after: []")
    if each.path in owners:
        first = owners[each.path]
        return Mistake(each.where, f"{first} is the source already", "there is one: give it the topics of both")
    return None


def _put(whole: dict[str, Any], each: _Endpoint) -> Mistake | None:
    """Put the block where the file would have it; what is wrong if another one is there."""
    block = each.block()
    if each.kind == SUBSCRIBE:
        there = whole.setdefault("source", block)
        same = there is block or _same(Source, there, block)
        return None if same else Mistake(each.where, "there is a source: too", "keep one of the two")
    sinks = whole.get("sinks") or {}
    if not isinstance(sinks, dict):
        return None  # which is a mistake by itself
    there = sinks.get(each.name, block)
    whole["sinks"] = {**sinks, each.name: there}
    same = there is block or _same(Sink, there, block)
    return (
        None
        if same
        else Mistake(each.where, f"there is a sink {each.name!r} too", "rename one, or keep one of the two")
    )


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
