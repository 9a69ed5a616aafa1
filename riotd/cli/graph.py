"""`riotd graph`: a configuration's dataflow, drawn."""

from collections.abc import Sequence
from pathlib import Path

import click

from riotd import config as cfg
from riotd.cli.drawing import dot, draw, mermaid, text
from riotd.cli.options import app_dir_option, config_argument, set_option, with_option
from riotd.cli.svg import svg

FORMATS = {"text": text, "mermaid": mermaid, "dot": dot, "svg": svg}

EPILOG = """\b
Examples:
  riotd graph config/etl.yaml
  riotd graph config/etl.yaml --with grid
  riotd graph config/etl.yaml --format svg > etl.svg
  riotd graph config/etl.yaml --format dot | dot -Tpdf -o etl.pdf

Exit codes: 0 done, 78 the configuration is wrong."""


@click.command("graph", epilog=EPILOG)
@config_argument
@with_option
@set_option
@app_dir_option
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True)
def command(config: Path, overlays: Sequence[str], settings: Sequence[str], app_dir: str, form: str) -> None:
    """Draw the dataflow of CONFIG: sources, stages, sinks; ⇄ is where records go to another shard."""
    loaded = cfg.load(config, settings, overlays=overlays)
    click.echo(FORMATS[form](draw(loaded, cfg.plan(loaded, [app_dir]))))
