"""A city of sensors on the broker, live: with outliers, malformed packs, and a connection that breaks."""

import asyncio
from itertools import count

from riotd.clock import Clock
from riotd.config import Connection
from riotd.feeds import city, sensor_id
from riotd.mqtt import Publisher

_SENSORS = 40
_STAYS = 15.0
"""Seconds the feeder stays connected before it comes back as a new client, as gateways do."""


async def publish_city(connection: Connection, *, rate: float, clock: Clock) -> None:
    """Publish packs to `sensors/<device>/senml` in real time until cancelled; 1 % outliers, 0.5 % malformed."""
    packs = city(sensors=_SENSORS, rate=rate, start=clock.wall(), outliers=0.01, malformed=0.005)
    devices = (sensor_id(number % _SENSORS) for number in count())
    for visit in count():
        async with Publisher(connection, client_id=f"riotd-demo-feed-{visit}") as publisher:
            leaves = clock.monotonic() + _STAYS
            while clock.monotonic() < leaves:
                due, pack = next(packs)
                wait = due - clock.wall()
                if wait > 0:
                    await asyncio.sleep(wait)
                await publisher.send(f"sensors/{next(devices)}/senml", pack, qos=1)
