"""`annotate`: what is known about a device, added to what it says."""

from collections.abc import Iterable, Mapping, Sequence

from riot_tasks import parameters
from riot_tasks.errors import BadRecord
from riot_tasks.parameters import name, one_of
from riot_tasks.parse import annotations
from riot_tasks.record import Record, Value, text
from riot_tasks.showing import shown
from riot_tasks.task import Task


class Annotate(Task):
    """Adds to each record the fields that a table has for its source, or for the id in one of its fields.

    Args:
        table: id to its values: a mapping, of each id to a list of values in the order of `names` or to a mapping of
            field names to values; or the path of a file in UTF-8, a line for each id: `id:value,value`, as RIoTBench's
            are, or CSV with the id in the first column, for which `separator` is ",".
        names: the fields that the values become. Not needed where the mappings say them, or the first line of a
            CSV file.
        by: `source`, the record's source, or the name of the field that holds the id, compared as text: 8, 8.0
            and "8" are the same.
        separator: what ends the id in a line of the file. An id that holds a colon needs another than ":".
        on_miss: what becomes of a record whose id is not in the table, or that has none: "pass" lets it through as
            it is; "drop" takes it out, counted as filtered; "null" lets it through with None in each of those fields;
            "reject" makes it a BadRecord.

    Values from a file are text, an empty one is None; those of a mapping stay what they are. A field that the record
    has already is replaced, and loses its unit. Records of ids that are not in the table are counted as `unknown` in
    the stage's statistics. A file is read when the task is made, once in a process until it changes.

    RIoTBench appends the values to a row of CSV. At an id it does not know it gives the row before once more; and it
    cuts values off at a colon.

    Example:
        >>> from riot_tasks import Record
        >>> task = Annotate({"dev7": ["building4", "indoor"]}, names=["location", "type"])
        >>> [result.values for result in task.process(Record(1, "dev7", 0.0, {"temperature": 21.5}))]
        [{'temperature': 21.5, 'location': 'building4', 'type': 'indoor'}]

    References:
        RFC 4180 (CSV).
        RIoTBench ANN (Annotate), arXiv 1701.08530, section 4.1.
    """

    code = "ANN"
    stateful = False
    pattern = "1:1"

    def __init__(
        self,
        table: Mapping[str, Sequence[Value] | Mapping[str, Value]] | str,
        *,
        names: Sequence[str] | None = None,
        by: str = "source",
        separator: str = ":",
        on_miss: str = "pass",
    ) -> None:
        self.table = table
        self.names = parameters.names("names", names)
        self.by = name("by", by)
        self.separator = _separator(separator)
        self.on_miss = one_of("on_miss", on_miss, ("pass", "drop", "null", "reject"))
        if isinstance(table, str):
            self._rows = annotations.read(table, self.separator, self.names)
        else:
            self._rows = annotations.listed(table, self.names)
        self._lacking = dict.fromkeys(self.names or (field for row in self._rows.values() for field in row))

    def process(self, record: Record) -> Iterable[Record]:
        """The record with what the table has for it.

        Raises:
            BadRecord: the table has nothing for it, and `on_miss` is "reject".
        """
        who = record.source if self.by == "source" else record.values.get(self.by)
        row = None if who is None else self._rows.get(who if type(who) is str else text(who))
        if row is not None:
            return (_with(record, row),)
        self.note("unknown")
        if self.on_miss == "pass":
            return (record,)
        if self.on_miss == "null":
            return (_with(record, self._lacking),)
        if self.on_miss == "drop":
            return ()
        raise BadRecord(f"{self.by}: {'missing' if who is None else f'{shown(who)} is not in the table'}")


def _with(record: Record, row: annotations.Row) -> Record:
    units = record.units
    if not units.keys().isdisjoint(row):
        units = {field: unit for field, unit in units.items() if field not in row}
    return Record(record.id, record.source, record.time, {**record.values, **row}, units, record.meta)


def _separator(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"separator: must be a text, ':' or ',' (is {shown(value)})")
    return value
