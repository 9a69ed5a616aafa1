"""Workloads of the tasks that read and write blobs, tables and archives, here on the local disk."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from random import Random

import msgspec

from riotd.benchmarks.workload import Workload, chained, packs
from riotd.feeds import START, city, sensor_id

_BLOB = 33_000
"""Bytes, as large as the pictures that the original moves to and fro."""
_ROWS = 20_000
_RANGE = 1_000
"""Rows in the answer to a range query."""
_NOTE = "local disk; published over the network"


def _blob_download(folder: Path) -> Workload:
    from riot_tasks.stores.blobs import blobs  # noqa: PLC0415 - an extra

    store, random = folder.as_uri(), Random(0)  # noqa: S311 - bytes of a picture
    for number in range(90):
        blobs(store).put(sensor_id(number), random.randbytes(_BLOB))
    return chained(("senml_parse", {}), ("blob_download", {"store": store, "name": "{source}"}), note=_NOTE)


def _blob_upload(folder: Path) -> Workload:
    random = Random(0)  # noqa: S311 - bytes of a picture
    params = {"store": folder.as_uri(), "name": "{source}"}
    return chained(("blob_upload", params), payloads=[random.randbytes(_BLOB) for _ in range(20)], note=_NOTE, batch=10)


def _table_insert(folder: Path) -> Workload:
    params = {"store": _sqlite(folder), "table": "sysdata"}
    return chained(("senml_parse", {}), ("table_insert", params), note=_NOTE)


def _table_lookup(folder: Path) -> Workload:
    params = {"store": _filled(folder), "table": "sysdata", "key": "{source}"}
    return chained(("senml_parse", {}), ("table_lookup", params), note=_NOTE)


def _table_range(folder: Path) -> Workload:
    params = {"store": _filled(folder), "table": "sysdata"}
    queries = [
        msgspec.json.encode([
            {"bn": "timer:", "bt": START, "n": "rowstart", "v": int((START + first / 90) * 1000)},
            {"n": "rowend", "v": int((START + (first + _RANGE) / 90) * 1000)},
        ])
        for first in range(0, _ROWS - _RANGE, _RANGE)
    ]
    return chained(
        ("senml_parse", {}),
        ("table_range", params),
        payloads=queries,
        batch=5,
        note=f"{_RANGE:,} rows of {_ROWS:,}; {_NOTE}",
    )


def _local_zip(folder: Path) -> Workload:
    return chained(("local_zip", {"folder": str(folder), "count": 100}), payloads=packs(), note="100 packs a file")


def _remote_zip(folder: Path) -> Workload:
    params = {"store": folder.as_uri(), "count": 100}
    return chained(("remote_zip", params), payloads=packs(), note=f"100 packs a file; {_NOTE}")


def _sqlite(folder: Path) -> str:
    return f"sqlite://{folder / 'tables.db'}"


def _filled(folder: Path) -> str:
    """A database with a row for each sensor, and 20,000 rows of a time each."""
    from riot_tasks.stores.rows import Row  # noqa: PLC0415 - not needed for the help
    from riot_tasks.stores.tables import table  # noqa: PLC0415

    feed = city(sensors=90, gaps=0.0)
    rows = [
        Row("all", sensor_id(number) if number < 90 else f"row{number}", _values(pack), "", due)
        for number, (due, pack) in enumerate(islice(feed, _ROWS))
    ]
    table(_sqlite(folder), "sysdata").upsert(rows)
    return _sqlite(folder)


def _values(pack: bytes) -> dict[str, float | int | str | bool | bytes | None]:
    return {entry["n"]: entry["v"] for entry in msgspec.json.decode(pack) if "v" in entry}


WORKLOADS: dict[str, Callable[[Path], Workload]] = {
    "blob_download": _blob_download,
    "blob_upload": _blob_upload,
    "table_lookup": _table_lookup,
    "table_range": _table_range,
    "table_insert": _table_insert,
    "local_zip": _local_zip,
    "remote_zip": _remote_zip,
}
"""Task to its workload, given a folder for its data."""
