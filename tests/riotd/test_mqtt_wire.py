"""One connection's bytes on their way in: who gets which packets, however they come, and when reading rests."""

import pytest
from mqttium import MalformedPacketError, PacketTooLargeError

from tests.riotd.mqtt_line import CONNACK, PONG, SUBACK, accept, connect, opened, publish, subscriber, taken

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
    party = subscriber(buffer="4kB")
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
