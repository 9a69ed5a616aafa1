"""The configs that come with riotd: the four dataflows of RIoTBench, and where they are."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from riotd.errors import ConfigError, Mistake

FLOWS: Final = ("etl", "stats", "train", "pred")
"""In the order in which data first come to them."""


def folder() -> Path:
    """The folder with the four configs and their overlays: in the installed package, or beside it in a checkout.

    Raises:
        ConfigError: it is in neither.
    """
    package = Path(str(files("riotd")))
    places = (package / "configs", package.parent / "config")
    found = next((place for place in places if all((place / f"{flow}.yaml").is_file() for flow in FLOWS)), None)
    if found is None:
        raise ConfigError([Mistake("config", f"the four dataflows are not in {package}", "install riotd anew")])
    return found
