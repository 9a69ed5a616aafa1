import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from riot_tasks import BulkTask, Record, Task
from riot_tasks.io.blob_download import BlobDownload
from riot_tasks.io.blob_upload import BlobUpload
from riot_tasks.io.local_zip import LocalZip
from riot_tasks.io.remote_zip import RemoteZip
from riot_tasks.io.table_insert import TableInsert
from riot_tasks.io.table_lookup import TableLookup
from riot_tasks.io.table_range import TableRange
from riot_tasks.stores import blobs, tables
from riot_tasks.stores.rows import Row
from riot_tasks.testing import Outside, check_task

pytest.importorskip("obstore")
MEMORY = "memory://contract"


def _record(number: int) -> Record:
    values = {
        "payload": (b"bytes %d" % number, f"text {number}", None)[number % 3],
        "blob": f"blobs/b{number % 4}",
        "temperature": 20.0 + number * 7 % 5 / 3,
        "rowstart": number * 1000,
        "rowend": str(number * 1000 + 3000),
    }
    return Record(number, f"dev{number % 4}", float(number), values, {"temperature": "Cel"}, {"bn": "urn:dev:"})


RECORDS = [*map(_record, range(1, 25)), Record(25, "", 25.0, {}), Record(26, "dev1", -1e12, {"payload": "x"})]


def _blobs() -> None:
    blobs.close_all()
    for number in range(3):
        blobs.blobs(MEMORY).put(f"blobs/b{number}", b"x" * number)


def _rows() -> None:
    tables.close_all()
    rows = [Row("all", f"dev{number}", {"room": f"r{number}"}, f"dev{number}", float(number)) for number in range(3)]
    tables.table(MEMORY, "sysdata").upsert(rows)


def _held() -> list[tuple[str, bytes | None]]:
    store = blobs.blobs(MEMORY)
    return sorted((name, store.get(name, max_bytes=10**6)) for name, _ in store.list())


def _written() -> list[Row]:
    return list(tables.table(MEMORY, "sysdata").range("all", -1e15, 1e15, most=10**6))


WORLDS: dict[type[Task], tuple[Callable[[], None], Callable[[], object], list[dict[str, Any]]]] = {
    BlobDownload: (_blobs, _held, [{}, {"into": "blob", "on_miss": "null"}, {"on_miss": "drop"}, {"max_bytes": 1}]),
    BlobUpload: (_blobs, _held, [{}, {"name": "{source}", "field": "blob"}, {"max_bytes": 6, "keep": True}]),
    RemoteZip: (_blobs, _held, [{"count": 4}, {"count": 1, "entry": "same.txt"}, {"max_bytes": 15}]),
    TableInsert: (_rows, _written, [{}, {"fields": ["temperature", "blob"], "key": "{source}"}]),
    TableLookup: (
        _rows,
        _written,
        [{}, {"columns": {"room": "place"}, "on_miss": "null"}, {"on_miss": "reject"}, {"on_miss": "drop"}],
    ),
    TableRange: (_rows, _written, [{}, {"give": "records", "columns": ["room", "key", "none"]}, {"max_rows": 1}]),
}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    blobs.close_all()
    tables.close_all()


def _params(cls: type[Task], params: Mapping[str, Any]) -> dict[str, Any]:
    table = {"table": "sysdata"} if "table" in cls.__init__.__annotations__ else {}
    return {"store": MEMORY, **table, **params}


@pytest.mark.parametrize("cls", WORLDS, ids=lambda cls: cls.__name__)
def test_every_task_keeps_the_contract(cls: type[Task]) -> None:
    """The task passes the public battery over a store in memory, with defaults and with each of its modes."""
    reset, look, modes = WORLDS[cls]
    examples = [(_params(cls, params), RECORDS) for params in modes]
    check_task(cls, examples, records=400, outside=Outside(reset, look))


def test_local_zip_keeps_the_contract(tmp_path: Path) -> None:
    """The same for local_zip over a folder."""

    def reset() -> None:
        shutil.rmtree(tmp_path, ignore_errors=True)

    def look() -> list[tuple[Path, bytes]]:
        return sorted((file, file.read_bytes()) for file in tmp_path.rglob("*") if file.is_file())

    modes = [{"count": 4}, {"count": 2, "field": "blob", "name": "{source}/{first}-{last}"}]
    examples = [({"folder": str(tmp_path), **params}, RECORDS) for params in modes]
    check_task(LocalZip, examples, records=400, outside=Outside(reset, look))


@pytest.mark.parametrize("cls", [cls for cls in WORLDS if issubclass(cls, BulkTask)], ids=lambda cls: cls.__name__)
def test_many_at_once_are_one_by_one(cls: type[BulkTask]) -> None:
    """A task that takes many records says to each, and leaves outside, what it does with one at a time."""
    reset, look, modes = WORLDS[cls]
    for mode in modes:
        params = _params(cls, mode)
        reset()
        at_once = [
            repr(answer) if isinstance(answer, Exception) else repr(list(answer))
            for answer in cls(**params).process_many(RECORDS)
        ]
        left = look()
        reset()
        assert at_once == [_said(cls(**params), record) for record in RECORDS]
        assert look() == left


def _said(task: Task, record: Record) -> str:
    try:
        return repr(list(task.process(record)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it must be the same
        return repr(error)
