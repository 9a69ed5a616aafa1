"""Tasks that take more than they should of time and memory: `tests.contracts.costly_tasks:Costly`."""

import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from riot_tasks import Record, Task, Unavailable

FOREVER = re.compile(rb"(a+)+$")
"""Of thirty `a` and something else it takes minutes, all the while with Python's lock."""


class Costly(Task):
    """Does what the payload says; else gives the record.

    `hang` never returns; `lock` neither, and holds Python's lock; `bloat` asks for 8 GB in one go; `swell` takes memory
    little by little, without end; `nap` takes 0.2 s.
    """

    stateful = False

    def process(self, record: Record) -> Iterable[Record]:
        """The record, in time or not."""
        payload = record.values["payload"]
        if payload == b"hang":
            while True:
                time.sleep(0.01)
        elif payload == b"lock":
            FOREVER.match(b"a" * 60 + b"b")
        elif payload == b"bloat":
            bytes(8 * 10**9)
        elif payload == b"swell":
            taken = []
            while True:
                taken.append(b"x" * 10**6)
                time.sleep(0.004)
        elif payload == b"nap":
            time.sleep(0.2)
        return (record,)


class Waiting(Task):
    """Waits outside for a file to be there.

    Args:
        path: the file.
    """

    stateful = False
    waits = True

    def __init__(self, *, path: str) -> None:
        self.path = path

    def process(self, record: Record) -> Iterable[Record]:
        """The record, once the file is there."""
        if not Path(self.path).exists():
            raise Unavailable("the file is not there")
        return (record,)

    def snapshot(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}
