"""The dataflow of a configuration: its stages and key, without the source and the sinks it has as a daemon."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from riotd import config as cfg
from riotd.bounded.flows import Flow
from riotd.config import document
from riotd.config.checks import across
from riotd.config.mistakes import translate
from riotd.config.parts import whole
from riotd.errors import ConfigError, Mistake

_KEPT = ("name", "stages", "engine")


def from_config(file: Path, overrides: Mapping[str, Any], path: Sequence[str]) -> Flow:
    """The flow in a file.

    The engine counts unless the caller says another; the key where it is a field, since lines have no topics.
    Results are the records that its sinks take.

    Args:
        file: the YAML.
        overrides: dotted key to value.
        path: as `naming.flow` has it.

    Raises:
        ConfigError: it is wrong; the source, sinks and all else that such a run does not use are not looked at.
    """
    data, mistakes = document.read(file)
    if data is None:
        raise ConfigError(mistakes)
    _, wrong = document.override(data, [f"{key}={_yaml(value)}" for key, value in overrides.items()])
    config, found = _checked(_reduced(data))
    mistakes += wrong + [msgspec.structs.replace(each, where=f"{file}: {each.where}") for each in found]
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
    key = data.get("key")
    kept = {name: data[name] for name in _KEPT if name in data}
    return {
        **kept,
        "source": {"type": "file", "path": "input"},
        "key": {"field": key["field"]} if isinstance(key, dict) and "field" in key else {},
        "sinks": {name: {"type": "file", "path": name, **sink} for name, sink in (taken or {"results": {}}).items()},
    }


def _checked(data: dict[str, Any]) -> tuple[cfg.Config | None, list[Mistake]]:
    try:
        config = cfg.Config.model_validate(data)
    except ValueError as error:
        return None, translate(error)  # type: ignore[arg-type]  # pydantic's, which only riotd.config may name
    return config, across(whole(config))


def _flow(config: cfg.Config, path: Sequence[str]) -> Flow:
    plan = cfg.plan(config, path)
    wanted = {stage for outlet in plan.outlets for stage in outlet.stages}
    return Flow(
        config.name,
        plan.stages,
        tuple(stage.id for stage in plan.stages if stage.id in wanted),
        key=config.key.field,
        max_keys=plan.max_keys,
        path=plan.path,
        engine=config.engine.type,
        shards=config.engine.shards,
        address=config.engine.address,
    )
