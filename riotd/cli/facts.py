"""What is known of a task: its names, family, pattern and state, its parameters and its docstring."""

import json
import re
from inspect import Parameter, signature
from typing import Any

import msgspec

from riot_tasks.task import Task
from riotd import catalog
from riotd.cli.docstrings import arguments, sections

_FAMILIES = ("parse", "filter", "statistics", "predict", "io", "visualize", "other")
"""RIoTBench's categories, in its order, and what it has beside its 27 tasks; other people's come after."""
_OURS = "riotd"
_SHOWN = ("Example", "Examples", "References")


class Listed(msgspec.Struct, frozen=True):
    """A task as the list has it.

    Attributes:
        family: RIoTBench's category, `other`, or whose it is: a distribution or a package.
        name: what a config calls it.
        code: RIoTBench's, in its paper.
        riotbench: RIoTBench's, in its factory.
        pattern: records in : records out.
        state: whether it keeps some, and whether that is a device's or for all of a shard.
        about: what it does, in a sentence.
        distribution: where other people's come from, with version.
        error: why a broken one can't be used.
    """

    family: str
    name: str
    code: str = ""
    riotbench: str = ""
    pattern: str = ""
    state: str = ""
    about: str = ""
    distribution: str = ""
    error: str = ""


class Taken(msgspec.Struct, frozen=True):
    """A parameter of a task.

    Attributes:
        name: as in a config.
        type: of its values, as Python writes it; "" where it is not said.
        required: whether it must be given.
        default: the value without it.
        about: what it means.
    """

    name: str
    type: str
    required: bool
    default: Any
    about: str


class Described(msgspec.Struct, frozen=True):
    """Everything about a task.

    Attributes:
        facts: as in the list.
        parameters: in the constructor's order.
        prose: the docstring outside its sections.
        sections: the docstring's examples and references.
        outputs: names of those beside the main one, to take from as `<stage>/<output>`.
    """

    facts: Listed
    parameters: list[Taken]
    prose: str
    sections: dict[str, str]
    outputs: tuple[str, ...] = ()


def listed() -> list[Listed]:
    """Every registered task, by family, in RIoTBench's order; a broken one with its error."""
    return sorted(map(_listed, catalog.names()), key=_place)


def described(name: str) -> Described:
    """All about the task of any of its names.

    Raises:
        TaskNotFound, BrokenTask: as `catalog.find`.
    """
    task = catalog.find(name)
    parts = sections(task.__doc__)
    return Described(
        _facts(name if ":" in name else catalog.resolve(name), task),
        parameters(task),
        re.sub(r"\n{3,}", "\n\n", parts[""]).strip(),  # the gaps where the sections were
        {title: parts[title] for title in _SHOWN if title in parts},
        task.asides,
    )


def parameters(task: type[Task]) -> list[Taken]:
    """What a task takes, in the order of its constructor."""
    hints, abouts = catalog.hints(task), arguments(task.__doc__) or arguments(task.__init__.__doc__)
    return [
        _taken(name, found, catalog.type_text(hints[name]) if name in hints else "", abouts.get(name, ""))
        for name, found in signature(task).parameters.items()
    ]


def _taken(name: str, found: Parameter, kind: str, about: str) -> Taken:
    required = found.default is Parameter.empty and found.kind not in {Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL}
    default = None if found.default is Parameter.empty else found.default
    return Taken(name, kind, required, _plain(default), about)


def _plain(default: object) -> object:
    """A default as JSON has it."""
    try:
        return msgspec.to_builtins(default)
    except TypeError:
        return repr(default)


def written(default: object) -> str:
    """A default as YAML has it: a word without quotes, `null`, `[a, b]`."""
    if (
        isinstance(default, str)
        and re.fullmatch(r"[A-Za-z][\w./-]*", default)
        and default not in {"null", "true", "false"}
    ):
        return default
    return json.dumps(default, ensure_ascii=False)


def _listed(name: str) -> Listed:
    try:
        return _facts(name, catalog.find(name))
    except catalog.BrokenTask as error:
        return Listed(_family(name, catalog.origin(name)), name, distribution=_foreign(name), error=f"broken: {error}")


def _facts(name: str, task: type[Task]) -> Listed:
    return Listed(
        family=_family(name, task.__module__),
        name=name,
        code=task.code,
        riotbench=catalog.RIOTBENCH.get(name, ("", ""))[1],
        pattern=task.pattern,
        state="no state" if not task.stateful else "for all" if task.shared else "per device",
        about=sections(task.__doc__)[""].partition("\n\n")[0].replace("\n", " "),
        distribution=_foreign(name),
    )


def _family(name: str, module: str) -> str:
    """The room a task is in; for other people's, their distribution or package."""
    package, *rooms = module.partition(":")[0].split(".")
    if package != "riot_tasks":
        return _foreign(name).partition(" ")[0] or package
    return rooms[0] if len(rooms) > 1 else "other"


def _foreign(name: str) -> str:
    """The distribution of a registered task that is not ours, with its version."""
    distribution = "" if ":" in name else catalog.distribution(name)
    return "" if distribution.partition(" ")[0] == _OURS else distribution


def _place(task: Listed) -> tuple[int, str, int, str]:
    order = _FAMILIES.index(task.family) if task.family in _FAMILIES else len(_FAMILIES)
    known = list(catalog.RIOTBENCH)
    return order, task.family, known.index(task.name) if task.name in known else len(known), task.name
