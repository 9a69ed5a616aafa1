"""`riotd journal`: what is in a daemon's journal, whether it is whole, and what is to be done if it is not."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from riotd.cli.options import of_a_config

if TYPE_CHECKING:
    from riotd.journal import Folder
    from riotd.journal.survey import Survey

EPILOG = """\b
Examples:
  riotd journal ls config/etl.yaml
  riotd journal show config/etl.yaml 1763800000000017
  riotd journal check config/etl.yaml
  riotd journal repair config/etl.yaml            says what it would do
  riotd journal repair config/etl.yaml --write    does it

Exit codes: 0 whole, or whole again; 1 damaged, or there is no such message; 78 the configuration is wrong."""

LS_EPILOG = """\b
Examples:
  riotd journal ls config/etl.yaml
  riotd journal ls config/etl.yaml --json | jq .segments"""

SHOW_EPILOG = """\b
Examples:
  riotd journal show config/etl.yaml 1763800000000017
  riotd journal show config/etl.yaml 1763800000000017 --raw | riotd try senml_parse"""

CHECK_EPILOG = """\b
Examples:
  riotd journal check config/etl.yaml
  riotd journal check config/etl.yaml --json | jq '.damages[].done_again_without'"""

REPAIR_EPILOG = """\b
Examples:
  riotd journal repair config/etl.yaml
  systemctl stop riotd@etl && riotd journal repair config/etl.yaml --write && systemctl start riotd@etl"""

_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group("journal", epilog=EPILOG)
def command() -> None:
    """Look into a daemon's journal and snapshots, check them, repair them.

    The journal has what came in, from before it was acknowledged until a snapshot has what followed from it. All but
    `repair --write` only read, and the daemon may run meanwhile: then its last bytes may be only half there.
    """


@command.command("ls", epilog=LS_EPILOG)
@of_a_config
@_json
def ls(config: Path, overlays: Sequence[str], settings: Sequence[str], app_dir: str, *, as_json: bool) -> None:  # noqa: ARG001 - app_dir's callback has put it where tasks are found
    """List the files of CONFIG's journal with the messages in them, and its snapshots."""
    with _folder(config, overlays, settings) as folder:
        survey = _surveyed(folder)
    if as_json:
        click.echo(_plain(survey))
        return
    from riotd.cli import journal_view as view  # noqa: PLC0415 - `riotd journal --help` must not load it

    view.show_files(survey)
    if any(not damage.torn for damage in survey.damages):
        click.echo("It is damaged: see `riotd journal check`.", err=True)


@command.command("show", epilog=SHOW_EPILOG)
@of_a_config
@click.argument("number", type=int)
@click.option("--raw", is_flag=True, help="The payload's bytes and nothing else.")
def show(  # noqa: PLR0917 - one for each option
    config: Path,
    overlays: Sequence[str],
    settings: Sequence[str],
    app_dir: str,  # noqa: ARG001 - as above
    number: int,
    raw: bool,
) -> None:
    """Show message NUMBER, which is the id that its results carry."""
    from riotd.journal.survey import message  # noqa: PLC0415 - as above

    with _folder(config, overlays, settings) as folder:
        found = message(folder, number)
        survey = _surveyed(folder)
    if found is None:
        there = ", ".join(f"{each.first} to {each.end - 1}" for each in survey.segments if each.messages) or "none"
        raise click.ClickException(f"No message {number}; there are {there}.")
    if raw:
        sys.stdout.buffer.write(found.payload)
        return
    from riotd.cli import journal_view as view  # noqa: PLC0415 - as above

    view.show_message(found, survey)


@command.command("check", epilog=CHECK_EPILOG)
@of_a_config
@_json
def check(config: Path, overlays: Sequence[str], settings: Sequence[str], app_dir: str, *, as_json: bool) -> None:  # noqa: ARG001 - as above
    """Say whether the journal is whole; if not, where it is damaged, and which messages are lost by that."""
    with _folder(config, overlays, settings) as folder:
        survey = _surveyed(folder)
    if as_json:
        click.echo(_plain(survey))
    else:
        from riotd.cli import journal_view as view  # noqa: PLC0415 - as above

        view.show_damages(survey)
    sys.exit(1 if any(not damage.torn for damage in survey.damages) else 0)


@command.command("repair", epilog=REPAIR_EPILOG)
@of_a_config
@click.option("--write", is_flag=True, help="Do it; otherwise it is only said.")
def repair(config: Path, overlays: Sequence[str], settings: Sequence[str], app_dir: str, *, write: bool) -> None:  # noqa: ARG001 - as above
    """Cut out what is damaged; what is lost by it becomes a dead letter each at the next start.

    Nothing is removed: a damaged file stays beside the repaired one, as <name>.damaged. Messages whose content is gone
    keep their numbers, and are refused with the reason when the daemon starts. With --write the daemon must be stopped.
    """
    from riotd.cli import journal_view as view  # noqa: PLC0415 - as above
    from riotd.journal.repair import UnrepairableError, planned, repaired  # noqa: PLC0415
    from riotd.journal.suspects import Suspects  # noqa: PLC0415

    with _folder(config, overlays, settings, lock=write) as folder:
        survey = _surveyed(folder)
        view.show_damages(survey)
        try:
            plan = planned(folder, survey)
        except UnrepairableError as error:
            raise click.ClickException(str(error)) from None
        if not plan.files:
            return
        view.show_repair(plan, write=write)
        if not write:
            sys.exit(1)
        after = repaired(folder, plan, Suspects(folder, folder.path))
    sys.exit(1 if any(not damage.torn for damage in after.damages) else 0)


@contextmanager
def _folder(file: Path, overlays: Sequence[str], settings: Sequence[str], *, lock: bool = False) -> "Iterator[Folder]":
    """The state folder of a configuration.

    Raises:
        ClickException: there is none, or it can't be read.
        ConfigError: a daemon has it, and it is to be ours.
    """
    from riotd import config as cfg  # noqa: PLC0415 - as above
    from riotd.journal import Folder  # noqa: PLC0415

    config = cfg.load(file, settings, overlays=overlays)
    if config.durable == "none":
        raise click.ClickException(f"{config.name} keeps nothing: its source is of QoS 0, or ack is processed.")
    if not config.state_folder.is_dir():
        raise click.ClickException(f"{config.state_folder} is not there: {config.name} has not run yet, as this user.")
    folder = Folder(config.state_folder)
    try:
        if lock:
            folder.lock()
        yield folder
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder.path}: {error.strerror or error}.") from None
    finally:
        folder.close()


def _surveyed(folder: "Folder") -> "Survey":
    from riotd.journal.survey import surveyed  # noqa: PLC0415 - as above

    return surveyed(folder)


def _plain(survey: "Survey") -> str:
    """As JSON."""
    import msgspec  # noqa: PLC0415 - as above

    data = msgspec.to_builtins(survey)
    for damage, each in zip(data["damages"], survey.damages, strict=True):
        harm = survey.harm(each)
        damage |= {"lost": each.lost, "done_again_without": [harm.start, harm.stop] if harm else []}
    return json.dumps(data)
