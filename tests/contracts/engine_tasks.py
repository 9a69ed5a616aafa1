"""Tasks that show what an engine did: `tests.contracts.engine_tasks:Fold`."""

import os
import signal
from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

from riot_tasks import BadRecord, Record, Task


class Fold(Task):
    """Digest of all payloads of a source so far: changes with every loss, double and exchange. `bad` is refused."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._digest = seed

    def process(self, record: Record) -> Iterable[Record]:
        """The digest after this record."""
        payload = record.values["payload"]
        if payload == b"bad":
            raise BadRecord("it is bad")
        self._digest = crc32(payload, self._digest)  # type: ignore[arg-type]
        return (Record(record.id, record.source, record.time, {"payload": b"%d" % self._digest}),)

    def flush(self) -> Iterable[Record]:
        """The digest at the end."""
        return (Record(-1, "end", 0.0, {"payload": b"%d" % self._digest}),)

    def snapshot(self) -> Mapping[str, Any]:
        """The digest."""
        return {"digest": self._digest}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from it."""
        self._digest = state["digest"]


class Deadly(Task):
    """Ends its process at the payload `kill`; else gives the record."""

    stateful = False

    def process(self, record: Record) -> Iterable[Record]:
        """The record, if anybody is left to give it."""
        if record.values["payload"] == b"kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return (record,)


class Exiting(Task):
    """Ends its process at the payload `exit`, as a library that gives up does; else gives the record."""

    stateful = False

    def process(self, record: Record) -> Iterable[Record]:
        """The record, unless it says exit."""
        if record.values["payload"] == b"exit":
            os._exit(3)
        return (record,)
