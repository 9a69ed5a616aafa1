"""`riotd convert`: RIoTBench's property file as a configuration."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

import click

from riotd.convert import ALL, FLOWS, Conversion, Fate, convert
from riotd.convert.page import page

EPILOG = """\b
Examples:
  riotd convert tasks_CITY.properties -o city.yaml
  riotd convert tasks_TAXI.properties --flow etl | riotd check /dev/stdin
  riotd convert tasks_FIT.properties --files data --json | jq .keys

Exit codes: 0 done, 1 it can't be converted, 2 wrong usage or no such file."""


@click.command("convert", epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--flow",
    type=click.Choice([*FLOWS, ALL]),
    default=ALL,
    show_default=True,
    help="Whose graph the settings go to: one of RIoTBench's four dataflows, or all of them from one source.",
)
@click.option(
    "--files",
    "folders",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    metavar="DIR",
    help="Where the files are that it names by the authors' paths; FILE's own folder is looked into, too.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write here; default stdout.")
@click.option("--force", is_flag=True, help="Write over OUTPUT.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the configuration, what is left out, every key.")
def command(  # noqa: PLR0917 - one for each option
    file: Path, flow: str, folders: Sequence[Path], output: Path | None, force: bool, as_json: bool
) -> None:
    """Turn FILE, a property file of RIoTBench, into a configuration: stages, source, sinks.

    Behind each parameter stands the key it comes from. A stage whose files are not here is a comment. Keys that
    have no place are named at the end, and on stderr, with the reason.
    """
    if output is not None and output.exists() and not force:
        raise click.ClickException(f"{output} is there already; --force writes over it")
    try:
        made = convert(
            file.read_bytes(),
            flow=flow,
            name=_name(file),
            here=_finder([file.parent, *folders]),
            folder=str(Path.cwd()),
        )
    except ValueError as error:
        raise click.ClickException(f"{file}: {error}") from error
    text = json.dumps(_facts(made), ensure_ascii=False) + "\n" if as_json else page(made, origin=file.name)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
    if not as_json:
        _report(made, file, output)


def _finder(folders: Sequence[Path]) -> Callable[[str], str | None]:
    """Where a file is now: at its own path, or by its name in one of the folders."""

    def here(path: str) -> str | None:
        places = [Path(path), *(folder / PurePath(path).name for folder in folders)]
        return next((str(place) for place in places if path and place.is_file()), None)

    return here


def _name(file: Path) -> str:
    """A daemon's name of the file's: tasks_CITY.properties is city."""
    letters = [letter if letter.isalnum() or letter in "._-" else "-" for letter in file.stem]
    return "".join(letters).lower().removeprefix("tasks").strip("._-") or "riotbench"


def _facts(made: Conversion) -> dict[str, object]:
    left_out = {draft.id: draft.lacks for draft in made.drafts if draft.lacks}
    keys = [{"line": fate.line, "key": fate.key, "place": fate.place, "why": fate.why} for fate in made.fates]
    return {"config": made.config(), "left_out": left_out, "keys": keys}


def _report(made: Conversion, file: Path, output: Path | None) -> None:
    """For a person, on stderr: what has no place, what else to know, what is left out."""
    placed = [fate for fate in made.fates if fate.place]
    click.secho(f"{file.name}: {len(placed)} of {len(made.fates)} keys have a place", bold=True, err=True)
    for fate in placed:
        if fate.why or not fate.place.startswith("stages."):
            _say(fate, f"→ {fate.place}" + (f": {fate.why}" if fate.why else ""))
    click.secho("without a place:", bold=True, err=True)
    for fate in made.fates:
        if not fate.place:
            _say(fate, fate.why)
    for draft in made.drafts:
        if draft.lacks:
            click.secho(f"left out: stage {draft.id}, {draft.task}: {draft.lacks}", fg="yellow", err=True)
    if output is not None:
        click.echo(f"{output} is written; next: riotd check {output}", err=True)


def _say(fate: Fate, text: str) -> None:
    click.echo(f"{fate.line:5}  {click.style(fate.key, fg='cyan')}  {text}", err=True)
