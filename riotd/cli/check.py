"""`riotd check`: every mistake in a configuration, else what would run."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from riotd import config as cfg
from riotd.cli.options import app_dir_option, config_argument, set_option, with_option
from riotd.cli.outline import outline
from riotd.cli.tables import print_labelled
from riotd.cli.verbs import EXIT_CONFIG
from riotd.errors import ConfigError, Mistake

EPILOG = """\b
Examples:
  riotd check config/etl.yaml
  riotd check config/etl.yaml --set engine.type=ray --set engine.shards=4
  riotd check config/etl.yaml --with taxi
  riotd check config/etl.yaml --json | jq .warnings
  riotd check --schema > riotd.schema.json

Exit codes: 0 it can be run, 78 it can't."""


def _print_schema(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(json.dumps(cfg.schema(), indent=2, ensure_ascii=False))
        ctx.exit()


@click.command("check", epilog=EPILOG)
@config_argument
@with_option
@set_option
@app_dir_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object: mistakes, warnings, settings, plan, memory."
)
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON schema of a configuration.",
)
def command(config: Path, overlays: Sequence[str], settings: Sequence[str], app_dir: str, as_json: bool) -> None:
    """Name every mistake in CONFIG, a line each, else show what would run."""
    try:
        loaded = cfg.load(config, settings, overlays=overlays)
    except ConfigError as error:
        if not as_json:
            raise
        click.echo(
            json.dumps({"file": str(config), "ok": False, "mistakes": _plain(error.mistakes)}, ensure_ascii=False)
        )
        raise SystemExit(EXIT_CONFIG) from error
    if as_json:
        click.echo(json.dumps(_report(loaded, app_dir), ensure_ascii=False))
    else:
        _show(loaded)


def _report(config: cfg.Config, app_dir: str) -> dict[str, Any]:
    return {
        "file": config.file,
        "overlays": list(config.overlays),
        "ok": True,
        "mistakes": [],
        "warnings": _plain(cfg.warnings(config)),
        "settings": cfg.settings(config),
        "plan": msgspec.to_builtins(cfg.plan(config, [app_dir])),
        "memory": msgspec.to_builtins(cfg.shares(config)),
        "needs_restart": list(cfg.FIXED),
    }


def _plain(mistakes: Sequence[Mistake]) -> list[dict[str, str]]:
    return [msgspec.to_builtins(mistake) for mistake in mistakes]


def _show(config: cfg.Config) -> None:
    files, verb = " with ".join((config.file, *config.overlays)), "are" if config.overlays else "is"
    click.secho(f"{files} {verb} right: {config.name} would run", bold=True)
    for label, text in outline(config, cfg.plan(config)):
        print_labelled(label, text)
    for warning in cfg.warnings(config):
        print_labelled("warning", str(warning), colour="yellow")
