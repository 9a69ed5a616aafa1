"""`riotd demo`: see it all work, on this machine."""

import asyncio
import sys
from pathlib import Path

import click


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long to run.")
@click.option("--rate", default=200.0, show_default=True, help="Packs a second.")
@click.option("--url", help="A broker of your own, mqtt://host:1883; default an embedded one.")
@click.option("--engine", default="ray", show_default=True, type=click.Choice(["ray", "inline"]))
@click.option("--folder", default=".demo", show_default=True, type=click.Path(path_type=Path), help="For dead letters.")
def command(seconds: float, rate: float, url: str | None, engine: str, folder: Path) -> None:
    """Watch a whole pipeline: broker, a city of sensors with faults, the daemon, its results and its books.

    Ends after --seconds, or by Ctrl-C: drains, prints the ledger, exits with 0.

    \b
    Example:
      riotd demo --seconds 20 --engine inline
    """  # noqa: D301 - click's mark for text not to be wrapped
    from rich.console import Console  # noqa: PLC0415 - `riotd --help` must not load the daemon

    from riotd import logs  # noqa: PLC0415
    from riotd.demo.session import Demo, Options  # noqa: PLC0415
    from riotd.mqtt import Loop  # noqa: PLC0415

    logs.setup("warning")
    demo = Demo(Options(seconds, rate, url, engine, folder), Console())
    with asyncio.Runner(loop_factory=Loop) as runner:
        sys.exit(runner.run(demo.run()))
