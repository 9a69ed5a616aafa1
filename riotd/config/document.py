"""A YAML file as plain data, with `--set` applied; no types yet.

YAML 1.2's core schema, not PyYAML's 1.1: `no` is a word, `1e-3` a number, `12:30:00` no number in base 60.
"""

import json
import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import yaml

from riotd.errors import Mistake

_SCALARS = (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", r"true|True|TRUE|false|False|FALSE", tuple("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", tuple("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", tuple("-+.0123456789")),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", tuple("-+.")),
    ("merge", r"<<", ("<",)),
)
"""Tag, what it looks like (YAML 1.2.2 section 10.3.2), first characters."""


_HINTS = {
    "'\\t'": "indent with spaces, not tabs",
    "mapping values are not allowed": "put a text with a colon in quotes, and mind the indentation",
    "expected <block end>": "mind the indentation, and a space after each colon",
    "single document": "one file is one configuration; take out the line ---",
}
"""What PyYAML says, in part, to what usually helps."""


class _Loader(yaml.SafeLoader):
    """Safe, of the core schema, and keeping note of keys that are there twice."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own protocol

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[yaml.Mark] = []
        self.names: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                self.repeated.append(key.start_mark)
                self.names.append(key.value)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_whole(self, node: yaml.ScalarNode) -> int:
        """An integer: decimal, 0o17 or 0xff; zeros in front mean nothing, as in YAML 1.2."""
        text = str(self.construct_scalar(node))
        try:
            return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
        except ValueError as error:  # Python's limit of 4300 digits
            raise yaml.constructor.ConstructorError(
                None, None, "a number of too many digits", node.start_mark
            ) from error


for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_whole)


def parse(text: str) -> Any:  # noqa: ANN401 - what YAML gives
    """One YAML value, as the right side of `--set`.

    Raises:
        ValueError: it is no YAML.
    """
    try:
        return _load(text, "--set")[0]
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(_problem(error)) from error


def read(path: Path, *, whole: bool = True) -> tuple[dict[str, Any] | None, list[Mistake]]:
    """The file's mapping, or None if there is no sense in it, and what is wrong with it as YAML.

    Args:
        path: of the file.
        whole: whether it is a configuration by itself, and not what differs from one, which may be nothing.
    """
    where = str(path)
    try:
        data, mistakes = _load(path.read_text(encoding="utf-8"), where)
    except OSError as error:
        return None, [Mistake(where, f"cannot be read: {error.strerror}", "give the path of a YAML file")]
    except UnicodeDecodeError as error:
        return None, [Mistake(where, f"byte {error.start} is not UTF-8", "save it as UTF-8")]
    except (yaml.YAMLError, RecursionError) as error:
        return None, [_no_yaml(where, error)]
    if data is None and whole:
        return None, [Mistake(where, "is empty", "riotd's config/minimal.yaml is a start")]
    if not isinstance(data, dict | None):
        return None, [Mistake(where, f"must be a mapping (is a {type(data).__name__})", "begin with a line name: …")]
    return data or {}, mistakes


def _load(text: str, where: str) -> tuple[Any, list[Mistake]]:
    loader = _Loader(text)
    try:
        data = loader.get_single_data()
    finally:
        loader.dispose()
    _require_tree(data)
    pairs = zip(loader.repeated, loader.names, strict=True)
    return data, [Mistake(_at(where, mark), f"{name!r} is there twice", "keep one") for mark, name in pairs]


def _require_tree(data: object) -> None:
    """Raise RecursionError for a block that contains itself; JSON is the shortest way to find out."""
    try:
        json.dumps(data, default=str, skipkeys=True)
    except ValueError as error:
        raise RecursionError from error


def _at(where: str, mark: yaml.Mark) -> str:
    return f"{where}: line {mark.line + 1}, column {mark.column + 1}"


def _problem(error: yaml.YAMLError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep, or a block contains itself"
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    return ", ".join(part for part in parts if part) or str(error).partition("\n")[0]


def _no_yaml(where: str, error: yaml.YAMLError | RecursionError) -> Mistake:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = _problem(error)
    hint = next((hint for sign, hint in _HINTS.items() if sign in problem), "")
    return Mistake(_at(where, mark) if mark else where, f"is not YAML: {problem}", hint)


def override(data: dict[str, Any], settings: Sequence[str]) -> tuple[set[str], list[Mistake]]:
    """Apply `dotted.key=value` settings in place; the paths that were set, and what is wrong with the settings.

    A step is a mapping's key, a list's index (`stages.0`, `stages[0]`) or, in a list of blocks, an `id`.
    Mappings on the way that are not there are made.
    """
    paths, mistakes = set(), []
    for setting in settings:
        key, equals, text = setting.partition("=")
        try:
            if not equals or not key.strip("."):
                raise ValueError("is not of the form dotted.key=value")  # noqa: TRY301 - one place words all of them
            paths.add(_assign(data, re.sub(r"\[(\d+)\]", r".\1", key).split("."), parse(text)))
        except (ValueError, LookupError) as error:
            mistakes.append(Mistake(f"--set {key}", str(error.args[0])))  # without the value: it may be a secret
    return paths, mistakes


def _assign(data: dict[str, Any], steps: list[str], value: object) -> str:
    """Set what the steps lead to; the path as the mistakes write it."""
    place: Any = data
    path = ""
    while True:
        step, used = _step(place, steps, path)
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
        steps = steps[used:]
        if not steps:
            place[step] = value
            return path
        if isinstance(place, dict) and place.get(step) is None:
            place[step] = {}
        place = place[step]


def _step(place: object, steps: list[str], path: str) -> tuple[Any, int]:
    """The key or index that the first of the steps mean here, and how many they are: names may have dots."""
    joined = [".".join(steps[:count]) for count in range(len(steps), 0, -1)]
    if isinstance(place, dict):
        known = next((name for name in joined if name in place), steps[0])
        return known, known.count(".") + 1
    if not isinstance(place, list):
        raise LookupError(  # noqa: TRY004 - it is looked up in what a person wrote
            f"{path} is no mapping, so there is no {steps[0]!r} in it"
        )
    if steps[0].isdigit():
        if int(steps[0]) < len(place):
            return int(steps[0]), 1
        raise LookupError(f"there is no {path}[{steps[0]}]; it has {len(place)}, counted from 0")
    ids = [identity(block) for block in place]
    known = next((name for name in joined if name in ids), "")
    if not known:
        raise LookupError(f"there is no {steps[0]!r} in {path}; there are {', '.join(ids)}")
    return ids.index(known), known.count(".") + 1


def identity(block: object) -> str:
    """What a block in a list is called: its id, which by default is its task's name."""
    return str(block.get("id", block.get("task", ""))) if isinstance(block, dict) else str(block)
