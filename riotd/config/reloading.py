"""From one config to the next: what can be swapped while running, and what cannot."""

from collections.abc import Iterator
from typing import Any

from riotd.config.blocks import Config
from riotd.config.checks import across
from riotd.config.parts import whole
from riotd.errors import ConfigError, Mistake
from riotd.placement import GROUPS

FIXED = (
    "name",
    "source",
    "sources",
    "key",
    "engine.type",
    "engine.shards",
    "engine.address",
    "engine.deadline",
    "engine.memory",
    "stats.topic",
    "stats.status",
    "stats.connection",
    "control",
    "ack",
    "state",
    "memory",
    "max_in_flight",
)
"""Keys that only a restart changes; all others are swapped at a batch boundary."""
_PLACED = [key.removeprefix("engine.") for key in FIXED if key.startswith("engine.")]


def difference(old: Config, new: Config) -> tuple[list[str], list[str]]:
    """Dotted keys that differ: those that can be swapped live, and those that can't. Stages go by their ids."""
    before, after = _dump(old), _dump(new)
    changed = list(_changed(before, after, ""))
    kept = [name for name in before["stages"] if name in after["stages"]]
    if kept != [name for name in after["stages"] if name in before["stages"]]:
        changed.append("stages")
    fixed = [key for key in changed if any(f"{key}.".startswith(f"{prefix}.") for prefix in FIXED)]
    return [key for key in changed if key not in fixed], fixed


def merged(old: Config, new: Config) -> Config:
    """The new config as far as it can be swapped live; the rest as it was.

    Raises:
        ConfigError: the mixture can't be run.
    """
    kept = {
        "name": old.name,
        "source": old.source,
        "sources": old.sources,
        "key": old.key,
        "ack": old.ack,
        "state": old.state,
        "memory": old.memory,
        "max_in_flight": old.max_in_flight,
        "engine": new.engine.model_copy(update={key: getattr(old.engine, key) for key in _PLACED}),
        "stats": new.stats.model_copy(
            update={key: getattr(old.stats, key) for key in ("topic", "status", "connection")}
        ),
        "control": old.control,
    }
    mixture = new.model_copy(update=kept)
    if mistakes := across(whole(mixture)):
        raise ConfigError(mistakes)
    return mixture


def scaled(config: Config, shards: int) -> Config:
    """The config with another number of shards.

    Raises:
        ConfigError: it can't be run with so many.
    """
    if not 1 <= shards <= GROUPS:
        raise ConfigError([Mistake("shards", f"must be from 1 to {GROUPS} (is {shards})")])
    result = config.model_copy(update={"engine": config.engine.model_copy(update={"shards": shards})})
    if mistakes := across(whole(result)):
        raise ConfigError(mistakes)
    return result


def _dump(config: Config) -> dict[str, Any]:
    data = config.model_dump(by_alias=True)
    data["stages"] = {stage["id"]: stage for stage in data["stages"]}
    return data


def _changed(old: object, new: object, path: str) -> Iterator[str]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if old != new:
            yield path
        return
    for key in {**old, **new}:
        inner = f"{path}.{key}" if path else str(key)
        if key in old and key in new:
            yield from _changed(old[key], new[key], inner)
        else:
            yield inner
