"""`riotd scale`: more shards for a running daemon, or fewer."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riotd.cli.daemons import daemon_name
from riotd.cli.options import app_dir_option, set_option, with_option
from riotd.cli.progress import bar

if TYPE_CHECKING:
    from riotd.control import Asker

_PAUSE = 0.05
"""Seconds between two looks."""
_OVER = ("done", "failed", "stopped")
FAILED, REFUSED = 1, 2

EPILOG = """\b
Examples:
  riotd scale config/etl.yaml 4
  riotd scale city 1                     by its name
  riotd scale city 4 --json | jq .longest_gap_ms
  riotd scale city                       how many there are, and how far a change is

\b
Exit codes: 0 done, 1 not running or it could not be done, 2 refused, 78 the configuration is wrong."""


@click.command("scale", epilog=EPILOG)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("shards", type=click.IntRange(1, 128), required=False)
@with_option
@set_option
@app_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as a JSON object.")
def command(  # noqa: PLR0917 - one for each option
    config: Path,
    shards: int | None,
    overlays: Sequence[str],
    settings: Sequence[str],
    app_dir: str,  # noqa: ARG001 - its callback has put it where tasks are found
    as_json: bool,
) -> None:
    """Give the daemon that runs CONFIG so many SHARDS: CONFIG is its file, or its name.

    Key-groups move one by one, each with the state of its devices, while everything runs; what has come of it is kept
    over a restart until engine.shards of the config changes. Ctrl-C ends the looking on, not the change.
    """
    from riotd.control import Asker, NotRunningError, RefusedError, places  # noqa: PLC0415 - `--help` must not load it

    name = daemon_name(config, overlays, settings)
    try:
        with Asker(places(name)) as asker:
            report = asker.ask("scaling") if shards is None else _followed(asker, name, shards)
    except NotRunningError as error:
        click.echo(f"{name} is not running: {error}", err=True)
        sys.exit(FAILED)
    except RefusedError as error:
        click.echo(f"{name}: {error}", err=True)
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        click.echo(f"{name} goes on with it: `riotd scale {name}` says how far it is", err=True)
        sys.exit(FAILED)
    click.echo(json.dumps(report) if as_json else f"{name}: {_told(report)}")
    sys.exit(FAILED if report.get("phase") in {"failed", "stopped"} else 0)


def _followed(asker: "Asker", name: str, shards: int) -> dict[str, Any]:
    """Have it begin, and look on until it is over; the last report."""
    report: dict[str, Any] = asker.ask("scale", shards=shards)
    with bar(f"{name}: {report['from']} → {report['to']} shards", total=report["moves"]) as progress:
        while report["phase"] not in _OVER:
            progress.update(report["moved"], _note(report))
            time.sleep(_PAUSE)
            report = asker.ask("scaling")
    return report


def _note(report: dict[str, Any]) -> str:
    if report["phase"] != "moving":
        return str(report["phase"])
    return f"{report['moved']} of {report['moves']} key-groups, longest gap {report['longest_gap_ms']:.0f} ms"


def _told(report: dict[str, Any]) -> str:
    """What came of it, in words."""
    if "phase" not in report:
        return _counted(report["to"])
    words: dict[str, Callable[[], str]] = {"done": lambda: _done(report), "failed": lambda: _failed(report)}
    return words.get(report["phase"], lambda: f"{report['from']} → {report['to']} shards: {_note(report)}")()


def _done(report: dict[str, Any]) -> str:
    if report["from"] == report["to"]:
        return f"there are {_counted(report['to'])} already"
    return (
        f"{_counted(report['from'])} became {report['to']}: {report['moved']} key-groups moved in"
        f" {report['seconds']:.1f} s, none was held back for more than {report['longest_gap_ms']:.0f} ms"
    )


def _failed(report: dict[str, Any]) -> str:
    return f"it stays at {_counted(report['from'])}: {report['problem']}"


def _counted(shards: int) -> str:
    return f"{shards} shard{'s' * (shards != 1)}"
