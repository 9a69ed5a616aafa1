"""From a path and `--set` to a Config, or to everything that is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml
from pydantic import ValidationError

from riotd.config.blocks import Config
from riotd.config.checks import across
from riotd.config.connection import Block
from riotd.config.endpoints import BLOCKS, Owners, expanded, names, relocated
from riotd.config.layers import Layers, layered
from riotd.config.mistakes import descriptions, translate
from riotd.config.parts import partial, whole
from riotd.config.surroundings import missing
from riotd.errors import ConfigError, Mistake


def load(path: str | Path, overrides: Sequence[str] = (), *, overlays: Sequence[str] = ()) -> Config:
    """Read a file, lay others over it, apply overrides, check all that can be checked without starting anything.

    Args:
        path: the YAML file; relative paths in it, and in overlays, are relative to the working directory.
        overrides: `dotted.key=value`, the value as YAML; they have the last word.
        overlays: of each the name, `<folder of the file>/<name>/<name of the file>`, or the path of a YAML file.

    Raises:
        ConfigError: with every mistake, in the order of the file.
    """
    layers, mistakes = layered(Path(path), overlays, overrides)
    config, found = _checked(layers.data)
    mistakes += [_located(mistake, layers) for mistake in _in_order(found, layers.data)]
    if config is None or mistakes:
        raise ConfigError(mistakes)
    config._files = tuple(layers.files)  # noqa: SLF001 - our own, kept out of the file's keys
    return config


def schema() -> dict[str, Any]:
    """The JSON schema of a file, each key with its description."""
    found = Config.model_json_schema(by_alias=True)
    blocks = {block.__name__: block for block in _kinds(Block)}
    for name, definition in [("Config", found), *found["$defs"].items()]:
        definition["description"] = definition["description"].partition("\n\nAttributes:")[0]
        for key, text in descriptions(blocks[name]).items():
            if key in definition["properties"]:
                definition["properties"][key]["description"] = text
    found["$defs"]["StageBlock"]["required"].remove("id")  # the task's name stands in for it
    found["required"] = [key for key in found["required"] if key not in BLOCKS]
    found["allOf"] = [_given_or_stage(key, kind) for key, kind in BLOCKS.items()]
    found["not"] = {"required": ["source", "sources"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "riotd"}


def _given_or_stage(key: str, kind: str) -> dict[str, Any]:
    """JSON schema of a file that has the block, or a stage that stands for it."""
    stage = {"properties": {"task": {"enum": names(kind)}}, "required": ["task"]}
    given = [{"required": [name]} for name in ([key, "sources"] if key == "source" else [key])]
    return {"anyOf": [*given, {"properties": {"stages": {"contains": stage}}}]}


def _kinds(block: type[Block]) -> Iterator[type[Block]]:
    for kind in block.__subclasses__():
        yield kind
        yield from _kinds(kind)


def settings(config: Config) -> dict[str, Any]:
    """Every setting in force, as plain data; of `source` and `sources` the one that the file has."""
    return config.model_dump(mode="json", by_alias=True, exclude={"sources" if config.source else "source"})


def settings_text(config: Config) -> str:
    """The same as YAML; secrets are references and stay so."""
    return yaml.safe_dump(settings(config), sort_keys=False, allow_unicode=True)


def _checked(written: dict[str, Any]) -> tuple[Config | None, list[Mistake]]:
    config, mistakes, full = None, [], expanded(written)
    try:
        config = Config.model_validate(full.data)
    except ValidationError as error:
        mistakes = translate(error)
        parts = partial(full.data, error)
    else:
        parts = whole(config)
    return config, [*full.mistakes, *_moved([*mistakes, *across(parts), *missing(parts)], full.owners)]


def _moved(mistakes: list[Mistake], owners: Owners) -> list[Mistake]:
    """Those of blocks that stages stand for are the stages'; what a stage says of a parameter itself is enough."""
    said = {mistake.where for mistake in mistakes}
    pairs = [(mistake, relocated(mistake, owners)) for mistake in mistakes]
    return [moved for mistake, moved in pairs if moved is mistake or moved.where not in said]


def _in_order(mistakes: list[Mistake], data: Mapping[str, Any]) -> list[Mistake]:
    """By the place of the block in the file, each path once; what is not in the file comes first."""
    first: dict[str, Mistake] = {}
    for mistake in mistakes:
        first.setdefault(mistake.where + mistake.what, mistake)
    order = {key: index for index, key in enumerate(data)}
    return sorted(first.values(), key=lambda mistake: order.get(_block(mistake), -1))


def _block(mistake: Mistake) -> str:
    return mistake.where.partition(".")[0].partition("[")[0]


def _located(mistake: Mistake, layers: Layers) -> Mistake:
    return msgspec.structs.replace(mistake, where=f"{layers.origin(mistake.where)}: {mistake.where}")
