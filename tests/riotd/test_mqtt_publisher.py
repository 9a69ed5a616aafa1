"""A publishing connection: last words, first words, and what it does not wait for."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import aiomqtt
import pytest

from riotd.mqtt import Publication
from tests.riotd.brokers import MOSQUITTO, Broker, Ears, until
from tests.riotd.mqtt_parties import overhear, publisher, stranger

needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
ONLINE = Publication("status", b"online", 1, retain=True)
OFFLINE = Publication("status", b"offline", 1, retain=True)

VICTIM = """
import asyncio, sys
from riotd import config
from riotd.mqtt import Publisher

async def main():
    connection = config.Connection(url=sys.argv[1], protocol=sys.argv[2])
    will, hello = ("status", b"offline", 1, True), ("status", b"online", 1, True)
    async with Publisher(connection, client_id="victim", will=will, hello=hello):
        await asyncio.Event().wait()

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def listener(broker: Broker) -> AsyncIterator[aiomqtt.Client]:
    """A stranger who follows the status."""
    async with stranger(broker) as client:
        await client.subscribe("status", qos=1)
        yield client


async def words(client: aiomqtt.Client, total: int) -> list[object]:
    """The next payloads."""
    return [message.payload for message in await overhear(client, total)]


@pytest.mark.parametrize("protocol", ["5" if MOSQUITTO else "3.1.1", "3.1.1"])
async def test_a_killed_process_leaves_its_will(broker: Broker, protocol: str) -> None:
    """Who watches the status sees online, and offline as soon as the process is killed."""
    async with listener(broker) as client:
        victim = await asyncio.create_subprocess_exec(sys.executable, "-c", VICTIM, broker.url, protocol)
        try:
            assert await words(client, 1) == [b"online"]
        finally:
            victim.kill()
            await victim.wait()
        assert await words(client, 1) == [b"offline"]


@needs_mosquitto
async def test_leaving_in_good_order_says_what_the_will_would_have(broker: Broker) -> None:
    """DISCONNECT makes the broker drop the will, so we publish it ourselves, after all that came before."""
    async with listener(broker) as client:
        async with publisher(broker, will=OFFLINE, hello=ONLINE) as out:
            assert await words(client, 1) == [b"online"]
            await out.send("status", b"working", qos=1)
        assert await words(client, 2) == [b"working", b"offline"]
    async with listener(broker) as late:
        assert await words(late, 1) == [b"offline"]


@needs_mosquitto
async def test_the_first_words_are_said_after_every_connection(broker: Broker, ears: Ears) -> None:
    """After a reconnect the retained will of the broken connection is undone."""
    async with publisher(broker, will=OFFLINE, hello=ONLINE) as out:
        await ears.hear("connected")
        broker.restart()
        await ears.hear("connected", times=2)
        await out.send("other", b"", qos=1)
        async with listener(broker) as client:
            assert await words(client, 1) == [b"online"]


@needs_mosquitto
async def test_try_send_never_waits(broker: Broker, ears: Ears) -> None:
    """Handed over when there is a connection, refused at once when there is none or when it can't be sent."""
    async with listener(broker) as client, publisher(broker) as out:
        assert not out.try_send_nowait("status", b"too early")
        await ears.hear("connected")
        assert not out.try_send_nowait("no/+/topic", b"x")
        assert out.try_send_nowait("status", b"now")
        assert await words(client, 1) == [b"now"]
        broker.stop()
        await ears.hear("closed the connection")
        assert not out.try_send_nowait("status", b"too late", qos=1)


@needs_mosquitto
async def test_try_send_gives_up_when_the_outbox_is_full(broker: Broker, ears: Ears) -> None:
    """A broker that no longer reads fills a bounded outbox, and then the answer is no."""
    async with publisher(broker) as out:
        await ears.hear("connected")
        broker.freeze()
        sent = 0
        while out.try_send_nowait("status", b"x" * 100_000):
            sent += 1
            assert sent < 1000
            await asyncio.sleep(0)
        broker.thaw()
        await until(lambda: out.try_send_nowait("status", b"x"))


@needs_mosquitto
async def test_an_error_of_the_body_comes_out_as_it_is(broker: Broker) -> None:
    """The task group within does not wrap what goes wrong outside of it."""
    with pytest.raises(KeyError, match="mine"):
        async with publisher(broker):
            raise KeyError("mine")


@needs_mosquitto
async def test_leaving_while_a_call_waits_cancels_nothing_but_ends(broker: Broker, ears: Ears) -> None:
    """Without a broker leaving does not hang on what can't be sent."""
    async with asyncio.timeout(5.0):
        async with publisher(broker, will=OFFLINE) as out:
            await ears.hear("connected")
            broker.stop()
            await ears.hear("closed the connection")
            waiting = asyncio.create_task(out.send("a", b"b", qos=1))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
