"""Where a batch's results go, and that nothing is written over what is read or over another result."""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from riotd.bounded.running import Run
from riotd.errors import ConfigError, Mistake


def target_in(folder: Path | str, source: Path | str, ending: str) -> Path:
    """The file in a folder that has an input's name, with another ending: `city.csv.gz` to `city.jsonl`."""
    name = Path(source).name.removesuffix(".gz")
    return Path(folder) / f"{Path(name).stem or 'input'}{ending}"


def check_targets(runs: Sequence[Run]) -> None:
    """See that every run has a file of its own to write to.

    Raises:
        ConfigError: an output is an input, or two are the same, or there is no folder for one.
    """
    mistakes = []
    taken: dict[str, str] = {}
    for run in runs:
        if run.target in taken:
            what = f"{taken[run.target]} and {run.name} would both be written there"
            mistakes.append(Mistake(run.target, what, "rename one, or run them into different folders"))
        taken.setdefault(run.target, run.name)
    sources = {_identity(run.name) for run in runs}
    mistakes += [
        Mistake(run.target, "is also what is read", "write somewhere else")
        for run in runs
        if (identity := _identity(run.target)) is not None and identity in sources
    ]
    if mistakes:
        raise ConfigError(mistakes)


def _identity(path: str) -> tuple[int, int] | None:
    with suppress(OSError):
        found = os.stat(path)  # noqa: PTH116 - of what may be no path at all
        if stat.S_ISREG(found.st_mode):
            return found.st_dev, found.st_ino
    return None
