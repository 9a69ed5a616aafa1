"""`riotd status`: what a running daemon does, and whether its books are closed."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riotd.cli.daemons import daemon_name
from riotd.cli.options import app_dir_option, set_option, with_option

if TYPE_CHECKING:
    from riotd.control import Asker

NOT_RUNNING = 1
ALARM = 2
_WIDE = 500
"""Columns in a pipe, where nothing is to be broken."""

EPILOG = """\b
Examples:
  riotd status config/etl.yaml
  riotd status city --watch              by its name, once a second
  riotd status city --json | jq .report.ledger

Exit codes: 0 it runs and its books are closed, 1 it is not running, 2 something does not add up, 78 the
configuration is wrong."""


@click.command("status", epilog=EPILOG)
@click.argument("config", type=click.Path(path_type=Path))
@with_option
@set_option
@app_dir_option
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C, or until the daemon ends.")
@click.option("--every", default="1s", show_default=True, metavar="DURATION", help="How often, with --watch.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, a line each.")
def command(  # noqa: PLR0917 - one for each option
    config: Path,
    overlays: Sequence[str],
    settings: Sequence[str],
    app_dir: str,  # noqa: ARG001 - its callback has put it where tasks are found
    watch: bool,
    every: str,
    as_json: bool,
) -> None:
    """Show what the daemon that runs CONFIG does: CONFIG is its file, or its name.

    Latencies are of the window since the last statistics that it published; so are rates, but for those of --watch,
    which are since the picture before.
    """
    from riotd.control import Asker, NotRunningError, places  # noqa: PLC0415 - `--help` must not load it

    name = daemon_name(config, overlays, settings)
    pause = _seconds(every) if watch else None
    code = 0
    try:
        with Asker(places(name)) as asker, _shower(as_json=as_json, watch=watch) as show:
            for answer in _answers(asker, pause):
                show(answer)
                code = ALARM if answer["report"]["alarms"] else 0
    except NotRunningError as error:
        click.echo(f"{name} is not running: {error}", err=True)
        code = NOT_RUNNING
    except KeyboardInterrupt:
        pass  # how a person ends --watch
    sys.exit(code)


def _answers(asker: "Asker", pause: float | None) -> Iterator[dict[str, Any]]:
    """What the daemon says: once, or with a pause again and again."""
    yield asker.ask("status")
    while pause is not None:
        time.sleep(pause)
        yield asker.ask("status")


@contextmanager
def _shower(*, as_json: bool, watch: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """How an answer is shown: as JSON, as tables one below the other, or always in the same place."""
    if as_json:
        yield lambda answer: click.echo(json.dumps(answer, ensure_ascii=False))
        return
    from rich.console import Console  # noqa: PLC0415 - 60 ms that only a person needs
    from rich.live import Live  # noqa: PLC0415 - as above

    from riotd.cli.status_view import Picture  # noqa: PLC0415 - as above

    console, picture = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE), Picture()
    if not (watch and console.is_terminal):
        yield lambda answer: console.print(picture.of(answer))
        return
    with Live(console=console, auto_refresh=False, screen=True, vertical_overflow="crop") as live:
        yield lambda answer: live.update(picture.of(answer), refresh=True)


def _seconds(text: str) -> float:
    from riotd.units import seconds  # noqa: PLC0415 - as above

    try:
        value = seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--every") from None
    if value < 0.1:
        raise click.BadParameter("must be at least 100ms", param_hint="--every")
    return value
