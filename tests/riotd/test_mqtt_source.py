"""What an MQTT source hands out, acknowledges and leaves with the broker."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from riotd.mqtt import Loop
from tests.riotd.brokers import MOSQUITTO, Broker, Ears
from tests.riotd.mqtt_parties import collect, numbers, overhear, publish, publisher, source, stranger

PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("protocol", ["5" if MOSQUITTO else "3.1.1", "3.1.1"])
async def test_messages_come_in_order_at_every_qos(broker: Broker, ears: Ears, protocol: str, qos: int) -> None:
    """What a stranger publishes comes whole and in its order."""
    async with source(broker, "numbers/+", qos=qos, protocol=protocol) as ours:
        await ears.hear("subscribed")
        await publish(broker, "numbers/a", range(50), qos=qos)
        got = await collect(ours, 50)
    assert numbers(got) == list(range(50))
    assert {message.topic for message in got} == {"numbers/a"}


@needs_mosquitto
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, Loop])
def test_packets_of_all_sizes_come_whole(
    broker: Broker, ears: Ears, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """From nothing to more than any read or buffer holds, among each other, on asyncio's loop and the daemon's."""
    sizes = [0, 1, 100, 200, 16_300, 16_400, 70_000, 300_000, 3_000_000, 5] * 3

    async def run() -> list[bytes]:
        async with source(broker, "n", buffer="64kB", max_packet="4MB") as ours, publisher(broker) as theirs:
            await ears.hear("subscribed")
            sent = asyncio.create_task(theirs.send_all([("n", bytes([size % 251]) * size) for size in sizes], qos=1))
            got = await collect(ours, len(sizes))
            assert await sent == 0
            return [message.payload for message in got]

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(run()) == [bytes([size % 251]) * size for size in sizes]


def test_works_on_the_daemons_loop(broker: Broker, ears: Ears) -> None:
    """On uvloop without happy eyeballs a source works as on asyncio's loop."""

    async def run() -> list[int]:
        async with source(broker, "numbers/+", protocol="5" if MOSQUITTO else "3.1.1") as ours:
            await ears.hear("subscribed")
            await publish(broker, "numbers/a", range(5))
            return numbers(await collect(ours, 5))

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(run()) == [0, 1, 2, 3, 4]


@needs_mosquitto
@PROTOCOLS
@pytest.mark.parametrize("qos", [1, 2])
async def test_unacknowledged_messages_come_again_to_the_next_process(
    make_broker: Callable[..., Broker], ears: Ears, protocol: str, qos: int
) -> None:
    """With a persistent session exactly what was not acknowledged is there after a restart of the daemon."""
    broker = make_broker()
    broker.start()
    settings = {"protocol": protocol, "session": "persistent", "qos": qos}
    async with source(broker, "n", **settings) as ours:
        await ears.hear("subscribed")
        await publish(broker, "n", range(10), qos=qos)
        got = await collect(ours, 10, ack=False)
        await ours.ack(got[:4])
    await publish(broker, "n", range(10, 13), qos=qos)
    async with source(broker, "n", **settings) as ours:
        assert numbers(await collect(ours, 9)) == list(range(4, 13))


@needs_mosquitto
async def test_later_acknowledgements_wait_for_earlier_ones(broker: Broker, ears: Ears) -> None:
    """A PUBACK out of turn is held back, so that the broker never forgets an older message for a newer one."""
    async with source(broker, "n", session="persistent") as ours:
        await ears.hear("subscribed")
        await publish(broker, "n", range(10))
        got = await collect(ours, 10, ack=False)
        await ours.ack(got[5:])
    async with source(broker, "n", session="persistent") as ours:
        assert numbers(await collect(ours, 10)) == list(range(10))


async def test_a_cancelled_receive_loses_nothing(broker: Broker, ears: Ears) -> None:
    """Calls of `receive` that are cancelled while they wait, or as a message arrives, leave it for the next."""
    async with source(broker, "n", protocol="3.1.1") as ours, stranger(broker) as client:
        await ears.hear("subscribed")
        got: list[int] = []
        for number in range(30):
            waiting = asyncio.create_task(ours.receive())
            await client.publish("n", str(number), qos=1)
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                got += numbers(await waiting)
        got += numbers(await collect(ours, 30 - len(got)))
    assert got == list(range(30))


@needs_mosquitto
@pytest.mark.parametrize("wanted", [True, False])
@PROTOCOLS
async def test_retained_messages_can_be_left_out(broker: Broker, ears: Ears, protocol: str, *, wanted: bool) -> None:
    """`retained: false` starts with what is published after the subscription."""
    async with stranger(broker) as client:
        await client.publish("n", "1", qos=1, retain=True)
    async with source(broker, "n", protocol=protocol, retained=wanted, session="persistent") as ours:
        await ears.hear("subscribed")
        await publish(broker, "n", [2])
        got = numbers(await collect(ours, 2 if wanted else 1))
    assert got == ([1, 2] if wanted else [2])


@needs_mosquitto
async def test_a_left_out_message_is_acknowledged(broker: Broker, ears: Ears) -> None:
    """What `retained: false` skips is not sent again to the next process."""
    async with stranger(broker) as client:
        await client.publish("n", "1", qos=1, retain=True)
    settings = {"protocol": "3.1.1", "retained": False, "session": "persistent"}
    async with source(broker, "n", **settings) as ours:
        await ears.hear("subscribed")
        await publish(broker, "n", [2])
        await collect(ours, 1)
        assert ours.counters()["retained"] == 1
    async with stranger(broker, identifier="riotd-test-in", clean_session=False) as client:
        await client.publish("n", "3", qos=1)
        assert numbers(await overhear(client, 1)) == [3]


@needs_mosquitto
async def test_shared_subscriptions_split_a_feed(broker: Broker, ears: Ears) -> None:
    """Two sources of one group get every message once between them."""
    shared = "$share/group/n"
    async with source(broker, shared, client_id="one") as one, source(broker, shared, client_id="two") as two:
        await ears.hear("subscribed", times=2)
        await publish(broker, "n", range(40))
        await publish(broker, "n", range(40, 60))
        first, second = await asyncio.gather(collect(one, 30), collect(two, 30))
    assert sorted(numbers(first) + numbers(second)) == list(range(60))


@PROTOCOLS
@needs_mosquitto
async def test_pushes_back_without_losing_the_connection(broker: Broker, ears: Ears, protocol: str) -> None:
    """While nobody receives for two keep-alives the connection stays, the buffer is bounded, all comes after."""
    async with source(broker, "n", protocol=protocol, keepalive=1, buffer="64kB", max_packet="32kB") as ours:
        await ears.hear("subscribed")
        async with stranger(broker) as client:
            for number in range(1000):
                await client.publish("n", f"{number:2000d}", qos=1)
        await asyncio.sleep(2.2)  # the claim is about a time
        assert ours._subscriber._inbound.size <= 64_000 + 256 * 1024  # the buffer, and one read
        assert numbers(await collect(ours, 1000)) == list(range(1000))
        assert ours.counters()["losses"] == 0


@pytest.mark.parametrize("settings", [{"qos": 0}, {"qos": 1, "session": "clean"}])
async def test_stop_hands_out_what_would_be_lost(broker: Broker, ears: Ears, settings: dict[str, object]) -> None:
    """After `stop` a clean session unsubscribes, gives what it has received, and ends for good."""
    async with source(broker, "n", protocol="3.1.1", **settings) as ours, stranger(broker) as client:
        await ears.hear("subscribed")
        await client.subscribe("n", qos=1)
        await client.publish("n", "1", qos=1)
        await overhear(client, 1)
        await ours.stop()
        got = []
        async with asyncio.timeout(5.0):
            while fresh := await ours.receive():
                got += numbers(fresh)
        assert got == [1]
        assert not await ours.receive()


@needs_mosquitto
async def test_stop_leaves_the_rest_with_a_persistent_session(broker: Broker, ears: Ears) -> None:
    """After `stop` a persistent session ends at once, still acknowledges, and the rest is for the next process."""
    async with source(broker, "n", session="persistent") as ours:
        await ears.hear("subscribed")
        await publish(broker, "n", range(3))
        first = await collect(ours, 3, ack=False)
        waiting = asyncio.create_task(ours.receive())
        await ours.stop()
        async with asyncio.timeout(5.0):
            assert not await waiting
        await publish(broker, "n", [3])
        assert not await ours.receive()
        await ours.ack(first)
    async with source(broker, "n", session="persistent") as ours:
        assert numbers(await collect(ours, 1)) == [3]
