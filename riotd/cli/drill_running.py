"""`riotd drill CONFIG --running`: hurt the daemon that is in use, if a person says so."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from riotd.drill.running import Running, Shock


class Wish(NamedTuple):
    """What the command line says: the file and what is laid over it, the faults, whether it is sure, how to answer."""

    config: Path | None
    overlays: tuple[str, ...]
    settings: tuple[str, ...]
    faults: tuple[str, ...]
    within: float
    sure: bool
    as_json: bool


def drill(wish: Wish) -> None:
    """Do it, and exit: 0 if it is well after each fault, else 1."""
    from riotd import config as cfg  # noqa: PLC0415 - `riotd --help` must not load the drill
    from riotd.clock import SystemClock  # noqa: PLC0415
    from riotd.control import NotRunningError, places  # noqa: PLC0415
    from riotd.drill.running import SAFE, Running  # noqa: PLC0415

    if wish.config is None:
        raise click.UsageError("--running is for the daemon of a CONFIG.")
    if not wish.faults or any(fault not in SAFE for fault in wish.faults):
        raise click.UsageError(f"--running takes --faults that you name, of these: {', '.join(SAFE)}.")
    config = cfg.load(wish.config, wish.settings, overlays=wish.overlays)
    if "kill-daemon" in wish.faults and config.durable == "none":
        raise click.ClickException(f"{config.name} keeps nothing: killed, it would lose its tasks' state.")
    daemon = Running(places(config.name), within=wish.within, clock=SystemClock())
    try:
        pid = daemon.look()["pid"]
        if not wish.sure:
            _asked(f"{config.name}, process {pid}, which is in use", wish.faults, SAFE)
        shocks = _struck(daemon, wish.faults, as_json=wish.as_json)
    except NotRunningError as error:
        raise click.ClickException(f"{config.name} is not running: {error}") from None
    except PermissionError:
        raise click.ClickException(f"{config.name} is another user's: drill it as that user, or as root") from None
    sys.exit(1 if any(shock.complaint for shock in shocks) else 0)


def _asked(whom: str, faults: Sequence[str], known: dict[str, str]) -> None:
    """Ask a person; without one there is no drill."""
    click.echo(f"This will hurt {whom}:", err=True)
    for fault in faults:
        click.echo(f"  {fault}: {known[fault]}", err=True)
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody is there to confirm it; --yes if you are sure.")
    click.confirm("Go on?", abort=True, err=True)


def _struck(daemon: "Running", faults: Sequence[str], *, as_json: bool) -> "list[Shock]":
    import msgspec  # noqa: PLC0415 - as above

    shocks = []
    for fault in faults:
        shock = daemon.strike(fault)
        shocks.append(shock)
        if as_json:
            click.echo(json.dumps({**msgspec.to_builtins(shock), "complaint": shock.complaint}))
        else:
            click.echo(f"{fault:<14} {_said(shock)}")
        if shock.back is None:
            break  # there is nobody left to hurt
    return shocks


def _said(shock: "Shock") -> str:
    if shock.complaint:
        return f"NOT WELL: {shock.complaint}"
    again = f", {shock.replayed:,} messages done again" if shock.replayed else ""
    return f"back after {shock.back:.1f} s, its books closed after {shock.closed:.1f} s{again}"
