"""`average`: one mean for every so many readings."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from riot_tasks.algorithms.block_mean import BlockMean, BlockMean32
from riot_tasks.fields import MAX_FIELDS, FieldTask, derived, numbers
from riot_tasks.parameters import flag, whole
from riot_tasks.record import Record, Value


class Average(FieldTask[BlockMean]):
    """The mean of each `window` readings of a field; windows do not overlap.

    Args:
        fields: names of the fields; None is every field that holds a number.
        window: readings in a mean.
        max_fields: with `fields` None, fields to keep state for; a record that brings one more is a BadRecord.
        parity: RIoTBench's arithmetic, single precision, and its end: the last, partial windows are lost.

    Each field fills its own window. The result is made by the record that fills one: it has that record's id
    and time, and only the fields whose window it filled. At the end of a bounded stream the partial windows
    come as one record with the id and time of the last one that counted. A field whose value is None is passed
    over, one that is no number makes the record a BadRecord.

    Example:
        >>> from riot_tasks import Record
        >>> task = Average(["temperature"], window=2)
        >>> for number, reading in enumerate((20.0, 21.0, 30.0)):
        ...     for result in task.process(Record(number, "dev7", 0.0, {"temperature": reading})):
        ...         print(result.id, result.values)
        1 {'temperature': 20.5}
        >>> [result.values for result in task.flush()]
        [{'temperature': 30.0}]

    References:
        RIoTBench AVG (BlockWindowAverage), arXiv 1701.08530, section 4.1.
    """

    code = "AVG"
    pattern = "N:1"

    def __init__(
        self,
        fields: Sequence[str] | None = None,
        *,
        window: int = 10,
        max_fields: int = MAX_FIELDS,
        parity: bool = False,
    ) -> None:
        super().__init__(fields, max_fields)
        self.window = whole("window", window, least=1)
        self.parity = flag("parity", parity)
        self._last: Record | None = None

    def process(self, record: Record) -> Iterable[Record]:
        """The means of the windows that this record fills, as one record; nothing if it fills none."""
        found = numbers(record, self.fields)
        means = self._advance(found)
        if found:
            self._last = record
        return (derived(record, means),) if means else ()

    def flush(self) -> Iterable[Record]:
        """The means of the partial windows, as one record; nothing with `parity`."""
        last, self._last = self._last, None
        means = {name: each.take() for name, each in self._algorithms.items()}
        partial: dict[str, Value] = {name: mean for name, mean in means.items() if mean is not None}
        return (derived(last, partial),) if last and partial and not self.parity else ()

    def snapshot(self) -> Mapping[str, Any]:
        """Sum and count of each field, and whose record came last."""
        last = self._last
        whose = last and [last.id, last.source, last.time, dict(last.units), dict(last.meta)]
        return {**super().snapshot(), "last": whose}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        super().restore(state)
        if state["last"]:
            number, source, time, units, meta = state["last"]
            self._last = Record(number, source, time, {}, units, meta)

    def _algorithm(self) -> BlockMean:
        return BlockMean32(self.window) if self.parity else BlockMean(self.window)
