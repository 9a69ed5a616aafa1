"""`table_lookup`: what a table knows about a device, added to what it says."""

from collections.abc import Iterable, Mapping, Sequence

from riot_tasks import parameters
from riot_tasks.errors import BadRecord
from riot_tasks.io.naming import Template
from riot_tasks.parameters import one_of
from riot_tasks.record import Record, Value
from riot_tasks.stores import tables
from riot_tasks.stores.credentials import credentials as referred
from riot_tasks.stores.rows import Key, Row
from riot_tasks.task import BulkTask


class TableLookup(BulkTask):
    """Adds to each record columns of the row that a table has under its key.

    The table is asked at each record, so that a row changed meanwhile counts; once for those that riotd has in hand
    and that have the same key.

    Args:
        store: `sqlite:///path/of/file.db`, `memory://name` or `aztable://account`.
        table: its name.
        partition: template for the row's partition.
        key: template for the row's key: {source}, {id}, {time} in ms, or any field.
        columns: which to add: a list of columns, or a mapping of columns to the fields they become; None is all
            values. `key`, `source` and `time` (Unix seconds) are the row's own, unless it has values by that name.
        on_miss: what becomes of a record that has no row: "pass" lets it through as it is; "drop" takes it out,
            counted as filtered; "null" lets it through with None in the fields of `columns`; "reject" makes it a
            BadRecord.
        credentials: as for `table_insert`.

    A field that the record has already is replaced, and loses its unit. A column that the row lacks is None.

    RIoTBench reads one row and gives the length of one column's text, or -1.

    Example:
        >>> from riot_tasks import Record
        >>> from riot_tasks.stores.rows import Row
        >>> _ = tables.table("memory://devices", "places").upsert([Row("all", "dev7", {"room": "lab"})])
        >>> task = TableLookup("memory://devices", table="places", columns={"room": "place"})
        >>> [record.values for record in task.process(Record(1, "dev7", 0.0, {"temperature": 20.5}))]
        [{'temperature': 20.5, 'place': 'lab'}]

    References:
        RIoTBench ATL (AzureTableTask), arXiv 1701.08530, section 4.1.
    """

    code = "ATL"
    pattern = "1:0/1"

    def __init__(  # noqa: PLR0913 - seven keys of the config
        self,
        store: str,
        *,
        table: str,
        partition: str = "all",
        key: str = "{source}",
        columns: Sequence[str] | Mapping[str, str] | None = None,
        on_miss: str = "pass",
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        self.credentials = referred(credentials)
        tables.check(store, table, credentials, reading=True)
        self.store, self.table = store, table
        self.partition, self._partition = partition, Template("partition", partition)
        self.key, self._key = key, Template("key", key)
        self.columns, self._columns = columns, _renamed(columns)
        self.on_miss = one_of("on_miss", on_miss, ("pass", "drop", "null", "reject"))
        if on_miss == "null" and self._columns is None:
            raise ValueError("on_miss: 'null' must know which fields to blank; list them in columns")

    def process_many(self, records: Sequence[Record]) -> Sequence[Iterable[Record] | BadRecord]:
        """The records with what the table has."""
        keys = [self._wanted(record) for record in records]
        asked = dict.fromkeys(key for key in keys if not isinstance(key, BadRecord))
        rows = tables.table(self.store, self.table, self.credentials).lookup(asked) if asked else {}
        return [
            key if isinstance(key, BadRecord) else self._joined(record, key, rows.get(key))
            for record, key in zip(records, keys, strict=True)
        ]

    def _wanted(self, record: Record) -> Key | BadRecord:
        try:
            return self._partition.fill(record), self._key.fill(record)
        except BadRecord as error:
            return error

    def _joined(self, record: Record, key: Key, row: Row | None) -> Iterable[Record] | BadRecord:
        if row is not None:
            named = self._columns or {name: name for name in row.values}
            return (_with(record, {field: row.column(column) for column, field in named.items()}),)
        if self.on_miss == "reject":
            return BadRecord(f"table {self.table} has no row {key[1]!r} in the partition {key[0]!r}")
        if self.on_miss == "null":
            return (_with(record, dict.fromkeys((self._columns or {}).values())),)
        return (record,) if self.on_miss == "pass" else ()


def _renamed(columns: object) -> Mapping[str, str] | None:
    """Column to field."""
    if isinstance(columns, Mapping):
        fields = parameters.names("columns", list(columns.values())) or []
        return dict(zip(parameters.names("columns", list(columns)) or [], fields, strict=True))
    listed = parameters.names("columns", columns)
    return None if listed is None else dict(zip(listed, listed, strict=True))


def _with(record: Record, values: Mapping[str, Value]) -> Record:
    units = {name: unit for name, unit in record.units.items() if name not in values}
    return Record(record.id, record.source, record.time, {**record.values, **values}, units, record.meta)
