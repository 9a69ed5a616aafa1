"""`average`: one mean for every so many readings."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from riot_tasks.algorithms.block_mean import BlockMean, BlockMean32
from riot_tasks.fields import MAX_FIELDS, FieldTask, derived, numbers, versioned
from riot_tasks.parameters import flag, whole
from riot_tasks.record import Record


class Average(FieldTask[BlockMean]):
    """The mean of each `window` readings of a field; windows do not overlap.

    Args:
        fields: names of the fields; None is every field that holds a number.
        window: readings in a mean.
        max_fields: with `fields` None, fields to keep state for; a record that brings one more is a BadRecord.
        parity: RIoTBench's arithmetic, single precision, and its end: the last, partial windows are lost.

    Each field fills its own window. The result is made by the record that fills one: it has that record's id
    and time, and only the fields whose window it filled. At the end of a bounded stream the partial windows
    come too, with the id and time of the last record that counted for them: as one record, if the device always
    tells all its fields. A field whose value is None is passed over, one that is no number makes the record a
    BadRecord.

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
        self._lasts: dict[str, Record] = {}

    def process(self, record: Record) -> Iterable[Record]:
        """The means of the windows that this record fills, as one record; nothing if it fills none."""
        found = numbers(record, self.fields)
        means = self._advance(found)
        for name in found:
            self._lasts[name] = record
        return (derived(record, means),) if means else ()

    def flush(self) -> Iterable[Record]:
        """The means of the partial windows, those that end together as one record; nothing with `parity`."""
        ends = self._ends()
        self._lasts = {}
        means = {name: each.take() for name, each in self._algorithms.items()}
        partial = [(last, {name: mean for name in names if (mean := means[name]) is not None}) for last, names in ends]
        return [derived(last, dict(values)) for last, values in partial if values] if not self.parity else ()

    def _ends(self) -> list[tuple[Record, list[str]]]:
        """The records that were the last of some fields, in the order of their messages, with these fields."""
        ends: dict[int, tuple[Record, list[str]]] = {}
        for name in self._algorithms:  # in an order that a snapshot keeps
            if last := self._lasts.get(name):
                ends.setdefault(id(last), (last, []))[1].append(name)
        return sorted(ends.values(), key=lambda end: end[0].id)

    def snapshot(self) -> Mapping[str, Any]:
        """Sum and count of each field, and whose records came last."""
        lasts = [
            [names, last.id, last.source, last.time, dict(last.units), dict(last.meta)] for last, names in self._ends()
        ]
        return {**super().snapshot(), "version": 2, "lasts": lasts}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave; of version 1 is what an earlier riot_tasks did, which knew one last record."""
        versioned(state, 2)
        super().restore({**state, "version": 1})
        old = state["version"] == 1
        lasts = [[list(state["fields"]), *state["last"]]] * bool(state["last"]) if old else state["lasts"]
        for names, number, source, time, units, meta in lasts:
            last = Record(number, source, time, {}, units, meta)
            self._lasts |= dict.fromkeys(names, last)

    def _algorithm(self) -> BlockMean:
        return BlockMean32(self.window) if self.parity else BlockMean(self.window)
