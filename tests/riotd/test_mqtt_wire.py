"""One connection's bytes: who gets which packets, however they come, and who may write when."""

import asyncio

import pytest
from mqttium import MalformedPacketError, PacketTooLargeError, QoS
from mqttium.api import NegotiatedSettings
from mqttium.packets import PublishPacket

from riotd import config
from riotd.messages import Message
from riotd.mqtt import Publisher, Subscriber
from riotd.mqtt.wire import Wire

CONNACK, SUBACK, PING, PONG = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x00", b"\xc0\x00", b"\xd0\x00"
DISCONNECT, PUBACK = b"\xe0\x00", b"\x40\x02\x00\x01"
URL = "mqtt://localhost"


class Line(asyncio.Transport):
    """asyncio's side of a connection; what is written stays here."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._protocol = protocol
        self.written = b""
        self.reading, self.closing, self.aborted = True, False, False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += data

    def pause_reading(self) -> None:
        """Take note."""
        self.reading = False

    def resume_reading(self) -> None:
        """Take note."""
        self.reading = True

    def is_closing(self) -> bool:
        """Since `close`."""
        return self.closing

    def close(self) -> None:
        """What is written does not leave: it stays open."""
        self.closing = True

    def abort(self) -> None:
        """Take note, and end."""
        self.aborted = True
        asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)


def publish(payload: bytes, number: int | None = None, topic: str = "t") -> bytes:
    """A PUBLISH of MQTT 3.1.1, QoS 1 if it has a number."""
    qos = QoS.AT_MOST_ONCE if number is None else QoS.AT_LEAST_ONCE
    return PublishPacket(topic, payload, qos, retain=False, dup=False, mid=number).encode()


def subscriber(**settings: object) -> Subscriber:
    """One that is not connected."""
    block = {"type": "mqtt", "url": URL, "protocol": "3.1.1", "topics": ["#"], **settings}
    return Subscriber(config.MqttSource.model_validate(block), client_id="test")


def connect(party: Subscriber | Publisher, *, largest: int = 2**20) -> tuple[Wire, Line]:
    """A connection, made but not opened."""
    wire = Wire(party, largest=largest)
    line = Line(wire)
    wire.connection_made(line)
    return wire, line


def accept(wire: Wire, party: Subscriber | Publisher) -> None:
    """What the link does after CONNACK."""
    party.opened(wire, resumed=False, negotiated=NegotiatedSettings())
    wire.open()


def opened(party: Subscriber | Publisher, *, largest: int = 2**20) -> tuple[Wire, Line]:
    """A connection over which all may be sent."""
    wire, line = connect(party, largest=largest)
    wire.data_received(CONNACK)
    accept(wire, party)
    return wire, line


async def taken(party: Subscriber) -> list[Message]:
    """What it has, without waiting for more."""
    return await party.receive(100_000) if party.waiting else []


MIXED = CONNACK + publish(b"one") + SUBACK + publish(b"2" * 200, 1) + PONG + publish(b"") + b"\xb0\x02\x00\x02"
TO_CLIENT, TO_SESSION = CONNACK + SUBACK + PONG + b"\xb0\x02\x00\x02", [b"one", b"2" * 200, b""]


async def test_a_stream_may_break_at_any_byte() -> None:
    """Two reads at any boundary give each party the same packets, in order, as one."""
    for at in range(len(CONNACK), len(MIXED)):
        party = subscriber()
        wire, _ = connect(party)
        wire.data_received(MIXED[:at])
        accept(wire, party)
        wire.data_received(MIXED[at:])
        assert [message.payload for message in await taken(party)] == TO_SESSION
        assert await wire.read() == TO_CLIENT


async def test_a_stream_may_come_byte_by_byte() -> None:
    """The worst of networks."""
    party = subscriber()
    wire, _ = opened(party)
    for byte in MIXED[len(CONNACK) :]:
        wire.data_received(bytes([byte]))
    assert [message.payload for message in await taken(party)] == TO_SESSION
    assert await wire.read() == TO_CLIENT


async def test_what_comes_behind_connack_waits_until_it_is_read() -> None:
    """The client first says whose session it is; meanwhile nothing more is read, and nothing is lost."""
    party = subscriber()
    wire, line = connect(party)
    wire.data_received(CONNACK[:3])
    assert line.reading
    wire.data_received(CONNACK[3:] + publish(b"1", 1) + SUBACK[:2])
    assert await wire.read() == CONNACK
    assert not line.reading
    wire.data_received(SUBACK[2:])  # what TLS had already deciphered
    assert party.waiting == 0
    accept(wire, party)
    assert line.reading
    assert party.waiting == 1
    assert await wire.read() == SUBACK


async def test_a_packet_larger_than_any_read_is_put_together() -> None:
    """Half a megabyte in pieces of a kilobyte, with neighbours."""
    party = subscriber()
    wire, _ = opened(party)
    stream = publish(b"1") + publish(bytes(500_000)) + publish(b"3")
    for at in range(0, len(stream), 1000):
        wire.data_received(stream[at : at + 1000])
    assert [len(message.payload) for message in await taken(party)] == [1, 500_000, 1]


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (publish(bytes(2000))[:5], PacketTooLargeError),
        (b"\x30" + b"\xff" * 5, MalformedPacketError),
    ],
)
async def test_the_client_is_told_what_is_no_mqtt(bad: bytes, kind: type[Exception]) -> None:
    """It gets the packets before it, then the error, whose words it has for the broker; nothing more is taken."""
    party = subscriber()
    wire, line = opened(party, largest=1000)
    await wire.read()
    wire.data_received(publish(b"1") + SUBACK + bad)
    wire.data_received(publish(b"2"))
    assert [message.payload for message in await taken(party)] == [b"1"]
    assert await wire.read() == SUBACK
    with pytest.raises(kind):
        await wire.read()
    assert not line.reading


async def test_what_is_no_mqtt_is_told_before_connack_too() -> None:
    """Somebody else's protocol behind the broker's port is not waited for until it makes sense."""
    wire, line = connect(subscriber(), largest=1000)
    wire.data_received(b"\x15\xff\xff\x01")
    with pytest.raises(PacketTooLargeError):
        await wire.read()
    assert not line.reading


async def test_a_malformed_publication_is_told() -> None:
    """It is the session that finds it: what it took before counts, and the client gets the words."""
    party = subscriber()
    wire, line = opened(party)
    await wire.read()
    wire.data_received(publish(b"1") + b"\x36\x05\x00\x01t\x00\x01" + publish(b"2"))
    assert [message.payload for message in await taken(party)] == [b"1"]
    with pytest.raises(MalformedPacketError, match="QoS 3"):
        await wire.read()
    assert not line.reading


async def test_a_full_buffer_stops_the_reading() -> None:
    """Nothing is read while more waits than `buffer` says; taking it makes room."""
    party = subscriber(buffer="2kB")
    wire, line = opened(party)
    wire.data_received(publish(bytes(1500)))
    assert line.reading
    wire.data_received(publish(bytes(1500)))
    assert not line.reading
    await party.receive(1)
    assert line.reading


async def test_many_small_messages_stop_the_reading_too() -> None:
    """What is kept beside a payload counts."""
    party = subscriber(buffer="2kB")
    wire, line = opened(party)
    wire.data_received(publish(b"") * 101)
    assert not line.reading


async def test_pings_are_answered_while_reading_rests() -> None:
    """Those on the way and those sent meanwhile; the broker's own answers are left out when they come at last."""
    party = subscriber(buffer="2kB")
    wire, line = opened(party)
    await wire.read()
    await wire.write(PING)
    wire.data_received(publish(bytes(3000)))
    assert await wire.read() == PONG
    await wire.write(PING)
    assert await wire.read() == PONG
    assert line.written == PING * 2
    await party.receive(1)
    wire.data_received(PONG * 2 + SUBACK)
    await wire.write_many([PING])
    wire.data_received(PONG)
    assert await wire.read() == SUBACK + PONG


async def test_acknowledgements_leave_together() -> None:
    """In one write, in order; behind the client's DISCONNECT none."""
    party = subscriber(qos=1)
    wire, line = opened(party)
    wire.data_received(publish(b"", 1) + publish(b"", 2) + publish(b"", 3))
    first, second, third = await taken(party)
    party.acknowledge([first.token, second.token])
    assert line.written == PUBACK + b"\x40\x02\x00\x02"
    await wire.write(DISCONNECT)
    party.acknowledge([third.token])
    assert line.written == PUBACK + b"\x40\x02\x00\x02" + DISCONNECT


@pytest.mark.parametrize("error", [None, ConnectionResetError("reset")])
async def test_an_end_is_told_to_both(error: Exception | None) -> None:
    """The client gets what came before it, then the error, or the end; nobody can write any more."""
    party = Publisher(config.Connection(url=URL, protocol="3.1.1"), client_id="test")
    wire, line = opened(party)
    wire.data_received(SUBACK)
    waiting = asyncio.create_task(party.send("t", b"", qos=1))
    await asyncio.sleep(0)
    written = line.written
    assert written
    wire.connection_lost(error)
    line.closing = True
    assert not party.try_send_nowait("t", b"")
    assert await wire.read() == CONNACK + SUBACK
    if error is None:
        assert await wire.read() == b""
    else:
        with pytest.raises(ConnectionResetError, match="reset"):
            await wire.read()
    with pytest.raises(ConnectionResetError):
        await wire.write(PING)
    assert line.written == written
    waiting.cancel()


async def test_a_reader_that_waits_is_woken_by_the_end() -> None:
    """`read` does not outlive its connection."""
    wire, _ = opened(subscriber())
    await wire.read()
    waiting = asyncio.create_task(wire.read())
    await asyncio.sleep(0)
    wire.connection_lost(None)
    assert await waiting == b""


async def test_a_socket_that_takes_no_more_stops_the_writing() -> None:
    """Between chunks it is looked whether the socket takes more; what waits leaves when it does, and nothing else."""
    party = Publisher(config.Connection(url=URL, protocol="3.1.1"), client_id="test")
    wire, line = opened(party)
    wire.pause_writing()
    assert not party.try_send_nowait("t", b"")
    sending = asyncio.create_task(party.send_all([("t", bytes(1000))] * 500))
    await asyncio.sleep(0)
    assert line.written == b""
    line.write = lambda data: (wire.pause_writing(), Line.write(line, data))[1]  # type: ignore[method-assign]
    wire.resume_writing()
    assert 64_000 < len(line.written) < 70_000
    for _ in range(9):
        assert not sending.done()
        wire.resume_writing()
    assert await sending == 0
    assert len(line.written) == 500 * len(publish(bytes(1000)))


async def test_closing_does_not_wait_for_ever() -> None:
    """What the broker does not read is given up after a moment; a second `close` finds nothing to do."""
    wire, line = opened(subscriber())
    wire._grace = 0.01
    await wire.close()
    assert line.aborted
    await wire.close()


async def test_closing_that_is_cancelled_closes_at_once() -> None:
    """The socket does not stay open behind a cancelled task."""
    wire, line = opened(subscriber())
    closing = asyncio.create_task(wire.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert line.aborted
