"""Results onto a broker: all of them, in order, whatever happens to the broker."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiomqtt
import orjson
import pytest

from riotd import config
from riotd.messages import DeadLetter, Result
from riotd.mqtt import Loop
from riotd.sinks.mqtt import MqttRejects, MqttSink
from tests.riotd.brokers import MOSQUITTO, Broker, Ears
from tests.riotd.mqtt_parties import VERSIONS, numbers, overhear, publisher, results, stranger

needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
QOS = pytest.mark.parametrize("qos", [0, 1, 2])


def block(qos: int, topic: str = "out/{source}/{stage}", *, retain: bool = False) -> config.MqttSink:
    """A sink's part of a configuration."""
    return config.MqttSink.model_validate({"type": "mqtt", "topic": topic, "qos": qos, "retain": retain})


@asynccontextmanager
async def follower(broker: Broker) -> AsyncIterator[Callable[[], aiomqtt.Client]]:
    """A stranger whose session gets, over all restarts, what is published; gives what makes its client."""

    def client() -> aiomqtt.Client:
        return stranger(broker, identifier="follower", clean_session=False)

    async with client() as first:
        await first.subscribe("out/#", qos=2)
    yield client


@pytest.mark.parametrize("protocol", ["5" if MOSQUITTO else "3.1.1", "3.1.1"])
@QOS
async def test_results_arrive_in_order(broker: Broker, protocol: str, qos: int) -> None:
    """Overlapping calls, larger than any window, arrive whole and in the order of the calls."""
    async with publisher(broker, protocol=protocol) as out, stranger(broker) as client:
        await client.subscribe("out/#", qos=2)
        async with MqttSink(block(qos), out) as sink:
            batches = [results(first, 150) for first in range(0, 600, 150)]
            listening = asyncio.create_task(overhear(client, 600))
            await asyncio.gather(*map(sink.send, batches))
            heard = await listening
        assert sink.counters() == {"sent": 600, "failed": 0, "bytes": sum(len(str(n)) for n in range(600))}
    assert numbers(heard) == list(range(600))
    assert {str(message.topic) for message in heard} == {"out/device/stage"}


@needs_mosquitto
async def test_every_result_has_its_topic_and_may_stay(broker: Broker) -> None:
    """The template is filled per result, and `retain` leaves the last of each topic with the broker."""
    sent = [Result(0, 1, "kal", f"dev{n}", "temperature", b"%d" % n, f"city/{n}/senml") for n in range(3)]
    async with publisher(broker) as out:
        sink = MqttSink(block(1, "r/{topic[0]}/{source}/{name}/{stage}", retain=True), out)
        await sink.send(sent)
    async with stranger(broker) as client:
        await client.subscribe("r/#")
        heard = await overhear(client, 3)
    assert {str(m.topic): m.payload for m in heard} == {f"r/city/dev{n}/temperature/kal": b"%d" % n for n in range(3)}


@needs_mosquitto
@pytest.mark.parametrize(
    ("protocol", "format", "said"),
    [
        ("5", "senml+cbor", "application/senml+cbor"),
        ("5", "senml", None),
        ("3.1.1", "senml+cbor", None),
    ],
)
async def test_cbor_says_what_it_is(broker: Broker, protocol: str, format: str, said: str | None) -> None:  # noqa: A002 - the key of the config
    """On MQTT 5 a result in CBOR has its media type as content type; others have none."""
    sink = config.MqttSink.model_validate({"type": "mqtt", "topic": "out", "format": format})
    async with publisher(broker, protocol=protocol) as out, stranger(broker, protocol=VERSIONS["5"]) as client:
        await client.subscribe("out")
        await MqttSink(sink, out).send(results(0, 3))
        heard = await overhear(client, 3)
    assert {getattr(message.properties, "ContentType", None) for message in heard} == {said}


@needs_mosquitto
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@QOS
async def test_a_broker_that_is_away_costs_nothing(
    make_broker: Callable[..., Broker], ears: Ears, protocol: str, qos: int
) -> None:
    """What is sent while the broker is down waits for it, and all of it arrives in order."""
    broker = make_broker("queue_qos0_messages true", persistent=True)
    broker.start()
    async with follower(broker) as client, publisher(broker, protocol=protocol) as out:
        sink = MqttSink(block(qos), out)
        await sink.send(results(0, 5))
        await broker.saved()
        broker.stop()
        await ears.hear("closed the connection")  # before that QoS 0 would go into a dead socket
        waiting = asyncio.gather(*(sink.send(results(first, 100)) for first in (5, 105, 205)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.3)
        broker.start()
        async with asyncio.timeout(10.0):
            await waiting
        async with client() as late:
            assert numbers(await overhear(late, 305)) == list(range(305))
        assert sink.counters()["sent"] == 305


@needs_mosquitto
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, Loop])
def test_a_broker_that_does_not_read_holds_up_qos_0(
    broker: Broker, ears: Ears, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """`send` does not return while the socket takes nothing, so that little waits in memory; all arrives in order."""

    async def run() -> list[int]:
        async with publisher(broker) as out, stranger(broker) as client:
            await client.subscribe("out/#")
            await ears.hear("connected")
            sink = MqttSink(block(0), out)
            broker.freeze()
            large = [Result(0, n, "stage", "device", "", b"%010d" % n * 100) for n in range(20_000)]
            sending = [asyncio.create_task(sink.send(large[first : first + 500])) for first in range(0, 20_000, 500)]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(asyncio.gather(*sending)), 0.3)
            assert out._wire is not None
            assert out._wire._transport.get_write_buffer_size() < 4 * 64 * 1024
            broker.thaw()
            listening = asyncio.create_task(overhear(client, 20_000))
            await asyncio.gather(*sending)
            return [int(bytes(message.payload)[:10]) for message in await listening]  # type: ignore[arg-type]

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(run()) == list(range(20_000))


@needs_mosquitto
async def test_a_crash_in_the_middle_loses_nothing(make_broker: Callable[..., Broker]) -> None:
    """What a killed broker had not acknowledged is sent again: every result arrives, firsts in order."""
    broker = make_broker(persistent=True)
    broker.start()
    async with follower(broker) as client, publisher(broker) as out:
        sink = MqttSink(block(1), out)
        await broker.saved()
        broker.freeze()
        waiting = asyncio.gather(*(sink.send(results(first, 100)) for first in (0, 100)))
        await asyncio.sleep(0)
        broker.restart(signal.SIGKILL)
        async with asyncio.timeout(10.0):
            await waiting
        async with client() as late:
            heard = numbers(await overhear(late, 200))
    assert heard == list(range(200))


@needs_mosquitto
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("qos", [1, 2])
async def test_restarts_under_load_keep_the_order(make_broker: Callable[..., Broker], protocol: str, qos: int) -> None:
    """Over three restarts amid overlapping calls nothing is lost, firsts stay in order; with MQTT 5 QoS 2 is once."""
    broker = make_broker(persistent=True)
    broker.start()
    async with follower(broker) as client, publisher(broker, protocol=protocol) as out:
        sink = MqttSink(block(qos), out)
        waiting = [asyncio.create_task(sink.send(results(first, 100))) for first in range(0, 3000, 100)]
        for batch in (5, 10, 15):
            await asyncio.wait([waiting[batch]])
            broker.restart()
        async with asyncio.timeout(20.0):
            await asyncio.gather(*waiting)
        await out.send("out/end", b"-1", qos=qos)
        async with client() as late:
            heard = numbers(await overhear(late, 3000, until=b"-1"))
    assert list(dict.fromkeys(heard)) == [*range(3000), -1]
    if (protocol, qos) == ("5", 2):
        assert len(heard) == 3001


@needs_mosquitto
async def test_results_survive_the_end_of_a_client(make_broker: Callable[..., Broker], ears: Ears) -> None:
    """When the broker refuses us for a while, what was on the way and what came since arrives in order after."""
    broker = make_broker(persistent=True)
    broker.start()
    async with follower(broker) as client, publisher(broker) as out:
        sink = MqttSink(block(1), out)
        await sink.send(results(0, 1))
        await broker.saved()
        broker.freeze()
        waiting = [asyncio.create_task(sink.send(results(first, 100))) for first in (1, 101)]
        await asyncio.sleep(0)
        broker.stop(signal.SIGKILL)
        broker.lines = ["allow_anonymous false"]
        broker.start()
        await ears.hear("not authorized")
        waiting.append(asyncio.create_task(sink.send(results(201, 100))))
        broker.stop()
        broker.lines = []
        broker.start()
        async with asyncio.timeout(10.0):
            await asyncio.gather(*waiting)
        async with client() as late:
            assert numbers(await overhear(late, 301)) == list(range(301))
        assert out.counters()["connects"] == 2


@needs_mosquitto
async def test_what_can_never_be_sent_is_counted_and_passed_over(
    make_broker: Callable[..., Broker], ears: Ears
) -> None:
    """Results too large for the broker and topics too long are said once per kind; the others arrive."""
    broker = make_broker("max_packet_size 2000")
    broker.start()
    async with publisher(broker) as out, stranger(broker) as client:
        await client.subscribe("out/#", qos=1)
        sink = MqttSink(block(1), out)
        sent = results(0, 3)
        sent.insert(1, Result(0, 9, "stage", "device", "", b"x" * 3000))
        sent.insert(2, Result(0, 9, "stage", "device", "", b"x" * 4000))
        sent.insert(3, Result(0, 9, "stage", "d" * 70_000, "", b"x"))
        async with asyncio.timeout(10.0):
            await sink.send(sent)
        assert numbers(await overhear(client, 3)) == [0, 1, 2]
        assert (sink.counters()["sent"], sink.counters()["failed"]) == (3, 3)
        assert out.counters()["refused"] == 3
    assert ears.count("larger than the broker accepts") == 1
    assert ears.count("counted, not sent") == 2


@needs_mosquitto
async def test_a_publication_the_broker_forbids_is_counted(make_broker: Callable[..., Broker], ears: Ears) -> None:
    """A PUBACK with a reason from 0x80 on is the end of that result, not of the sink."""
    broker = make_broker()
    (broker.folder / "acl").write_text("topic readwrite out/device/#\n")
    broker.lines = [f"acl_file {broker.folder}/acl"]
    broker.start()
    async with publisher(broker) as out:
        sink = MqttSink(block(1), out)
        await sink.send([Result(0, 1, "stage", "stranger", "", b"x"), *results(0, 1)])
    assert (sink.counters()["sent"], sink.counters()["failed"]) == (1, 1)
    assert ears.count("not authorized; see the broker's access list") == 1


@needs_mosquitto
async def test_dead_letters_are_json(broker: Broker) -> None:
    """A dead letter arrives with everything in it, on the topic with the daemon's name."""
    async with publisher(broker) as out, stranger(broker) as client:
        await client.subscribe("riotd/+/rejects")
        rejects = MqttRejects(config.MqttRejects(type="mqtt"), out, "city")
        await rejects.send([DeadLetter(2.5, "parse", "no JSON", 7, "sensors/1", b"{")])
        heard = await overhear(client, 1)
    assert str(heard[0].topic) == "riotd/city/rejects"
    letter = {"time": 2.5, "stage": "parse", "reason": "no JSON", "id": 7, "topic": "sensors/1", "payload": "{"}
    assert orjson.loads(bytes(heard[0].payload)) == letter  # type: ignore[arg-type]
