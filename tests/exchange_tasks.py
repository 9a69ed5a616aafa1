"""Small tasks for tests of exchanges: `tests.exchange_tasks:Fields`."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from riot_tasks import Record, Task, aside


class Fields(Task):
    """`temp=1 hum=2` becomes a record for each field; a payload without `=` none."""

    stateful = False

    def process(self, record: Record) -> Iterable[Record]:
        """One record for each field."""
        payload = record.values["payload"]
        assert isinstance(payload, bytes)
        for part in payload.decode().split():
            name, found, value = part.partition("=")
            if found:
                yield Record(record.id, record.source, record.time, {name: float(value)})


class Trace(Task):
    """Adds how many records its instance has seen, and a fold of who they were of: order shows."""

    def __init__(self, name: str = "trace") -> None:
        self.name = name
        self._seen = 0
        self._fold = 0

    def process(self, record: Record) -> Iterable[Record]:
        """The record with both."""
        self._seen += 1
        for character in f"{record.id} {record.source} {sorted(record.values)}":
            self._fold = (self._fold * 31 + ord(character)) % 1_000_003
        meta = {**record.meta, self.name: f"{self._seen} {self._fold}"}
        return (Record(record.id, record.source, record.time, record.values, {}, meta),)

    def flush(self) -> Iterable[Record]:
        """What was seen, under the last id there may be."""
        return (Record(2**40, "end", 0.0, {f"seen {self.name}": float(self._seen)}),)

    def snapshot(self) -> Mapping[str, Any]:
        """Both."""
        return {"seen": self._seen, "fold": self._fold}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on."""
        self._seen, self._fold = state["seen"], state["fold"]


class Sorter(Task):
    """Sends records whose time is odd aside, as `odd`; counts them."""

    stateful = False
    asides: ClassVar[tuple[str, ...]] = ("odd",)

    def process(self, record: Record) -> Iterable[Record]:
        """The record, here or there."""
        if sum(value for value in record.values.values() if isinstance(value, float)) % 2:
            self.note("odd")
            return (aside(record, "odd"),)
        return (record,)


class Sleeper(Task):
    """Gives its last record again, as `asleep`, when none has come for `idle_timeout` seconds."""

    def __init__(self, idle_timeout: float) -> None:
        self.idle_timeout = idle_timeout
        self._last: Record | None = None

    def process(self, record: Record) -> Iterable[Record]:
        """Nothing; takes note."""
        self._last = record
        return ()

    def on_idle(self) -> Iterable[Record]:
        """The last record."""
        last = self._last
        return () if last is None else (Record(last.id, last.source, last.time, {"asleep": 1.0}),)

    def snapshot(self) -> Mapping[str, Any]:
        """The last record."""
        last = self._last
        return {"last": last and [last.id, last.source, last.time]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on."""
        if state["last"]:
            self._last = Record(*state["last"], {})


class Model(Task):
    """One for all keys: `model=n` sets the model, any other field is multiplied by it."""

    shared = True

    def __init__(self) -> None:
        self._model = 1.0

    def process(self, record: Record) -> Iterable[Record]:
        """The products; for a model what it was before."""
        ((name, value),) = record.values.items()
        assert isinstance(value, float)
        if name == "model":
            before, self._model = self._model, value
            return (Record(record.id, record.source, record.time, {"before": before}),)
        return (Record(record.id, record.source, record.time, {name: value * self._model}),)

    def snapshot(self) -> Mapping[str, Any]:
        """The model."""
        return {"model": self._model}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with it."""
        self._model = state["model"]


class Deadly(Trace):
    """Ends its process at a field `kill`."""

    def process(self, record: Record) -> Iterable[Record]:
        """As Trace, if it lives."""
        if "kill" in record.values:
            import os  # noqa: PLC0415 - only in a worker
            import signal  # noqa: PLC0415

            os.kill(os.getpid(), signal.SIGKILL)
        return super().process(record)


class Heavy(Trace):
    """As Trace, with a state that takes its time to be written."""

    def snapshot(self) -> Mapping[str, Any]:
        """Both, later."""
        time.sleep(0.002)
        return super().snapshot()
