"""Options that several verbs have."""

import sys
from collections.abc import Callable
from pathlib import Path

import click


def _put_first(_ctx: click.Context, _parameter: click.Parameter, folder: Path) -> str:
    """Make `module:Class` of the folder importable, as `python -m` would."""
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.insert(0, place)
    return place


config_argument = click.argument("config", type=click.Path(path_type=Path))

set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key, such as batch.max_wait=2ms or stages.mean.params.window=5. May be repeated.",
)

with_option = click.option(
    "--with",
    "overlays",
    multiple=True,
    metavar="NAME",
    help="Lay another file over it: <folder of CONFIG>/NAME/<name of CONFIG>, or a path. May be repeated.",
)

app_dir_option = click.option(
    "--app-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=".",
    show_default=True,
    callback=_put_first,
    help="Where the modules of module:Class tasks are.",
)


def of_a_config(function: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the argument and options that say which configuration."""
    for decorate in (app_dir_option, set_option, with_option, config_argument):
        function = decorate(function)
    return function
