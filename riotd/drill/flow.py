"""The drill's own dataflow, its feed, and what a single thread makes of it."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import orjson

from riot_tasks import Record
from riot_tasks.statistics.kalman_filter import KalmanFilter
from riotd.drill.tally import Tally

IN, OUT = "drill/in", "drill/out"
_BEGINNING: Final = 1_700_000_000
"""Unix seconds: the time of a message is this plus its number."""
_QUOTA: Final = 2**20
"""Bytes, the least there is."""
_FILLED: Final = 3.0
"""Seconds in which the feed fills the quota."""
_BESIDE: Final = 220
"""Bytes a message takes in the journal beside its padding."""


class Item(msgspec.Struct, frozen=True):
    """A message and what comes of it.

    Attributes:
        topic, payload: of the message.
        stream: who it is from.
        key: what its result is known by within the stream.
        content: what its result says.
    """

    topic: str
    payload: bytes
    stream: str
    key: Hashable
    content: Hashable


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


def config(settings: Settings, folder: Path, *, inlet: int, outlet: int) -> dict[str, Any]:
    """The configuration: parse, filter, number and chain the records of each device.

    Args:
        settings: engine and quota.
        folder: for state and dead letters.
        inlet: port of the broker, or of a proxy before it, for what comes.
        outlet: the same for what goes.
    """
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
            "keepalive": "2s",
        },
        "key": {"topic_level": 2},
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
            yield Item(f"{IN}/{device}", orjson.dumps(entries), device, number, _content(result.values))
            number += 1


def read(topic: str, payload: bytes) -> tuple[str, Hashable, Hashable]:
    """Stream, key and content of a result."""
    record = orjson.loads(payload)
    return topic[len(OUT) + 1 :], int(record["time"]) - _BEGINNING, _content(record["values"])


def _content(values: Any) -> Hashable:  # noqa: ANN401 - what JSON gives
    return values["v"], values["count"], values["chain"]
