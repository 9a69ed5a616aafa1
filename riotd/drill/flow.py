"""The drill's own dataflow, its feed, and what a single thread makes of it."""

from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import orjson
import yaml

from riot_tasks import Record
from riot_tasks.statistics.kalman_filter import KalmanFilter
from riotd.drill.subject import Finding, Item
from riotd.drill.tally import Tally

IN, OUT = "drill/in", "drill/out"
_BEGINNING: Final = 1_700_000_000
"""Unix seconds: the time of a message is this plus its number."""
_BATCH: Final = 350
"""Messages of a batch for each shard, as riotd has it by default."""
_QUOTA: Final = 2**20
"""Bytes, the least there is."""
_FILLED: Final = 3.0
"""Seconds in which the feed fills the quota."""
_BESIDE: Final = 220
"""Bytes a message takes in the journal beside its padding."""


class Settings(msgspec.Struct, frozen=True):
    """What the dataflow depends on.

    Attributes:
        devices: that send in turn.
        seed: of their readings.
        rate: messages a second, of which padding depends where the quota is to be filled.
        engine: `inline` or `ray`.
        shards: of it.
        fill: whether the quota of the journal is small.
    """

    devices: int = 10
    seed: int = 1
    rate: float = 1000.0
    engine: str = "inline"
    shards: int = 1
    fill: bool = False


class OwnFlow:
    """Parse, filter, number and chain the records of each device; keeps `riotd.drill.subject.Subject`."""

    filters = (OUT + "/+",)
    immediate = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def engine(self) -> str:
        """As `Subject.engine`."""
        return self._settings.engine

    @property
    def batch(self) -> int:
        """As `Subject.batch`."""
        return _BATCH * self._settings.shards

    def items(self) -> Iterator[Item]:
        """As `Subject.items`; without end."""
        return feed(self._settings)

    def prepare(self, folder: Path, *, inlet: int, outlet: int) -> Sequence[str]:
        """As `Subject.prepare`."""
        file = folder / "drill.yaml"
        config = _config(self._settings, folder, inlet=inlet, outlet=outlet)
        file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return [str(file)]

    def read(self, topic: str, payload: bytes) -> Finding | None:
        """As `Subject.read`."""
        record = orjson.loads(payload)
        return Finding(topic[len(OUT) + 1 :], int(record["time"]) - _BEGINNING, _content(record["values"]))


def _config(settings: Settings, folder: Path, *, inlet: int, outlet: int) -> dict[str, Any]:
    state = {"path": str(folder / "state"), "every": "1s"}
    room = {"max_in_flight": "64MB"} if settings.fill else {}
    return {
        "name": "drill",
        "source": {
            "type": "mqtt",
            "url": f"mqtt://127.0.0.1:{inlet}",
            "topics": [f"{IN}/+"],
            "qos": 1,
            "session": "persistent",
            "session_expiry": "10m",
            "keepalive": "2s",
        },
        "key": {"topic_level": 2},
        "batch": {"max_records": _BATCH},
        "stages": [
            {"id": "parse", "task": "senml_parse"},
            {"id": "smooth", "task": "kalman_filter", "params": {"fields": ["v"]}},
            {"id": "tally", "task": "riotd.drill.tally:Tally"},
        ],
        "engine": {"type": settings.engine, "shards": settings.shards},
        "sinks": {
            "results": {
                "type": "mqtt",
                "topic": OUT + "/{source}",
                "format": "json",
                "connection": {"url": f"mqtt://127.0.0.1:{outlet}", "keepalive": "2s"},
            }
        },
        "rejects": {"type": "file", "path": str(folder / "rejects.jsonl")},
        "stats": {"every": "1s"},
        "state": state | ({"quota": _QUOTA} if settings.fill else {}),
        **room,
    }


def feed(settings: Settings) -> Iterator[Item]:
    """Messages without end, and the results a single thread has of them."""
    random = Random(settings.seed)  # noqa: S311 - to be had again, not to be secret
    padding = "x" * max(0, int(_QUOTA / _FILLED / settings.rate) - _BESIDE) if settings.fill else ""
    references = [(f"dev{index}", KalmanFilter(["v"]), Tally()) for index in range(settings.devices)]
    number = 0
    while True:
        for device, smooth, tally in references:
            reading, time = random.gauss(20.0, 5.0), float(_BEGINNING + number)
            entries: list[dict[str, Any]] = [{"bn": f"urn:dev:drill:{device}:", "bt": time, "n": "v", "v": reading}]
            if padding:
                entries.append({"n": "padding", "vs": padding})
            (smoothed,) = smooth.process(Record(number, device, time, {"v": reading}))
            (result,) = tally.process(smoothed)
            yield Item(f"{IN}/{device}", orjson.dumps(entries), Finding(device, number, _content(result.values)))
            number += 1


def _content(values: Any) -> Hashable:  # noqa: ANN401 - what JSON gives
    return values["v"], values["count"], values["chain"]
