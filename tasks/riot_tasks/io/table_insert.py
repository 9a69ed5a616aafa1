"""`table_insert`: records kept as rows of a table."""

from collections.abc import Iterable, Mapping, Sequence

from riot_tasks.errors import BadRecord
from riot_tasks.io.naming import Template
from riot_tasks.parameters import names
from riot_tasks.record import Record
from riot_tasks.stores import tables
from riot_tasks.stores.cells import stored
from riot_tasks.stores.credentials import credentials as referred
from riot_tasks.stores.rows import Key, Row
from riot_tasks.task import BulkTask


class TableInsert(BulkTask):
    """Writes each record as a row of a table, and lets it through once the row is written.

    All records that riotd has in hand are written together, in one transaction of SQLite, or in Azure's of up to
    100 rows; the results leave, and the messages are acknowledged, only after that. A row that is there already is
    merged: the record's fields replace those of the same name. So a replay changes nothing, and the parts of a
    message that was taken apart (`explode`) meet again in one row.

    Args:
        store: `sqlite:///path/of/file.db`, made if it is not there, in a folder that is (`sqlite:file.db` is relative
            to the working directory); `memory://name`; `aztable://account`.
        table: its name: 3 to 63 letters and digits, a letter first; made if it is not there.
        partition: template for the row's partition; what shall be read as one range belongs into one.
        key: template for the row's key in it. The default is one row for a message; `{source}-{time}`, one for a
            device's instant, is the same even when a message comes again from its sender under another id.
        fields: which to write; None is all.
        credentials: {file: path} or {credential: name} of a file with NAME=value lines; None is the environment.
            Azure needs AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN.

    Templates are `Template`'s: {source}, {id}, {time} in ms, and any field. The row also has the record's source and
    time; units and meta are not kept. A field that is None is not written, and a record with nothing to write passes.
    A value that no store can hold (NaN, an integer of more than 64 bits) makes the record a BadRecord.

    RIoTBench writes a hundred rows at a time and hands on each before it is written, loses the last ones at the end,
    and has a random number in the keys, so that a replay doubles the rows.

    Example:
        >>> from riot_tasks import Record
        >>> task = TableInsert("memory://example", table="sysdata")
        >>> [record.values for record in task.process(Record(1, "dev7", 1.5, {"temperature": 20.5}))]
        [{'temperature': 20.5}]
        >>> [row.key for row in tables.table("memory://example", "sysdata").range("all", 0.0, 2.0, most=10)]
        ['dev7-1500-1']

    References:
        RIoTBench ATI (AzureTableInsert, AzureTableBatchInsert), arXiv 1701.08530, section 4.1.
    """

    code = "ATI"
    writes = True
    pattern = "1:1"

    def __init__(  # noqa: PLR0913 - six keys of the config
        self,
        store: str,
        *,
        table: str,
        partition: str = "all",
        key: str = "{source}-{time}-{id}",
        fields: Sequence[str] | None = None,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        self.credentials = referred(credentials)
        tables.check(store, table, credentials, reading=False)
        self.store, self.table = store, table
        self.partition, self._partition = partition, Template("partition", partition)
        self.key, self._key = key, Template("key", key)
        self.fields = names("fields", fields)

    def process_many(self, records: Sequence[Record]) -> Sequence[Iterable[Record] | BadRecord]:
        """The records themselves, once their rows are written."""
        rows: dict[Key, Row] = {}
        answers: list[tuple[Key | None, Iterable[Record] | BadRecord]] = [
            self._take(record, rows) for record in records
        ]
        if not rows:
            return [answer for _, answer in answers]
        refused = tables.table(self.store, self.table, self.credentials).upsert(list(rows.values()))
        reasons = {key: refused[index] for index, key in enumerate(rows) if index in refused}
        return [BadRecord(reasons[key]) if key in reasons else answer for key, answer in answers]

    def _take(self, record: Record, rows: dict[Key, Row]) -> tuple[Key | None, Iterable[Record] | BadRecord]:
        """Note what to write of the record; give the row's key, if it has one, and what to say once it is written."""
        try:
            row = self._row(record)
        except BadRecord as error:
            return None, error
        if not row.values:
            return None, (record,)
        key = row.partition, row.key
        if known := rows.get(key):
            row = Row(*key, {**known.values, **row.values}, row.source, row.time)
        rows[key] = row
        return key, (record,)

    def _row(self, record: Record) -> Row:
        values = record.values
        if self.fields is not None:
            values = {name: values[name] for name in self.fields if name in values}
        stored({"source": record.source, "time": record.time})  # which have columns of their own
        return Row(self._partition.fill(record), self._key.fill(record), stored(values), record.source, record.time)
