"""`riotd tasks`: what tasks there are, and what one of them takes."""

import json
import re
from inspect import Parameter, signature

import click
import msgspec

from riot_tasks.task import Task
from riotd import catalog
from riotd.cli.docstrings import arguments, sections
from riotd.cli.options import app_dir_option
from riotd.cli.tables import print_table, reflowed

EPILOG = """\b
Examples:
  riotd tasks
  riotd tasks kalman_filter
  riotd tasks KAL --json
  riotd tasks my_tasks:Smooth --app-dir src

Exit codes: 0 done, 1 there is no such task, or it is broken."""

_FAMILIES = ("parse", "filter", "statistics", "predict", "io", "visualize")
"""RIoTBench's categories, in its order; whatever else there is comes after."""


class Listed(msgspec.Struct, frozen=True):
    """A task as the table has it; `error` says why a broken one can't be used."""

    family: str
    name: str
    code: str = ""
    pattern: str = ""
    state: str = ""
    about: str = ""
    error: str = ""


class Taken(msgspec.Struct, frozen=True):
    """A parameter; `default` is None where it must be given."""

    name: str
    type: str
    default: str | None
    about: str


@click.command("tasks", epilog=EPILOG)
@click.argument("name", required=False)
@app_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, app_dir: str, as_json: bool) -> None:  # noqa: ARG001 - its callback does the work
    """List the tasks, or describe NAME: a name, RIoTBench's code or name, or module:Class."""
    if name is not None:
        _describe(name, as_json=as_json)
        return
    found = sorted(map(_listed, catalog.names()), key=_place)
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(task) for task in found], ensure_ascii=False))
        return
    heads = ("family", "name", "code", "in:out", "state", "what it does")
    print_table(heads, [(t.family, t.name, t.code, t.pattern, t.state, t.error or t.about) for t in found])


def _describe(name: str, *, as_json: bool) -> None:
    try:
        task = catalog.find(name)
    except (catalog.TaskNotFound, catalog.BrokenTask) as error:
        raise click.ClickException(str(error)) from error
    known = name if ":" in name else catalog.resolve(name)
    listed, taken = _row(known, task), parameters(task)
    if as_json:
        described = msgspec.to_builtins(listed) | {"parameters": msgspec.to_builtins(taken), "doc": task.__doc__}
        click.echo(json.dumps(described, ensure_ascii=False))
        return
    _print(listed, taken, task)


def _print(listed: Listed, taken: list[Taken], task: type[Task]) -> None:
    doc = sections(task.__doc__)
    code = f" ({listed.code})" if listed.code else ""
    click.secho(f"{listed.name}{code}", bold=True, nl=False)
    prose = re.sub(r"\n{3,}", "\n\n", doc[""])  # the gaps where the sections were
    click.echo(f"  {listed.family}, {listed.pattern}, {listed.state}\n\n{reflowed(prose)}\n")
    if taken:
        print_table(("parameter", "type", "default", ""), [(t.name, t.type, _default(t), t.about) for t in taken])
    else:
        click.echo("It takes no parameters.")
    for name in ("Example", "Examples", "References"):
        if name in doc:
            click.secho(f"\n{name}", fg="cyan")
            click.echo(doc[name])


def parameters(task: type[Task]) -> list[Taken]:
    """What a task takes, in the order of its constructor."""
    hints, abouts = catalog.hints(task), arguments(task.__doc__) or arguments(task.__init__.__doc__)
    return [
        Taken(
            name,
            catalog.type_text(hints[name]) if name in hints else "",
            None if parameter.default is Parameter.empty else repr(parameter.default),
            abouts.get(name, ""),
        )
        for name, parameter in signature(task).parameters.items()
    ]


def _default(parameter: Taken) -> str:
    return "must be given" if parameter.default is None else parameter.default


def _listed(name: str) -> Listed:
    try:
        return _row(name, catalog.find(name))
    except catalog.BrokenTask as error:
        return Listed(_family(catalog.origin(name)), name, error=f"broken: {error}")


def _row(name: str, task: type[Task]) -> Listed:
    about = sections(task.__doc__)[""].partition("\n\n")[0].replace("\n", " ")
    state = "per device" if task.stateful else "no state"
    return Listed(_family(task.__module__), name, task.code, task.pattern, state, about)


def _family(module: str) -> str:
    """The room a task is in; for other people's, their package."""
    package, *rooms = module.partition(":")[0].split(".")
    return package if package != "riot_tasks" else rooms[0] if len(rooms) > 1 else "other"


def _place(task: Listed) -> tuple[int, str, str]:
    order = _FAMILIES.index(task.family) if task.family in _FAMILIES else len(_FAMILIES)
    return order, task.family, task.name
