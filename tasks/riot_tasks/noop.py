"""`noop`: every record as it came."""

from collections.abc import Iterable

from riot_tasks.record import Record
from riot_tasks.task import Task


class Noop(Task):
    """Gives each record back untouched: what the engine costs, without a task.

    Example:
        >>> from riot_tasks import Record
        >>> record = Record(1, "dev7", 0.0, {"temperature": 21.5})
        >>> list(Noop().process(record)) == [record]
        True

    References:
        RIoTBench NoOperation, arXiv 1701.08530: the baseline of its micro-benchmarks.
    """

    stateful = False
    pattern = "1:1"

    def process(self, record: Record) -> Iterable[Record]:
        """The record itself."""
        return (record,)
