"""Recordings onto a real broker, heard by somebody else's client."""

import asyncio
import math
from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import pytest

from riotd.config import Connection
from riotd.feeds import city, sensor_id
from riotd.mqtt import Publisher
from riotd.replay import Progress, Recording, Topics, replay
from riotd.replay.lanes import Lanes
from tests.riotd.brokers import Broker

_TOPICS = "sensors/{source}/senml"


async def _hear(broker: Broker, count: int, ready: asyncio.Event) -> list[tuple[str, bytes, int]]:
    """Topic, payload and QoS of so many messages; sets `ready` once subscribed."""
    heard = []
    async with asyncio.timeout(20), aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe("sensors/#", qos=2)
        ready.set()
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            heard.append((str(message.topic), message.payload, message.qos))
            if len(heard) == count:
                break
    return heard


async def _replayed(
    broker: Broker, path: Path, count: int, *, qos: int = 0, connections: int = 1
) -> list[tuple[str, bytes, int]]:
    ready = asyncio.Event()
    hearing = asyncio.create_task(_hear(broker, count, ready))
    await ready.wait()
    async with AsyncExitStack() as stack:
        publishers = [
            await stack.enter_async_context(
                Publisher(Connection(url=broker.url, protocol="3.1.1"), client_id=f"r{number}")
            )
            for number in range(connections)
        ]
        progress = await replay(Recording(path), Lanes(publishers), topics=Topics(_TOPICS), speed=math.inf, qos=qos)
        assert (progress.sent, progress.refused) == (count, 0)
        return await hearing


def _record(path: Path, count: int) -> list[bytes]:
    packs = []
    with path.open("wb") as file:
        for due, pack in city(messages=count, malformed=0.02):
            file.write(b"%d,%b\n" % (due * 1000, pack))
            packs.append(pack)
    return packs


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_every_recorded_message_arrives_once_in_order_and_byte_for_byte(
    qos: int, broker: Broker, tmp_path: Path
) -> None:
    """Damaged packs included, at the QoS asked for, as fast as the broker takes them."""
    packs = _record(tmp_path / "feed.csv", 600)
    heard = await _replayed(broker, tmp_path / "feed.csv", 600, qos=qos)
    assert [payload for _, payload, _ in heard] == packs
    assert {given for _, _, given in heard} == {qos}
    assert {topic for topic, *_ in heard} <= {f"sensors/{sensor_id(n)}/senml" for n in range(90)} | {
        "sensors/unknown/senml"
    }


async def test_several_connections_keep_the_order_of_each_device(broker: Broker, tmp_path: Path) -> None:
    """A device's topic always goes over the same connection."""
    packs = _record(tmp_path / "feed.csv", 900)
    heard = await _replayed(broker, tmp_path / "feed.csv", 900, qos=1, connections=3)
    topics, expected, found = Topics(_TOPICS), defaultdict(list), defaultdict(list)
    for number, pack in enumerate(packs):
        expected[topics.of(pack, number)].append(pack)
    for topic, payload, _ in heard:
        found[topic].append(payload)
    assert found == expected


async def test_a_made_up_feed_is_replayed_live_until_it_is_cancelled(broker: Broker) -> None:
    """An endless feed needs no file; what was sent until then is known afterwards."""
    ready = asyncio.Event()
    hearing = asyncio.create_task(_hear(broker, 50, ready))
    await ready.wait()
    progress = Progress()
    async with Publisher(Connection(url=broker.url, protocol="3.1.1"), client_id="live") as publisher:
        playing = asyncio.create_task(replay(city(rate=500), publisher, topics=Topics(_TOPICS), progress=progress))
        heard = await hearing
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
    assert [topic for topic, *_ in heard] == [f"sensors/{sensor_id(number)}/senml" for number in range(50)]
    assert progress.sent >= 50
