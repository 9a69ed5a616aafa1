"""How verbs name a running daemon: by its configuration, or by its name."""

import re
from collections.abc import Sequence
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def daemon_name(config: Path, overlays: Sequence[str], settings: Sequence[str]) -> str:
    """The daemon's name: what is said, if it can't be a file, else what the file says.

    Raises:
        ConfigError: the file is wrong.
    """
    if not config.exists() and not config.suffix and _NAME.fullmatch(str(config)):
        return str(config)
    from riotd.config import load  # noqa: PLC0415 - `--help` must not load it

    return load(config, settings, overlays=overlays).name
