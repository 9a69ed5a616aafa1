"""`table_range`: what a table holds of a stretch of time."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence

import orjson

from riot_tasks import parameters
from riot_tasks.errors import BadRecord
from riot_tasks.fields import number
from riot_tasks.io.naming import Template
from riot_tasks.parameters import flag, name, one_of, whole
from riot_tasks.record import Record, Value
from riot_tasks.stores import tables
from riot_tasks.stores.credentials import credentials as referred
from riot_tasks.stores.rows import Row
from riot_tasks.task import Task

_UNITS = {"ms": 1000.0, "s": 1.0}
"""How many of them a second has."""


class TableRange(Task):
    """Reads the rows of a table whose time lies between the two that a record names.

    Args:
        store: `sqlite:///path/of/file.db`, `memory://name` or `aztable://account`.
        table: its name.
        partition: template for the partition: {source}, {id}, {time} in ms, or any field.
        start: field with the first time that belongs to the range.
        end: field with the first time after it.
        unit: what these two count since 1970: "ms", or "s".
        give: "rows" for one record with all rows in a field, which is what the training tasks take; "records" for a
            record for each row.
        columns: which columns the rows have; None is all their values, and with "rows" their `time`. `key`, `source`
            and `time` (Unix seconds) are the row's own, unless it has values by that name.
        create: whether a file that is not there is made, empty, for whoever may start before those that write; else
            that is a mistake.
        max_rows: a longer range makes the record a BadRecord, so that memory stays bounded.
        credentials: as for `table_insert`.

    With "rows" the result has the record's other fields too, `rows` as a JSON text, a list of objects in the order
    of their times, and their number in `count`; a range without rows is "[]". With "records" each has the record's
    id and the row's own source and time (the record's source, where the table does not say).

    RIoTBench has the partition and the columns of each of its data sets in the code, and evaluates the query twice,
    once to count.

    Example:
        >>> from riot_tasks import Record
        >>> from riot_tasks.stores.rows import Row
        >>> rows = [Row("all", f"r{at}", {"x": at}, "dev7", float(at)) for at in range(5)]
        >>> _ = tables.table("memory://history", "sysdata").upsert(rows)
        >>> task = TableRange("memory://history", table="sysdata")
        >>> trigger = Record(1, "timer", 0.0, {"rowstart": 1000, "rowend": 3000})
        >>> [record.values["rows"] for record in task.process(trigger)]
        ['[{"time":1.0,"x":1},{"time":2.0,"x":2}]']

    References:
        RIoTBench ATR (AzureTableRangeQueryTask), arXiv 1701.08530, section 4.1.
    """

    code = "ATR"
    stateful = False
    waits = True
    pattern = "1:N"

    def __init__(  # noqa: PLR0913 - twelve keys of the config
        self,
        store: str,
        *,
        table: str,
        partition: str = "all",
        start: str = "rowstart",
        end: str = "rowend",
        unit: str = "ms",
        give: str = "rows",
        columns: Sequence[str] | None = None,
        create: bool = False,
        max_rows: int = 100_000,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        self.credentials = referred(credentials)
        self.create = flag("create", create)
        tables.check(store, table, credentials, reading=not create)
        self.store, self.table = store, table
        self.partition, self._partition = partition, Template("partition", partition)
        self.start, self.end = name("start", start), name("end", end)
        self.unit = one_of("unit", unit, tuple(_UNITS))
        self.give = one_of("give", give, ("rows", "records"))
        self.columns = parameters.names("columns", columns)
        self.max_rows = whole("max_rows", max_rows, least=1)

    def process(self, record: Record) -> Iterable[Record]:
        """The rows, in one record or one each."""
        rows = self._found(record)
        if self.give == "records":
            return [
                Record(record.id, row.source or record.source, row.time, self._columns_of(row), {}, record.meta)
                for row in rows
            ]
        text = orjson.dumps([self._columns_of(row) for row in rows], default=_base64).decode()
        values = {**record.values, "rows": text, "count": len(rows)}
        return (Record(record.id, record.source, record.time, values, record.units, record.meta),)

    def _found(self, record: Record) -> list[Row]:
        start, end = (self._bound(record, field) for field in (self.start, self.end))
        partition = self._partition.fill(record)
        table = tables.table(self.store, self.table, self.credentials)
        rows = list(table.range(partition, start, end, most=self.max_rows + 1))
        if len(rows) > self.max_rows:
            raise BadRecord(f"the range has more than {self.max_rows} rows (max_rows); ask for less at a time")
        return rows

    def _bound(self, record: Record, field: str) -> float:
        if (value := record.values.get(field)) is None:
            raise BadRecord(f"{field}: has no value; it says where the range begins or ends")
        return number(field, value) / _UNITS[self.unit]

    def _columns_of(self, row: Row) -> dict[str, Value]:
        if self.columns is not None:
            return {column: row.column(column) for column in self.columns}
        return row.values if self.give == "records" else {"time": row.time, **row.values}


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no value")
