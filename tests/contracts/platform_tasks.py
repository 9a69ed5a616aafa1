"""Tasks for the platforms' contract: `tests.contracts.platform_tasks:Unpack`."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from riot_tasks import Record, Task


class Unpack(Task):
    """Makes a record of a payload `[time, values]` in MessagePack, or one for each of its values."""

    stateful = False
    pattern = "1:N"

    def __init__(self, *, explode: bool = False) -> None:
        self.explode = explode

    def process(self, record: Record) -> Iterable[Record]:
        """The record, under the message's id and key."""
        time, values = msgspec.msgpack.decode(record.values["payload"])
        parts = [{name: value} for name, value in values.items()] if self.explode else [values]
        return [Record(record.id, record.source, time, part, {"temperature": "Cel"}, {"bn": "urn"}) for part in parts]


class Vanishing(Task):
    """Needs a file when it is made; gives each record."""

    stateful = False

    def __init__(self, path: str) -> None:
        self.path = path
        if not Path(path).exists():
            raise ValueError(f"path: there is no {path}")

    def process(self, record: Record) -> Iterable[Record]:
        """The record."""
        return (record,)


class Dying(Task):
    """Ends its process at once."""

    def process(self, record: Record) -> Iterable[Record]:
        """Nothing any more."""
        os._exit(record.id + 3)


class Interrupted(Task):
    """Gets a Ctrl-C at every record."""

    def process(self, record: Record) -> Iterable[Record]:
        """Nothing."""
        raise KeyboardInterrupt(record.id)


class Tried(Task):
    """Takes temperature for what a model on trial says, humidity for what the one in force does."""

    stateful = False

    def process(self, record: Record) -> Iterable[Record]:
        """A record as predicting tasks give it aside."""
        found = record.values
        values = {"light": found.get("light")}
        values |= {"prediction": found.get("temperature"), "prediction_in_force": found.get("humidity")}
        meta = {"model": "new", "beside": "old"}
        return (Record(record.id, record.source, record.time, values, {}, meta),)
