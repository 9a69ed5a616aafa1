"""Histories to learn from, and jobs."""

from pathlib import Path
from typing import Any

from riot_tasks import senml
from riot_tasks.stores import tables
from riot_tasks.stores.rows import Row
from riotd import feeds
from riotd.training.job import Job, load
from tests.riotd.bounded.bounded_inputs import write

CITY = ["temperature", "humidity", "light", "dust"]
ROWS = 600
NOW = 1_800_000_000.0
"""What the clock says in these tests."""
TAXI = Path(__file__).resolve().parents[3] / "../shared/riotbench-data/taxi_train_triples.csv"
SCHEMA = "trip_time_in_secs,trip_distance,fare_amount\ns,mi,USD\nv,v,v\n"


def packs(count: int = ROWS) -> list[tuple[float, bytes]]:
    """Readings of five boxes, each with the time at which it came."""
    return list(feeds.city(sensors=5, messages=count, seed=2, rate=5.0))


def recording(path: Path, count: int = ROWS) -> Path:
    """They as a file."""
    return write(path, [b"%d,%b" % (due * 1000, pack) for due, pack in packs(count)])


def kept(path: Path, count: int = ROWS) -> str:
    """They as riotd's ETL has them in its table; the store's URL."""
    url = f"sqlite://{path}"
    rows = [
        Row("all", f"{record.source}-{record.time}-{number}", dict(record.values), record.source, record.time)
        for number, (_, pack) in enumerate(packs(count))
        for record in senml.records(pack, id=number, source="", now=0.0)
    ]
    tables.table(url, "sysdata").upsert(rows)
    return url


def tree(source: str | Path, **said: Any) -> Job:
    """A job over a city."""
    wanted = {"model": "tree", "inputs": [str(source)], "features": CITY, "target": "airquality_raw"}
    return load(None, wanted | {"label": "quantiles", "trials": 4, "folds": 2, "workers": 2, "name": "city"} | said)


def taxi(folder: Path) -> list[str]:
    """The words of a command for RIoTBench's taxi triples, or for made-up trips where they are not."""
    if TAXI.exists():
        (folder / "schema.csv").write_text(SCHEMA)
        return [str(TAXI), "--schema", str(folder / "schema.csv")]
    trips = feeds.taxi(messages=1500, form="riotbench")
    return [str(write(folder / "taxi.csv", [b"%d,%b" % (due * 1000, pack) for due, pack in trips]))]


def records(path: Path) -> list[dict[str, Any]]:
    """The values of each pack of a recording."""
    found = []
    for line in path.read_bytes().splitlines():
        pack = line.partition(b",")[2]
        found += [dict(record.values) for record in senml.records(pack, id=0, source="", now=0.0)]
    return found
