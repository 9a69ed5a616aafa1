"""A data set's sensors on the broker, live, and what is known about them in a file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from riotd import feeds
from riotd.clock import Clock
from riotd.config import Connection
from riotd.feeds import Dataset
from riotd.mqtt import Publisher
from riotd.replay import Topics, replay

SENSORS: Final[dict[Dataset, int]] = {"city": 40, "taxi": 200, "fit": 10, "grid": 200}
"""Devices of each set: few enough that each has results within a minute."""

_FEEDS: Final[dict[Dataset, Callable[..., Iterator[tuple[float, bytes]]]]] = {
    "city": feeds.city,
    "taxi": feeds.taxi,
    "fit": feeds.fit,
    "grid": feeds.grid,
}


def describe(dataset: Dataset, file: Path) -> None:
    """Write what is known about the sensors into a file; waits for the disk."""
    with file.open("wb") as lines:
        lines.writelines(feeds.annotations(dataset, sensors=SENSORS[dataset]))


async def publish(dataset: Dataset, connection: Connection, *, rate: float, clock: Clock) -> None:
    """Publish packs to `<dataset>/raw/<sensor>/senml` in real time until cancelled; 1 % outliers, 0.5 % malformed."""
    packs = _FEEDS[dataset](sensors=SENSORS[dataset], rate=rate, start=clock.wall(), outliers=0.01, malformed=0.005)
    topics = Topics(f"{dataset}/raw/{{source}}/senml")
    async with Publisher(connection, client_id="riotd-demo-feed") as publisher:
        await replay(packs, publisher, topics=topics, qos=1)
