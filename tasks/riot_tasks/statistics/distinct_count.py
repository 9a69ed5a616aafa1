"""`distinct_count`: how many different ones there were."""

from collections.abc import Iterable, Mapping
from typing import Any

from riot_tasks.algorithms.float32 import float32
from riot_tasks.algorithms.loglog import LogLog
from riot_tasks.fields import versioned
from riot_tasks.parameters import flag, name, whole
from riot_tasks.record import Record, Value, text
from riot_tasks.task import Task


class DistinctCount(Task):
    """A running estimate of the number of different devices, or of different values of a field.

    Args:
        item: what is counted: `source`, the records' source, or a field's name: its values, as text. 8, 8.0
            and "8" are the same item.
        trigger: count only records in which this field has a value; None is every record.
        buckets: the estimate uses 2 ** buckets registers of a byte; its relative error is about
            1.3 / sqrt(2 ** buckets), 4 % at 10.
        parity: RIoTBench's estimate: no correction for small counts (it never reads below 0.794 * 2 ** buckets),
            rounded down.

    Every record counted gives a record whose only field is `distinct_count`, of unit `count`. A record without
    the item, or without the trigger, gives nothing.

    A task sees the records of one key. With the usual key, the device, counting sources gives 1: to count
    devices, run it where all records have one key.

    Example:
        >>> from riot_tasks import Record
        >>> task = DistinctCount()
        >>> for source in ("dev1", "dev2", "dev1"):
        ...     for result in task.process(Record(1, source, 0.0, {"temperature": 20.0})):
        ...         print(result.source, result.values)
        dev1 {'distinct_count': 1}
        dev2 {'distinct_count': 2}
        dev1 {'distinct_count': 2}

    References:
        Durand and Flajolet, "Loglog Counting of Large Cardinalities", ESA 2003.
        RIoTBench DAC, arXiv 1701.08530, section 4.1.
    """

    code = "DAC"
    pattern = "1:1"

    def __init__(
        self, item: str = "source", *, trigger: str | None = None, buckets: int = 10, parity: bool = False
    ) -> None:
        self.item = name("item", item)
        self.trigger = None if trigger is None else name("trigger", trigger)
        self.buckets = whole("buckets", buckets, least=1, most=20)
        self.parity = flag("parity", parity)
        self._count = LogLog(buckets)

    def process(self, record: Record) -> Iterable[Record]:
        """The number of different items so far, this one included."""
        item = record.source if self.item == "source" else record.values.get(self.item)
        if item is None or (self.trigger is not None and record.values.get(self.trigger) is None):
            return ()
        self._count.add(text(item).encode(errors="replace"))
        values: dict[str, Value] = {"distinct_count": self._estimate()}
        return (Record(record.id, record.source, record.time, values, {"distinct_count": "count"}, record.meta),)

    def _estimate(self) -> float:
        if self.parity:
            return float32(self._count.estimate_as_riotbench())
        return round(self._count.estimate())

    def snapshot(self) -> Mapping[str, Any]:
        """The registers."""
        return {"version": 1, "registers": self._count.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        self._count.load(versioned(state, 1)["registers"])
