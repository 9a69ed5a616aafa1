"""Brokers that restart, crash and forget: what a source still gets."""

import asyncio
import signal
from collections.abc import Callable

import pytest

from riotd.sources.mqtt import MqttSource
from tests.riotd.brokers import MOSQUITTO, Broker, Ears, until
from tests.riotd.mqtt_parties import collect, numbers, publish, publisher, source

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
SIGNALS = pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])


@PROTOCOLS
@SIGNALS
@pytest.mark.parametrize("qos", [1, 2])
async def test_a_kept_session_loses_and_doubles_nothing(
    make_broker: Callable[..., Broker], ears: Ears, protocol: str, end: signal.Signals, qos: int
) -> None:
    """Over a restart or a crash of the broker every message comes once, in order, acknowledged or not."""
    broker = make_broker(persistent=True)
    broker.start()
    gone = "Client riotd-test-in disconnected"
    async with source(broker, "n", protocol=protocol, session="persistent", qos=qos) as ours:
        await ears.hear("subscribed")
        await publish(broker, "n", range(200), qos=qos)
        got = await collect(ours, 200, ack=False)
        await ours.ack(got[:100])
        await _processed(ours)
        await broker.saved()
        broker.restart(end)
        await ears.hear("session resumed")
        await ours.ack(got[100:150])
        await publish(broker, "n", range(200, 250), qos=qos)
        after = await collect(ours, 50, ack=False)
        await ours.ack(got[150:])
        await ours.ack(after)
        before = broker.log.count(gone)
    # Who comes back before mosquitto has read its last acknowledgements takes them from itself.
    await until(lambda: broker.log.count(gone) > before)
    assert numbers(got + after) == list(range(250))
    async with source(broker, "n", protocol=protocol, session="persistent", qos=qos) as ours:
        await ears.hear("session resumed", times=2)
        await publish(broker, "n", [250], qos=qos)
        assert numbers(await collect(ours, 1)) == [250]


@PROTOCOLS
async def test_what_waits_in_the_buffer_is_not_doubled(
    make_broker: Callable[..., Broker], ears: Ears, protocol: str
) -> None:
    """Messages received but not handed out when the connection breaks come once, though the broker sends them again."""
    broker = make_broker(persistent=True)
    broker.start()
    async with source(broker, "n", protocol=protocol, session="persistent") as ours:
        await ears.hear("subscribed")
        await publish(broker, "n", range(500))
        await until(lambda: ours._subscriber.waiting == 500)
        await broker.saved()
        broker.restart(signal.SIGKILL)
        await ears.hear("session resumed")
        await publish(broker, "n", range(500, 510))
        assert numbers(await collect(ours, 510)) == list(range(510))
        assert ours.counters()["duplicates"] >= 1


@PROTOCOLS
@pytest.mark.parametrize("session", ["clean", "persistent"])
async def test_a_lost_session_is_subscribed_again(broker: Broker, ears: Ears, protocol: str, session: str) -> None:
    """A broker that has forgotten us gets our subscriptions again, and void acknowledgements are counted."""
    async with source(broker, "n", protocol=protocol, session=session) as ours:
        await ears.hear("subscribed")
        await publish(broker, "n", range(5))
        got = await collect(ours, 5, ack=False)
        broker.restart()
        await ears.hear("subscribed", times=2)
        await ours.ack(got)
        await publish(broker, "n", range(5, 10))
        assert numbers(await collect(ours, 5)) == [5, 6, 7, 8, 9]
        assert ours.counters()["acks_dropped"] == 5
        assert ours.counters()["connects"] == 2
    assert ears.count("session new") == 2


async def test_acknowledgements_made_while_the_broker_is_away_are_kept(
    make_broker: Callable[..., Broker], ears: Ears
) -> None:
    """`ack` returns at once without a connection, and the broker hears of it when it is back."""
    broker = make_broker(persistent=True)
    broker.start()
    async with source(broker, "n", session="persistent") as ours:
        await ears.hear("subscribed")
        await publish(broker, "n", range(10))
        got = await collect(ours, 10, ack=False)
        await broker.saved()
        broker.stop()
        await ears.hear("closed the connection")
        async with asyncio.timeout(0.5):
            await ours.ack(got)
        broker.start()
        await ears.hear("session resumed")
        await publish(broker, "n", [10])
        await collect(ours, 1)  # behind the copies of all others, which are answered as they come
    async with source(broker, "n", session="persistent") as ours:
        await ears.hear("session resumed", times=2)
        await publish(broker, "n", [11])
        assert numbers(await collect(ours, 1)) == [11]


async def _processed(ours: MqttSource) -> None:
    """Wait until the broker has read all acknowledgements so far: what it answers comes after. QoS 2 takes two."""
    for _ in range(2):
        await ours._subscriber._link.client.subscribe("unused")


async def test_a_broker_may_send_more_than_it_was_allowed(broker: Broker) -> None:
    """With a backlog mosquitto 2.0.11 overshoots Receive Maximum: the connection stays, and nothing is lost."""
    many = 20_000
    async with publisher(broker) as theirs, source(broker, "n", qos=1, receive_maximum=100) as ours:
        await theirs.send_all([("n", b"%d" % number) for number in range(many)], qos=1)
        got = await collect(ours, many)
        assert [int(message.payload) for message in got] == list(range(many))
        assert ours.counters()["losses"] == 0
