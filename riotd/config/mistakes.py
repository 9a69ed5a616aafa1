"""What pydantic found, as mistakes: path, value and remedy in the words of the file."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from inspect import getdoc
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from pydantic import ValidationError

from riotd.config.blocks import Config
from riotd.config.connection import Block, Secret
from riotd.config.wording import meant, text
from riotd.errors import Mistake

_TEXTS = {
    "missing": "must be given",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a text",
    "path_type": "must be a path",
    "literal_error": "must be {expected}",
    "union_tag_invalid": "must be {tags}",
    "union_tag_not_found": "must be given, {tags}",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "too_short": "must have at least {min_length} entry",
    "string_pattern_mismatch": "may only have letters, digits, '.', '_' and '-'",
    "value_error": "{error}",
    "extra_forbidden": "there is no such key",
}
"""pydantic's types of errors to our words."""

_SILENT = {"missing", "value_error", "extra_forbidden", "union_tag_not_found", "too_short"}
"""Those where the value says nothing, or may be a secret's."""


def translate(error: ValidationError) -> list[Mistake]:
    """One mistake for each thing pydantic found; paths as in `stages[2].params.window`."""
    return [_mistake(detail) for detail in error.errors(include_url=False)]


def descriptions(block: type[Block]) -> dict[str, str]:
    """Key to its line in the `Attributes` of the block's docstring, or of those it inherits from."""
    found: dict[str, str] = {}
    for parent in reversed(block.__mro__):
        _, _, attributes = (getdoc(parent) or "").partition("Attributes:\n") if issubclass(parent, Block) else ("",) * 3
        for name, about in re.findall(r"^    (\w+): (.*(?:\n        .*)*)", attributes, re.MULTILINE):
            found[name] = re.sub(r"\s+", " ", about)
    return found


def _mistake(detail: Mapping[str, Any]) -> Mistake:
    kind, value, place = detail["type"], detail["input"], _walk(detail["loc"])
    if place.secret and kind != "extra_forbidden":
        return Mistake(
            place.path, "must be given by reference", "write {file: path}, {env: NAME} or {credential: name}"
        )
    path, what = place.path, _TEXTS.get(kind, detail["msg"][:1].lower() + detail["msg"][1:])
    what = what.format(**detail.get("ctx", {}), tags=_either(place.tags))
    if kind.startswith("union_tag"):
        path, value = f"{path}.type", value.get("type") if isinstance(value, dict) else value
    if kind not in _SILENT:
        what += f" (is {text(value)})"
    return Mistake(path, what, _remedy(kind, path, place.owner))


def _remedy(kind: str, path: str, owner: type[Block] | None) -> str:
    key = path.rpartition(".")[2]
    if owner is None or kind not in {"extra_forbidden", "missing"}:
        return ""
    if kind == "missing":
        return descriptions(owner).get(key, "").rstrip(".")
    if path == "source.key":
        return "it stands beside source:, or in an entry of sources:"
    return meant(key, [field.alias or name for name, field in owner.model_fields.items()])


def _either(words: tuple[str, ...]) -> str:
    quoted = [repr(word) for word in words]
    return " or ".join(part for part in (", ".join(quoted[:-1]), *quoted[-1:]) if part)


class _Place(msgspec.Struct, frozen=True):
    """Where a mistake is.

    Attributes:
        path: as people write it.
        owner: the block that has, or should have, the last step.
        tags: what `type:` may say there.
        secret: whether what is there may be a secret.
    """

    path: str
    owner: type[Block] | None
    tags: tuple[str, ...]
    secret: bool


def _walk(location: tuple[int | str, ...]) -> _Place:
    path, secret = "", False
    hint: Any = Config
    owner: type[Block] | None = None
    for step in location:
        if step == "[key]":  # pydantic's mark that the name before it is meant, not what it leads to
            break
        blocks = list(_blocks(hint))
        secret = secret or Secret in blocks
        if len(blocks) > 1 and (tagged := [block for block in blocks if step in _tags(block)]):
            hint = tagged[0]
            continue
        owner = blocks[0] if blocks else None
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
        hint = _inside(hint, owner, step)
    blocks = list(_blocks(hint))
    return _Place(path, owner, tuple(tag for block in blocks for tag in _tags(block)), secret or Secret in blocks)


def _inside(hint: Any, block: type[Block] | None, step: int | str) -> Any:  # noqa: ANN401 - types as data
    """The type of what is under a step."""
    if block is not None:
        fields = {field.alias or name: field for name, field in block.model_fields.items()}
        return fields[step].annotation if step in fields else None
    arguments = get_args(hint)
    return arguments[-1] if get_origin(hint) in {list, dict} else None


def _blocks(hint: Any) -> Iterator[type[Block]]:  # noqa: ANN401 - types as data
    """The blocks a type allows, out of unions and annotations."""
    if isinstance(hint, type) and issubclass(hint, Block):
        yield hint
    elif get_origin(hint) is Annotated:
        yield from _blocks(get_args(hint)[0])
    elif get_origin(hint) in {Union, UnionType}:
        for part in get_args(hint):
            if part is not NoneType:
                yield from _blocks(part)


@cache
def _tags(block: type[Block]) -> tuple[str, ...]:
    """What `type:` says for this block; empty if it has none."""
    kind = block.model_fields.get("type")
    return get_args(kind.annotation) if kind and get_origin(kind.annotation) is Literal else ()
