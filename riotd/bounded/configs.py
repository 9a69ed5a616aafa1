"""The dataflow of a configuration: its stages and key, without the source and the sinks it has as a daemon."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from riotd import config as cfg
from riotd.bounded.flows import Flow
from riotd.config.checks import across
from riotd.config.layers import layered
from riotd.config.mistakes import translate
from riotd.config.parts import whole
from riotd.dataflow import Stage
from riotd.errors import ConfigError, Mistake

_KEPT = ("name", "stages", "engine")


def from_config(file: Path, overrides: Mapping[str, Any], path: Sequence[str], *, overlays: Sequence[str] = ()) -> Flow:
    """The flow in a file.

    The engine counts unless the caller says another; the key where it is a field, since lines have no topics.
    Results are the records that its sinks take.

    Args:
        file: the YAML.
        overrides: dotted key to value.
        path: as `naming.flow` has it.
        overlays: as `riotd.config.load` has them.

    Raises:
        ConfigError: it is wrong; the source, sinks and all else that such a run does not use are not looked at.
    """
    layers, mistakes = layered(file, overlays, [f"{key}={_yaml(value)}" for key, value in overrides.items()])
    config, found = _checked(_reduced(layers.data))
    mistakes += [msgspec.structs.replace(each, where=f"{layers.origin(each.where)}: {each.where}") for each in found]
    if config is None or mistakes:
        raise ConfigError(mistakes)
    return _flow(config, path)


def _yaml(value: object) -> str:
    """A value on one line; not JSON, which has no infinity."""
    return yaml.safe_dump(value, default_flow_style=True, width=math.inf).removesuffix("...\n").strip()


def _reduced(data: Mapping[str, Any]) -> dict[str, Any]:
    """The file with sinks that say only which stages they take, and a source that is there."""
    sinks = data.get("sinks")
    taken = {
        str(name): {"from": sink["from"]} if isinstance(sink, dict) and "from" in sink else {}
        for name, sink in (sinks.items() if isinstance(sinks, dict) else ())
    }
    key, sources = data.get("key"), data.get("sources")
    kept = {name: data[name] for name in _KEPT if name in data}
    file = {"type": "file", "path": "input"}
    return {
        **kept,
        **({"sources": dict.fromkeys(sources, file)} if isinstance(sources, dict) and sources else {"source": file}),
        "key": {"field": key["field"]} if isinstance(key, dict) and "field" in key else {},
        "sinks": {name: {"type": "file", "path": name, **sink} for name, sink in (taken or {"results": {}}).items()},
    }


def _checked(data: dict[str, Any]) -> tuple[cfg.Config | None, list[Mistake]]:
    try:
        config = cfg.Config.model_validate(data)
    except ValueError as error:
        return None, translate(error)  # type: ignore[arg-type]  # pydantic's, which only riotd.config may name
    return config, [*across(whole(config)), *_beyond(config)]


def _beyond(config: cfg.Config) -> Iterator[Mistake]:
    """What a daemon can do, and a run over one file can't."""
    if len(config.sources) > 1:
        what = f"{', '.join(config.sources)} are several, and a run over files has one input"
        yield Mistake("sources", what, "take the stages of one of them into a configuration of their own")
    for index, stage in enumerate(config.stages):
        if len(stage.after or ()) > 1 and set(config.sources) & set(stage.after or ()):
            yield Mistake(f"stages[{index}].after", "has messages and records, and a run over files can't mix them")


def _flow(config: cfg.Config, path: Sequence[str]) -> Flow:
    plan = cfg.plan(config, path)
    stages = [_taking_all(stage, plan.sources) for stage in plan.stages]
    wanted = {name for outlet in plan.outlets for name in outlet.stages}
    return Flow(
        config.name,
        tuple(stages),
        tuple(name for stage in stages for name in sorted(wanted) if name.partition("/")[0] == stage.id),
        key=config.key.field,
        max_keys=plan.max_keys,
        path=plan.path,
        engine=config.engine.type,
        shards=config.engine.shards,
        address=config.engine.address,
    )


def _taking_all(stage: Stage, sources: Sequence[str]) -> Stage:
    """The stage; what it takes of the only source, if that has a name, is all there is."""
    return msgspec.structs.replace(stage, after=()) if set(stage.after) & set(sources) else stage
