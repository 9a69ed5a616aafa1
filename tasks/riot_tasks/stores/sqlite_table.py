"""A table in a SQLite file, or in memory: one transaction for all rows of a call.

Write-ahead log and `synchronous=FULL`: a commit survives kill -9 and a power cut; readers never wait for writers.
50,000 rows of nine values a second in transactions of 350, 8 ms each, on the machine of docs/design.md.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from riot_tasks.errors import Unavailable
from riot_tasks.stores.cells import decode, encode
from riot_tasks.stores.rows import Key, Row

_PATIENCE = 5.0
"""Seconds to wait for another process's transaction."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS "{name}" (
    partition TEXT NOT NULL, key TEXT NOT NULL, source TEXT NOT NULL, time REAL NOT NULL, "values" TEXT NOT NULL,
    PRIMARY KEY (partition, key)
);
CREATE INDEX IF NOT EXISTS "{name}_by_time" ON "{name}" (partition, time);
"""
_UPSERT = """
INSERT INTO "{name}" VALUES (?, ?, ?, ?, ?) ON CONFLICT (partition, key) DO UPDATE SET
    source = excluded.source, time = excluded.time, "values" = json_patch("values", excluded."values")
"""
_LOOKUP = 'SELECT partition, key, "values", source, time FROM "{name}" WHERE partition = ? AND key = ?'
_RANGE = """
SELECT partition, key, "values", source, time FROM "{name}"
WHERE partition = ? AND time >= ? AND time < ? ORDER BY time, key LIMIT ?
"""


class SqliteTable:
    """A table in a file; keeps `riot_tasks.stores.rows.Table`.

    Args:
        path: of the file, made if it is not there; None is in memory.
        name: of the table, letters and digits.

    Raises:
        Unavailable: the file can't be opened, or another process holds it for too long.
    """

    def __init__(self, path: Path | None, name: str) -> None:
        self._path = path
        self._what = f"{path or 'memory'}, table {name}"
        self._name = name
        self._lock = Lock()
        with self._translated():
            self._open()

    def upsert(self, rows: Sequence[Row]) -> Mapping[int, str]:
        """As `Table`: all in one transaction; there is no row it can't take."""
        cells = [(row.partition, row.key, row.source, row.time, encode(row.values)) for row in rows]
        with self._ready(), self._transaction():
            self._connection.executemany(_UPSERT.format(name=self._name), cells)
        return {}

    def lookup(self, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """As `Table`."""
        query = _LOOKUP.format(name=self._name)
        with self._ready():
            found = [row for key in keys for row in self._connection.execute(query, key)]
        return {(row[0], row[1]): _row(row) for row in found}

    def range(self, partition: str, start: float, end: float, *, most: int) -> Iterator[Row]:
        """As `Table`."""
        with self._ready():
            found = self._connection.execute(_RANGE.format(name=self._name), (partition, start, end, most)).fetchall()
        return map(_row, found)

    def close(self) -> None:
        """Close the file; its log is folded into it."""
        with self._lock:
            self._connection.close()

    def _open(self) -> None:
        path = self._path or ":memory:"
        self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA.format(name=self._name))
        except BaseException:
            self._connection.close()
            raise
        self._inode = self._path and self._path.stat().st_ino

    @contextmanager
    def _ready(self) -> Iterator[None]:
        """The connection for this thread alone, to the file that has the path now."""
        with self._lock, self._translated():
            if self._path and self._moved(self._path):  # else what we write would be in a file that nobody finds
                self._connection.close()
                self._open()
            yield

    def _moved(self, path: Path) -> bool:
        try:
            return path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError):
            raise  # a row's fault, or ours: it gets no better
        except (sqlite3.DatabaseError, OSError) as error:  # locked, full, damaged, gone: somebody must see to it
            raise Unavailable(f"{self._what}: {error}") from error


def _row(cells: tuple[str, str, str, str, float]) -> Row:
    partition, key, values, source, time = cells
    return Row(partition, key, decode(values), source, time)
