"""A city of sensors on the broker, live: with outliers, malformed packs, and a connection that breaks."""

from itertools import count

from riotd.clock import Clock
from riotd.config import Connection
from riotd.feeds import city
from riotd.mqtt import Publisher
from riotd.replay import Topics, replay

_SENSORS = 40
_STAYS = 15.0
"""Seconds the feeder stays connected before it comes back as a new client, as gateways do."""


async def publish_city(connection: Connection, *, rate: float, clock: Clock) -> None:
    """Publish packs to `sensors/<device>/senml` in real time until cancelled; 1 % outliers, 0.5 % malformed."""
    packs = city(sensors=_SENSORS, rate=rate, start=clock.wall(), outliers=0.01, malformed=0.005)
    topics = Topics("sensors/{source}/senml")
    for visit in count():
        async with Publisher(connection, client_id=f"riotd-demo-feed-{visit}") as publisher:
            await replay(packs, publisher, topics=topics, qos=1, limit=max(1, int(rate * _STAYS)))
