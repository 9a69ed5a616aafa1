"""Overlays: files that are laid over a file, and which of them said what.

An overlay has what differs, in the shape of the file: mappings are merged key by key, stages by their ids, lists and
single values replace, null takes away. What makes no sense in parts is replaced whole: a `key:`, a `password:`, a block
of another `type:`, the parameters of a stage that gets another `task:`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from riotd.config.document import identity, override, read
from riotd.config.wording import meant
from riotd.errors import ConfigError, Mistake

_WHOLE = {"key", "password"}
"""Keys whose mappings say one thing out of several: parts of two of them would be both."""

_Path = tuple[str, ...]
"""Steps to a value; to a stage by its id, which stays when stages before it go."""


class Layers:
    """A file's mapping with others laid over it.

    Args:
        file: whose the mapping is.
        data: the mapping.

    Attributes:
        data: as it is with all that was laid over it.
        files: all whose it is, in the order they were laid.
    """

    def __init__(self, file: str, data: dict[str, Any]) -> None:
        self.data = data
        self.files = [file]
        self._said: dict[_Path, str] = {}
        self._settings: set[str] = set()

    def lay(self, file: str, over: Mapping[str, Any]) -> list[Mistake]:
        """Lay another file's mapping over it; what is wrong with that."""
        laying = _Laying(file, self._said)
        self.data = laying.merged(self.data, over, ())
        self.files.append(file)
        return laying.mistakes

    def override(self, settings: Sequence[str]) -> list[Mistake]:
        """Apply `dotted.key=value` settings; what is wrong with them."""
        paths, mistakes = override(self.data, settings)
        self._settings |= paths
        return mistakes

    def origin(self, where: str) -> str:
        """Who said what is at a path, or what it is part of: a file, or `--set`."""
        if any(_within(where, path) for path in self._settings):
            return "--set"
        said = {self._written(path): file for path, file in self._said.items()}
        nearest = max((path for path in said if _within(where, path)), key=len, default="")
        return said.get(nearest, self.files[0])

    def _written(self, path: _Path) -> str:
        """A path as mistakes have it."""
        if path[0] != "stages" or len(path) == 1:
            return ".".join(path)
        stages = self.data.get("stages")
        ids = [identity(stage) for stage in stages] if isinstance(stages, list) else []
        index = f"[{ids.index(path[1])}]" if path[1] in ids else f".{path[1]}"
        return ".".join((f"stages{index}", *path[2:]))


class _Laying:
    """One file on its way over others.

    Args:
        file: which.
        said: who said what, by paths; kept up to date.
    """

    def __init__(self, file: str, said: dict[_Path, str]) -> None:
        self._file, self._said = file, said
        self.mistakes: list[Mistake] = []

    def merged(self, base: Mapping[str, Any], over: Mapping[str, Any], path: _Path) -> dict[str, Any]:
        """The mapping at the path with the file's over it."""
        merged = dict(base)
        for key, value in over.items():
            here, there = (*path, str(key)), base.get(key)
            if value is None:
                merged.pop(key, None)
                self._note(here)
            elif here == ("stages",) and isinstance(there, list) and isinstance(value, list | dict):
                merged[key] = self._stages(there, value)
            elif isinstance(value, dict) and isinstance(there, dict) and _mergeable(str(key), there, value):
                merged[key] = self.merged(there, value, here)
            else:
                merged[key] = value
                self._note(here)
        return merged

    def _stages(self, base: list[Any], over: list[Any] | dict[str, Any]) -> list[Any]:
        """The stages, each changed where its id is known, else put behind; or taken away."""
        stages = list(base)
        for name, value in _named(over):
            ids = [identity(stage) for stage in stages]
            index = ids.index(name) if name in ids else -1
            if index >= 0 and value is None:
                del stages[index]
            elif index >= 0 and isinstance(value, dict) and isinstance(stages[index], dict):
                stages[index] = self._stage(stages[index], value, ("stages", name))
            elif value is None or (isinstance(value, dict) and value.get("task") is None):
                self._refuse(name, "take away" if value is None else "change", ids)
            else:
                stages.append({"id": name, **value} if isinstance(value, dict) else value)
                self._note(("stages", name))
        return stages

    def _stage(self, base: dict[str, Any], over: dict[str, Any], path: _Path) -> dict[str, Any]:
        if over.get("task", base.get("task")) != base.get("task"):  # another task has other parameters
            base = {"id": path[-1], **{key: value for key, value in base.items() if key != "params"}}
        return self.merged(base, over, path)

    def _refuse(self, name: str, what: str, known: list[str]) -> None:
        mistake = Mistake(f"stages.{name}", f"there is no stage {name!r} to {what}", meant(name, known))
        if not name:
            mistake = Mistake("stages", "has a stage without an id", "begin it with id:")
        self.mistakes.append(Mistake(f"{self._file}: {mistake.where}", mistake.what, mistake.remedy))

    def _note(self, path: _Path) -> None:
        """The file has the word on all that is at the path."""
        for inner in [known for known in self._said if known[: len(path)] == path]:
            del self._said[inner]
        self._said[path] = self._file


def _mergeable(key: str, base: Mapping[str, Any], over: Mapping[str, Any]) -> bool:
    kinds = base.get("type"), over.get("type")
    return key not in _WHOLE and (None in kinds or kinds[0] == kinds[1])


def _named(stages: list[Any] | dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """An overlay's stages with their ids, of a mapping by them or of a list of blocks; None takes one away."""
    pairs: Sequence[tuple[Any, Any]] = (
        list(stages.items()) if isinstance(stages, dict) else [(identity(stage), stage) for stage in stages]
    )
    for name, value in pairs:
        gone = isinstance(value, dict) and "task" in value and value["task"] is None
        yield str(name), None if gone else value


def _within(where: str, path: str) -> bool:
    """Whether one path is the other, or leads on from it."""
    return where.startswith(path) and where[len(path) : len(path) + 1] in {"", ".", "["}


def layered(path: Path, overlays: Sequence[str], settings: Sequence[str]) -> tuple[Layers, list[Mistake]]:
    """A file with overlays and settings over it, and what is wrong with that; no types yet.

    Args:
        path: the YAML file.
        overlays: names or paths, in the order in which they are laid over it.
        settings: `dotted.key=value`.

    Raises:
        ConfigError: one of the files is not there, or has no sense in it.
    """
    data, mistakes = read(path)
    found = [_overlay(path, name) for name in overlays]
    parts = [(str(each), *read(each, whole=False)) for each in found if isinstance(each, Path)]
    mistakes += [each for each in found if isinstance(each, Mistake)]
    mistakes += [mistake for _, _, wrong in parts for mistake in wrong]
    if data is None or len(parts) < len(found) or any(part is None for _, part, _ in parts):
        raise ConfigError(mistakes)
    layers = Layers(str(path), data)
    for name, part, _ in parts:
        mistakes += layers.lay(name, part or {})
    return layers, mistakes + layers.override(settings)


def _overlay(file: Path, name: str) -> Path | Mistake:
    """The file that `--with NAME` means: a path, or in a folder of the name beside `file` what is called like it."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return Path(name)
    path = file.parent / name / file.name
    if path.is_file():
        return path
    folders = file.parent.iterdir() if file.parent.is_dir() else ()
    known = sorted(folder.name for folder in folders if (folder / file.name).is_file())
    remedy = meant(name, known) if known else "make it, or give the path of a YAML file"
    return Mistake(f"--with {name}", f"there is no {path}", remedy)
