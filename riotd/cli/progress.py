"""A progress bar on standard error: after a second, on a terminal only."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0  # seconds that need no bar
_REFRESH = 0.1  # seconds between two looks


class Bar:
    """How far something is.

    Args:
        label: what it is that takes long.
        total: how much there is to do; None if nobody knows.
        shown: False for no bar at all.
    """

    def __init__(self, label: str, *, total: float | None, shown: bool) -> None:
        self._next = time.monotonic() + _PATIENCE
        self._progress = _columns(total) if shown else None  # now: importing rich takes 0.1 s, at a bad moment later
        self._started = False
        self._label, self._total = label, total

    def update(self, done: float, note: str) -> None:
        """So much of the total is done; the note is put beside the bar. Cheap to call often."""
        if self._progress is None or (now := time.monotonic()) < self._next:
            return
        self._next = now + _REFRESH
        if not self._started:
            self._started = True
            self._task = self._progress.add_task(self._label, total=self._total, note="")
            self._progress.start()
        self._progress.update(self._task, completed=done, note=note)

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._progress is not None and self._started:
            self._progress.stop()


def _columns(total: float | None) -> "Progress":
    from rich.console import Console  # noqa: PLC0415 - not needed without a bar
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn  # noqa: PLC0415

    percent = [TaskProgressColumn()] if total else []
    columns = (TextColumn("{task.description}"), BarColumn(), *percent, TextColumn("{task.fields[note]}"))
    return Progress(*columns, console=Console(stderr=True), transient=True)


@contextmanager
def bar(label: str, *, total: float | None = None, shown: bool | None = None) -> Iterator[Bar]:
    """A bar while the block runs; by default where standard error is a terminal."""
    progress = Bar(label, total=total, shown=sys.stderr.isatty() if shown is None else shown)
    try:
        yield progress
    finally:
        progress.close()
