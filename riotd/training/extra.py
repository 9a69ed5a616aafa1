"""Is the extra `train` installed? Asked before anything of it is imported."""

from importlib.util import find_spec

from riotd.errors import ConfigError, Mistake

NEEDED = ("numpy", "pandas", "pyarrow", "ray", "sklearn")
"""Modules of it that a job can't do without."""


def check_installed() -> None:
    """See that it is there.

    Raises:
        ConfigError: it is not.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError([Mistake("train", f"{', '.join(missing)} not installed", "pip install 'riotd[train]'")])
