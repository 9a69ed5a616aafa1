"""A table of Azure Table Storage: transactions of up to 100 rows of a partition, several under way at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableErrorCode, UpdateMode

from riot_tasks.errors import BadRecord, Unavailable
from riot_tasks.stores.azure_cells import entity_of, row_of, size_of
from riot_tasks.stores.credentials import AzureAccount
from riot_tasks.stores.lanes import side_by_side
from riot_tasks.stores.rows import Key, Row

_LANES = 8
"""Requests under way at a time."""
_MOST = 100
"""Operations in a transaction, by Azure's rules."""
_SIZE = 3_500_000
"""Bytes of a transaction as we estimate them; Azure takes 4 MiB."""
_WAITS: dict[str, Any] = {
    "connection_timeout": 3,
    "read_timeout": 10,
    "retry_total": 2,
    "retry_connect": 1,
    "retry_read": 0,
    "retry_status": 2,
    "retry_backoff_factor": 0.2,
}
_REFUSED = (400, 413)
"""Status codes for a row that can't be taken: malformed, too large."""
_KEPT_OUT = (401, 403)
_NO_TABLE = 404

Entities = Mapping[int, dict[str, Any]]
"""What to write in one transaction: index among the rows of a call, entity."""


class AzureTable:
    """A table of an account, made when it is written to and not there; keeps `riot_tasks.stores.rows.Table`.

    Args:
        account: whose, and what opens it.
        name: the table's.
        refused: told when access was refused: with other credentials another client may do better.
    """

    def __init__(self, account: AzureAccount, name: str, *, refused: Callable[["AzureTable"], None]) -> None:
        self._refused = refused
        endpoint = account.endpoints.get("Table") or f"https://{account.name}.table.core.windows.net"
        self._what = f"{endpoint}, table {name}"
        credential = (
            AzureNamedKeyCredential(account.name, account.key) if account.key else AzureSasCredential(account.sas)
        )
        self._client = TableClient(endpoint, name, credential=credential, **_WAITS)

    def upsert(self, rows: Sequence[Row]) -> Mapping[int, str]:
        """As `Table`. A row that Azure refuses is found by writing those of its transaction one by one."""
        refused: dict[int, str] = {}
        entities: dict[int, dict[str, Any]] = {}
        for index, row in enumerate(rows):
            try:
                entities[index] = entity_of(row)
            except BadRecord as error:
                refused[index] = str(error)
        for more in side_by_side(self._write, list(_transactions(rows, entities)), _LANES):
            refused.update({} if isinstance(more, BadRecord) else more)
        return refused

    def lookup(self, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """As `Table`: a request for each."""
        found = side_by_side(self._one, list(keys), _LANES)
        return {(row.partition, row.key): row for row in found if isinstance(row, Row)}

    def range(self, partition: str, start: float, end: float, *, most: int) -> Iterator[Row]:
        """As `Table`, but if there are more than `most` these are any of them: Azure gives rows by their keys."""
        name = partition.replace("'", "''")
        asked = f"PartitionKey eq '{name}' and Time ge {start!r} and Time lt {end!r}"
        with self._translated():
            found = [row_of(entity) for entity in islice(self._client.query_entities(asked), most)]
        return iter(sorted(found, key=lambda row: (row.time, row.key)))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _write(self, entities: Entities) -> Mapping[int, str]:
        try:
            self._submit(entities)
        except BadRecord as error:
            if len(entities) == 1:
                return dict.fromkeys(entities, str(error))
        else:
            return {}
        return {index: reason for each in entities.items() for index, reason in self._write(dict([each])).items()}

    def _submit(self, entities: Entities, *, made: bool = False) -> None:
        operations: Any = [("upsert", entity, {"mode": UpdateMode.MERGE}) for entity in entities.values()]
        with self._translated():
            try:
                self._client.submit_transaction(operations)
            except HttpResponseError as error:
                if error.status_code in _REFUSED:
                    raise BadRecord(f"Azure refuses it: {_brief(error)}") from error
                if error.status_code != _NO_TABLE or made:
                    raise
                with suppress(ResourceExistsError):
                    self._client.create_table()
                self._submit(entities, made=True)

    def _one(self, key: Key) -> Row | None:
        with self._translated():
            try:
                return row_of(self._client.get_entity(*key))
            except ResourceNotFoundError as error:
                if getattr(error, "error_code", None) == TableErrorCode.TABLE_NOT_FOUND:
                    raise
                return None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except AzureError as error:
            status = error.status_code if isinstance(error, HttpResponseError) else None
            if status in _KEPT_OUT or isinstance(error, ClientAuthenticationError):
                self._refused(self)
                raise Unavailable(f"{self._what}: access refused; check the credentials: {_brief(error)}") from error
            raise Unavailable(f"{self._what}: {_brief(error)}") from error


def _transactions(rows: Sequence[Row], entities: Entities) -> Iterator[Entities]:
    """The entities in lots of one partition that Azure takes at once."""
    by_partition: dict[str, list[int]] = {}
    for index in entities:
        by_partition.setdefault(rows[index].partition, []).append(index)
    for indices in by_partition.values():
        lot: dict[int, dict[str, Any]] = {}
        room = _SIZE
        for index in indices:
            size = size_of(rows[index])
            if len(lot) == _MOST or (lot and size > room):
                yield lot
                lot, room = {}, _SIZE
            lot[index] = entities[index]
            room -= size
        yield lot


def _brief(error: AzureError) -> str:
    return str(error.message).strip().partition("\n")[0]
