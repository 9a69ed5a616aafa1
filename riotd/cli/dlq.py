"""`riotd dlq`: the dead letters of a daemon: list them, look at one, send them again."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riotd.cli.options import of_a_config

if TYPE_CHECKING:
    from riotd.config import Config
    from riotd.letters import Letter

_SHOWN = 20
"""Letters and groups that `ls` shows, unless told otherwise."""

EPILOG = """\b
Examples:
  riotd dlq ls config/etl.yaml
  riotd dlq ls config/etl.yaml --stage parse --since 1h
  riotd dlq show config/etl.yaml 17
  riotd dlq replay config/etl.yaml 17 18
  riotd dlq replay config/etl.yaml --stage parse

Exit codes: 0 done, 1 there is no such letter, or it could not be sent, 78 the configuration is wrong."""

LS_EPILOG = """\b
Examples:
  riotd dlq ls config/etl.yaml
  riotd dlq ls config/etl.yaml --stage parse --since 1h
  riotd dlq ls config/etl.yaml --json | jq -r .reason | sort | uniq -c"""

SHOW_EPILOG = """\b
Examples:
  riotd dlq show config/etl.yaml 17
  riotd dlq show config/etl.yaml 17 --raw | riotd try senml_parse"""

REPLAY_EPILOG = """\b
Examples:
  riotd dlq replay config/etl.yaml 17 18
  riotd dlq replay config/etl.yaml --all
  riotd dlq replay config/etl.yaml --stage parse --since 1d"""

_stage = click.option("--stage", "stages", multiple=True, metavar="STAGE", help="Only its letters. May be repeated.")
_since = click.option("--since", metavar="DURATION", help="Only letters that are no older, as 1h or 2d.")


@click.group("dlq", epilog=EPILOG, invoke_without_command=False)
def command() -> None:
    """List a daemon's dead letters, show one, or send them again.

    They are there with `rejects: {type: file, path: …}`, up to its max_size. Each has a number, which it keeps. The
    daemon may run meanwhile.
    """


@command.command("ls", epilog=LS_EPILOG)
@of_a_config
@_stage
@_since
@click.option("--limit", default=_SHOWN, show_default=True, type=click.IntRange(0), help="Of letters shown; 0 is all.")
@click.option("--json", "as_json", is_flag=True, help="All of them, a JSON object each, with payload or payload_b64.")
def ls(  # noqa: PLR0917 - one for each option
    config: Path,
    overlays: Sequence[str],
    settings: Sequence[str],
    app_dir: str,  # noqa: ARG001 - its callback has put it where tasks are found
    stages: Sequence[str],
    since: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List dead letters of CONFIG's daemon: how many of which kind, and the newest one by one.

    Reasons that differ in numbers only are one kind.
    """
    letters = _chosen(_letters(_loaded(config, overlays, settings)), stages=stages, since=since)
    if as_json:
        for each in letters:
            click.echo(json.dumps(_plain(each), ensure_ascii=False))
        return
    from riotd.cli.letters_view import show_letters  # noqa: PLC0415 - as below

    show_letters(list(letters), limit=limit)


@command.command("show", epilog=SHOW_EPILOG)
@of_a_config
@click.argument("number", type=int)
@click.option("--raw", is_flag=True, help="The payload's bytes and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object, with payload or payload_b64.")
def show(  # noqa: PLR0917 - one for each option
    config: Path,
    overlays: Sequence[str],
    settings: Sequence[str],
    app_dir: str,  # noqa: ARG001 - as above
    number: int,
    raw: bool,
    as_json: bool,
) -> None:
    """Show letter NUMBER whole: its payload as indented JSON, as text, or in hexadecimal."""
    (letter,) = _numbered(_letters(_loaded(config, overlays, settings)), [number])
    if raw:
        sys.stdout.buffer.write(letter.letter.payload)
    elif as_json:
        click.echo(json.dumps(_plain(letter), ensure_ascii=False))
    else:
        from riotd.cli.letters_view import show_letter  # noqa: PLC0415 - as below

        show_letter(letter)


@command.command("replay", epilog=REPLAY_EPILOG)
@of_a_config
@click.argument("numbers", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that were not sent again yet.")
@_stage
@_since
@click.option("--progress/--no-progress", default=None, help="A bar on standard error; default on a terminal only.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
def replay(  # noqa: PLR0917 - one for each option
    config: Path,
    overlays: Sequence[str],
    settings: Sequence[str],
    app_dir: str,  # noqa: ARG001 - as above
    numbers: Sequence[int],
    everything: bool,
    stages: Sequence[str],
    since: str | None,
    progress: bool | None,
    as_json: bool,
) -> None:
    """Send letters to where they came from: to their topic on the source's broker, or to the end of a followed file.

    Say which: by their NUMBERS, or --all, --stage, --since, which leave out those that were sent again already. Whoever
    else listens to the topic gets them too; without a daemon that runs, or a persistent session, nobody does. A message
    that is refused again is a new letter, which says how often it was.
    """
    if not (numbers or everything or stages or since):
        raise click.UsageError("Say which: their NUMBERS, --all, --stage or --since.")
    if numbers and (everything or stages or since):
        raise click.UsageError("Give NUMBERS, or --all, --stage and --since.")
    loaded = _loaded(config, overlays, settings)
    there = list(_letters(loaded))
    chosen = _numbered(there, numbers) if numbers else list(_chosen(there, stages=stages, since=since))
    if not numbers:
        chosen = [each for each in chosen if each.replayed is None]
    from riotd.cli import redelivery  # noqa: PLC0415 - `riotd dlq --help` must not load the client
    from riotd.cli.progress import bar  # noqa: PLC0415

    job = redelivery.Job(loaded, _path(loaded), chosen, there[0].number if there else 0)
    with bar("Replaying", total=float(len(chosen)) or None, shown=progress) as shown:
        summary = redelivery.run(job, shown)
    click.echo(json.dumps(summary) if as_json else redelivery.sentence(summary))
    sys.exit(1 if summary["not_sent"] else 0)


def _loaded(file: Path, overlays: Sequence[str], settings: Sequence[str]) -> "Config":
    from riotd import config as cfg  # noqa: PLC0415 - `riotd dlq --help` must not load it

    return cfg.load(file, settings, overlays=overlays)


def _path(config: "Config") -> Path:
    """Where the store is.

    Raises:
        ClickException: there is none; says where the letters go.
    """
    rejects = config.rejects
    remedy = "rejects: {type: file, path: …} would keep them"
    if rejects.type == "mqtt":
        topic = rejects.topic.replace("{name}", config.name)
        raise click.ClickException(f"Dead letters go to the topic {topic}, for whoever subscribes to it; {remedy}.")
    if rejects.type == "log":
        raise click.ClickException(f"Dead letters go to the log; {remedy}.")
    return rejects.path


def _letters(config: "Config") -> "Iterator[Letter]":
    """All there are, the oldest first.

    Raises:
        ClickException: they can't be read.
    """
    from riotd.letters import read_letters  # noqa: PLC0415 - as above

    path = _path(config)
    try:
        yield from read_letters(path)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}.") from None


def _chosen(letters: "Iterable[Letter]", *, stages: Sequence[str], since: str | None) -> "Iterator[Letter]":
    from riotd import units  # noqa: PLC0415 - as above

    try:
        oldest = 0.0 if since is None else time.time() - units.seconds(since)
    except ValueError as error:
        raise click.UsageError(f"--since: {error}.") from None
    for each in letters:
        if each.letter.time >= oldest and (not stages or each.letter.stage in stages):
            yield each


def _numbered(letters: "Iterable[Letter]", numbers: Sequence[int]) -> "list[Letter]":
    """Those of these numbers, in their order.

    Raises:
        ClickException: there is one that is not there.
    """
    found: dict[int, Letter] = {}
    first = last = 0
    for each in letters:
        first, last = first or each.number, each.number
        if each.number in numbers:
            found[each.number] = each
    if missing := [number for number in numbers if number not in found]:
        there = f"there are {first} to {last}" if last else "there is none"
        raise click.ClickException(f"No dead letter {missing[0]}; {there}.")
    return list(found.values())


def _plain(letter: "Letter") -> dict[str, Any]:
    """As it lies in the store, with when it was sent again."""
    from riotd.letters import encode_letter  # noqa: PLC0415 - as above

    line: dict[str, Any] = json.loads(encode_letter(letter.letter, number=letter.number, times=letter.times))
    return {**line, "replayed": letter.replayed}
