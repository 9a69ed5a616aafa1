"""`riotd run`: the daemon."""

import asyncio
import sys
from pathlib import Path

import click

from riotd.cli.options import app_dir_option, config_argument, set_option, with_option


@click.command()
@config_argument
@with_option
@set_option
@app_dir_option
@click.option(
    "--log-level", default="info", show_default=True, type=click.Choice(["debug", "info", "warning", "error"])
)
def command(config: Path, overlays: tuple[str, ...], settings: tuple[str, ...], app_dir: str, log_level: str) -> None:
    """Run the daemon on CONFIG until it is told to stop.

    SIGTERM or Ctrl-C drains and ends with 0; a second one leaves at once, with 1 if messages stay unacknowledged.
    SIGHUP checks the files again and goes over to them at a batch boundary. Exit 78: one of them is wrong.

    \b
    Examples:
      riotd run config/minimal.yaml --set source.url=mqtt://broker:1883
      riotd run config/etl.yaml --with taxi
    """  # noqa: D301 - click's mark for text not to be wrapped
    from riotd import logs  # noqa: PLC0415 - `riotd --help` must not load the daemon

    logs.setup(log_level)
    from riotd.config import Config, load  # noqa: PLC0415

    def again() -> Config:
        return load(config, settings, overlays=overlays)

    loaded = again()
    from riotd import wiring  # noqa: PLC0415
    from riotd.garbage import collect_rarely  # noqa: PLC0415
    from riotd.mqtt import Loop  # noqa: PLC0415
    from riotd.notify import Notifier  # noqa: PLC0415
    from riotd.supervisor import Supervisor  # noqa: PLC0415

    service = wiring.build(loaded, path=(app_dir,))
    supervisor = Supervisor(service, reload=again, notifier=Notifier.from_environment())
    collect_rarely()
    with asyncio.Runner(loop_factory=Loop) as runner:
        sys.exit(runner.run(supervisor.run()))
