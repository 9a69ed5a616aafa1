"""The parties of an MQTT test: our source and publisher with little patience, and somebody else's client."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import aiomqtt

from riotd import config
from riotd.clock import SystemClock
from riotd.messages import Message, Result
from riotd.mqtt import Patience, Publisher
from riotd.sources.mqtt import MqttSource
from tests.riotd.brokers import Broker

PATIENCE = 60.0
"""Seconds after which a test that waits has failed, on a machine that is busy with others too."""
HASTY = Patience(first=0.02, longest=0.2, taken_over=1.0, moment=0.3)

VERSIONS: dict[str, aiomqtt.ProtocolVersion] = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}


def source(broker: Broker, *topics: str, patience: Patience = HASTY, **settings: Any) -> MqttSource:
    """A source of ours for these filters."""
    block = config.MqttSource(type="mqtt", **{"url": broker.url, "topics": list(topics), "keepalive": 5, **settings})
    return MqttSource(block, name="test", clock=SystemClock(), patience=patience)


def publisher(
    broker: Broker, patience: Patience = HASTY, will: Any = None, hello: Any = None, **settings: Any
) -> Publisher:
    """A publishing connection of ours."""
    connection = config.Connection(**{"url": broker.url, "keepalive": 5, **settings})
    return Publisher(connection, client_id="riotd-test-out", patience=patience, will=will, hello=hello)


def stranger(broker: Broker, **options: Any) -> aiomqtt.Client:
    """Somebody else's client."""
    return aiomqtt.Client("127.0.0.1", broker.port, **{"timeout": 10, **options})


async def publish(broker: Broker, topic: str, numbers: Iterable[int], qos: int = 1) -> None:
    """Somebody else publishes these numbers, one message each."""
    async with stranger(broker) as client:
        for number in numbers:
            await client.publish(topic, str(number), qos=qos)


async def collect(source: MqttSource, total: int, *, ack: bool = True) -> list[Message]:
    """The next `total` messages of ours, acknowledged as they come; fails when that takes too long."""
    got: list[Message] = []
    async with asyncio.timeout(PATIENCE):
        while len(got) < total:
            fresh = await source.receive()
            assert fresh, "the source ended"
            got += fresh
            if ack:
                await source.ack(fresh)
    return got


async def overhear(client: aiomqtt.Client, total: int, until: bytes | None = None) -> list[aiomqtt.Message]:
    """The next `total` messages of somebody else's client, or all up to one; fails when that takes too long."""
    got: list[aiomqtt.Message] = []
    async with asyncio.timeout(PATIENCE):
        async for message in client.messages:
            got.append(message)
            if message.payload == until or (until is None and len(got) == total):
                break
    return got


def numbers(messages: Sequence[Message] | Sequence[aiomqtt.Message]) -> list[int]:
    """What `publish` sent."""
    return [int(bytes(message.payload)) for message in messages]


def results(first: int, total: int) -> list[Result]:
    """Results that count."""
    return [Result(0, n, "stage", "device", "", str(n).encode()) for n in range(first, first + total)]
