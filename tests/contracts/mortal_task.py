"""A task that takes its worker with it, once: `tests.contracts.mortal_task:Mortal`."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

from riot_tasks import Record
from riot_tasks.statistics.average import Average


class Mortal(Average):
    """An average that kills its process at a record, unless a file says that it has done so before.

    Args:
        window: as `Average` has it.
        at: id of the record.
        mark: path of the file.
    """

    def __init__(self, *, window: int, at: int, mark: str) -> None:
        super().__init__(window=window)
        self.at, self.mark = at, mark

    def process(self, record: Record) -> Iterable[Record]:
        """As `Average`, if anybody is left to do it."""
        if record.id == self.at and not Path(self.mark).exists():
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().process(record)
