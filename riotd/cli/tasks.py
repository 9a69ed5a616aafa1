"""`riotd tasks`: what tasks there are, and what one of them takes."""

import json
import sys
from itertools import groupby
from shutil import get_terminal_size
from textwrap import fill, shorten

import click
import msgspec

from riotd import catalog
from riotd.cli.facts import Described, Listed, described, listed, written
from riotd.cli.options import app_dir_option
from riotd.cli.tables import aligned, reflowed

EPILOG = """\b
Examples:
  riotd tasks
  riotd tasks kalman_filter
  riotd tasks KAL --json
  riotd tasks my_tasks:Smooth --app-dir src

Exit codes: 0 done, 1 there is no such task, or it is broken."""

_HEADS = ("family", "name", "code", "in RIoTBench", "in:out", "state", "what it does")
_INDENT = " " * 4


@click.command("tasks", epilog=EPILOG)
@click.argument("name", required=False)
@app_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, app_dir: str, as_json: bool) -> None:  # noqa: ARG001 - its callback does the work
    """List the tasks, or describe NAME: a name, RIoTBench's code or name, or module:Class."""
    if name is None:
        _list(listed(), as_json=as_json)
        return
    try:
        task = described(name)
    except (catalog.TaskNotFound, catalog.BrokenTask) as error:
        raise click.ClickException(str(error)) from error
    if not as_json:
        _describe(task)
        return
    found = msgspec.to_builtins(task)
    click.echo(json.dumps(found.pop("facts") | found, ensure_ascii=False))


def _list(tasks: list[Listed], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(tasks), ensure_ascii=False))
    elif sys.stdout.isatty():
        _show(tasks)
    else:
        rows = [(*_facts(task), task.error or task.about) for task in tasks]
        click.echo("\n".join(aligned([_HEADS, *rows])))


def _facts(task: Listed) -> tuple[str, ...]:
    return task.family, task.name, task.code, task.riotbench, task.pattern, task.state


def _show(tasks: list[Listed]) -> None:
    """For a person: by family, the facts of a task on one line, what it does on the next; 80 columns are enough."""
    head, *lines = aligned([_HEADS[1:6], *(_facts(task)[1:] for task in tasks)], gap=1)
    click.secho(head, fg="cyan")
    pairs = zip(tasks, lines, strict=True)
    for family, members in groupby(pairs, key=lambda pair: pair[0].family):
        click.secho(f"\n{family}", fg="cyan", bold=True)
        for task, line in members:
            name, _, rest = line.partition(" ")
            click.echo(f"{click.style(name, bold=True)} {rest}")
            if task.error:
                click.secho(_indented(task.error), fg="red")
                continue
            about = shorten(task.about, get_terminal_size().columns - len(_INDENT), placeholder=" …")
            click.secho(_INDENT + about, dim=True)


def _describe(task: Described) -> None:
    facts = task.facts
    names = ", ".join(filter(None, (facts.code, facts.riotbench and f"{facts.riotbench} in RIoTBench")))
    click.secho(facts.name, bold=True, nl=False)
    origin = f", from {facts.distribution}" if facts.distribution else ""
    also = f", also gives {', '.join(task.outputs)}" if task.outputs else ""
    click.echo(f"{f' ({names})' if names else ''}\n{facts.family}, {facts.pattern}, {facts.state}{also}{origin}\n")
    click.echo(f"{reflowed(task.prose)}\n")
    click.secho("Parameters" if task.parameters else "It takes no parameters.", fg="cyan")
    for parameter in task.parameters:
        default = "must be given" if parameter.required else f"default {written(parameter.default)}"
        click.secho(f"  {parameter.name}", bold=True, nl=False)
        click.echo(f"  {parameter.type or 'anything'}, {default}\n{_indented(parameter.about)}")
    for title, text in task.sections.items():
        click.secho(f"\n{title}", fg="cyan")
        click.echo(text)


def _indented(text: str) -> str:
    if not sys.stdout.isatty():
        return _INDENT + text
    return fill(text, get_terminal_size().columns, initial_indent=_INDENT, subsequent_indent=_INDENT)
