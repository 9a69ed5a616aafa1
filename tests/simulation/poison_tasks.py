"""Tasks that fail at some records: `tests.simulation.poison_tasks:Fields`."""

from collections.abc import Iterable

from riot_tasks import BadRecord, Record
from tests.exchange_tasks import Fields as PlainFields
from tests.exchange_tasks import Trace


class Fields(PlainFields):
    """Refuses a payload that begins with `bad`, gives up in the midst of one that ends with `broken`."""

    def process(self, record: Record) -> Iterable[Record]:
        """One record for each field."""
        payload = record.values["payload"]
        assert isinstance(payload, bytes)
        if payload.startswith(b"bad"):
            raise BadRecord("it says so itself")
        yield from super().process(record)
        if payload.endswith(b"broken"):
            raise ZeroDivisionError("behind its records")


class Touchy(Trace):
    """As Trace; fails, once it has counted it, at a record whose value ends in 13."""

    def process(self, record: Record) -> Iterable[Record]:
        """The record."""
        given = super().process(record)
        if any(isinstance(value, float) and value % 100 == 13 for value in record.values.values()):
            raise ValueError("13")
        return given
