"""`riotd demo`: see it all work, on this machine."""

import asyncio
import sys
from pathlib import Path
from typing import Literal

import click


@click.command()
@click.option("--full", is_flag=True, help="All four dataflows: ETL, STATS, TRAIN and PRED, and how their loop closes.")
@click.option("--seconds", type=float, show_default="60, with --full 120", help="How long to run.")
@click.option("--rate", default=200.0, show_default=True, help="Packs a second.")
@click.option("--url", help="A broker of your own, mqtt://host:1883; default one that is started, and ended.")
@click.option("--engine", type=click.Choice(["ray", "inline"]), show_default="ray", help="Not with --full.")
@click.option(
    "--with",
    "dataset",
    type=click.Choice(["city", "taxi", "fit"]),
    show_default="city",
    help="Whose sensors; with --full.",
)
@click.option("--train-every", metavar="DURATION", show_default="20s", help="How often TRAIN trains; with --full.")
@click.option(
    "--folder",
    default=".demo",
    show_default=True,
    type=click.Path(path_type=Path),
    help="For dead letters; with --full for table, models, charts and logs.",
)
def command(
    *,
    full: bool,
    seconds: float | None,
    rate: float,
    url: str | None,
    engine: Literal["ray", "inline"] | None,
    dataset: Literal["city", "taxi", "fit"] | None,
    train_every: str | None,
    folder: Path,
) -> None:
    """Watch a whole pipeline: broker, a city of sensors with faults, the daemon, its results and its books.

    With --full it is four daemons, as config/etl.yaml, stats.yaml, train.yaml and pred.yaml have them: what ETL keeps,
    TRAIN learns from, and PRED takes over the models while it runs. Needs riotd[learn,plot,stores].

    Ends after --seconds, or by Ctrl-C: drains, prints the ledger, exits with 0.

    \b
    Examples:
      riotd demo --seconds 20 --engine inline
      riotd demo --full --with taxi
    """  # noqa: D301 - click's mark for text not to be wrapped
    from rich.console import Console  # noqa: PLC0415 - `riotd --help` must not load the daemon

    from riotd import logs  # noqa: PLC0415
    from riotd.mqtt import Loop  # noqa: PLC0415

    logs.setup("warning")
    console = Console()
    if full and engine is not None:
        raise click.UsageError("--engine does not go with --full: each of the four has its own in its config.")
    if not full and (dataset or train_every):
        raise click.UsageError("--with and --train-every go with --full only.")
    if full:
        from riotd.demo.full import session as four  # noqa: PLC0415

        wanted = four.Options(
            dataset or "city", 120.0 if seconds is None else seconds, rate, url, train_every or "20s", folder
        )
        life = four.FullDemo(wanted, console).run()
    else:
        from riotd.demo.session import Demo, Options  # noqa: PLC0415

        life = Demo(Options(60.0 if seconds is None else seconds, rate, url, engine or "ray", folder), console).run()
    with asyncio.Runner(loop_factory=Loop) as runner:
        sys.exit(runner.run(life))
