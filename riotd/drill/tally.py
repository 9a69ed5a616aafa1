"""`riotd.drill.tally:Tally`: state in which nothing can be missing, doubled or exchanged without being seen."""

from collections.abc import Iterable, Mapping
from struct import pack
from typing import Any
from zlib import crc32

from riot_tasks import Record, Task


class Tally(Task):
    """Numbers the records of a source, and chains a checksum of each to that of all before.

    A record gets the fields `count` and `chain`; the chain is over its time and the bits of its numbers.

    Example:
        >>> from riot_tasks import Record
        >>> task = Tally()
        >>> for reading in (20.0, 21.0):
        ...     for result in task.process(Record(1, "dev7", 0.0, {"v": reading})):
        ...         print(result.values)
        {'v': 20.0, 'count': 1, 'chain': 558758194}
        {'v': 21.0, 'count': 2, 'chain': 3907813457}

    References:
        The checksum is the CRC-32 of RFC 1952, section 8.
    """

    def __init__(self) -> None:
        self._count = self._chain = 0

    def process(self, record: Record) -> Iterable[Record]:
        """The record with its number and the chain so far."""
        self._count += 1
        numbers = [value for value in record.values.values() if isinstance(value, float)]
        self._chain = crc32(pack(f"<{1 + len(numbers)}d", record.time, *numbers), self._chain)
        values = {**record.values, "count": self._count, "chain": self._chain}
        return (Record(record.id, record.source, record.time, values, record.units, record.meta),)

    def snapshot(self) -> Mapping[str, Any]:
        """Number and chain."""
        return {"version": 1, "count": self._count, "chain": self._chain}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._count, self._chain = state["count"], state["chain"]
