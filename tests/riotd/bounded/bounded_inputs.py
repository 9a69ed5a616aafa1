"""Inputs for runs, and what a straightforward loop over a task makes of them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from riot_tasks import Record, Task, senml
from riotd import catalog, feeds
from riotd.bounded.keys import device


def packs(count: int, *, sensors: int = 7, seed: int = 1, **shares: float) -> list[bytes]:
    """SenML packs of a city's sensors, interleaved."""
    return [pack for _, pack in feeds.city(sensors=sensors, messages=count, seed=seed, **shares)]  # type: ignore[arg-type]


def write(path: Path, lines: Iterable[bytes]) -> Path:
    """A file of lines."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def city(path: Path, count: int, *, sensors: int = 7, seed: int = 1, **shares: float) -> Path:
    """A file as `riotd generate city` writes it."""
    feed = feeds.city(sensors=sensors, messages=count, seed=seed, **shares)  # type: ignore[arg-type]
    return write(path, [b"%d,%b" % (due * 1000, pack) for due, pack in islice(feed, count)])


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def results(path: Path | str) -> list[dict[str, Any]]:
    """The JSON lines of a file."""
    return [orjson.loads(line) for line in Path(path).read_bytes().splitlines()]


def by_hand(name: str, lines: Iterable[bytes], **params: Any) -> list[dict[str, Any]]:
    """What a task makes of SenML packs, an instance for each device, told record by record."""
    return [_plain(record) for record in sorted(_given(name, lines, params), key=lambda record: record.id)]


def _given(name: str, lines: Iterable[bytes], params: dict[str, Any]) -> Iterator[Record]:
    instances: dict[str, Task] = {}
    for number, line in enumerate(lines, start=1):
        for record in senml.records(line, id=number, source="", now=0.0):
            source = device(record.meta["bn"])
            if source not in instances:
                instances[source] = catalog.create(name, params)
            own = Record(number, source, record.time, record.values, record.units, record.meta)
            yield from instances[source].process(own)
    for instance in instances.values():
        yield from instance.flush()


def _plain(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "source": record.source,
        "time": record.time,
        "values": record.values,
        "meta": record.meta,
    }
