"""The receiving half of a session: what is handed out, what the broker is told, over any number of connections."""

from collections.abc import Sequence

import pytest
from mqttium import QoS
from mqttium.api import Properties
from mqttium.packets import PublishPacket, encode_pingresp

from riotd.messages import Message
from tests.riotd.mqtt_halves import VERSIONS, hear, publish, receiver

FIVE = pytest.mark.parametrize("five", [True, False])


def payloads(messages: Sequence[Message]) -> list[bytes]:
    """What is in them."""
    return [message.payload for message in messages]


@FIVE
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_are_read_as_they_were_written(qos: int, *, five: bool) -> None:
    """Topic, payload and time of arrival, with properties of any length skipped."""
    inbound = receiver(five=five)
    many = Properties({"user_property": (("k", "v" * 200),)}) if five else None
    packet = PublishPacket(
        "städte/1", b"\0\xff", QoS(qos), retain=False, dup=False, mid=7 if qos else None, properties=many
    )
    assert not hear(inbound, packet.encode(VERSIONS[five]) + publish(b"", 8 if qos else None, qos, five=five), 5.5)
    assert [(m.topic, m.payload, m.received) for m in inbound.take(9)] == [
        ("städte/1", b"\0\xff", 5.5),
        ("t/1", b"", 5.5),
    ]


def test_a_message_says_what_its_broker_calls_it() -> None:
    """The packet identifier, and whether it may have been sent before: to a life that knows no copies, too."""
    inbound = receiver()
    hear(inbound, publish(b"") + publish(b"", 7, 1) + publish(b"", 8, 2, dup=True))
    assert [(message.mark, message.again) for message in inbound.take(9)] == [(0, False), (7, False), (8, True)]


def test_what_is_not_for_the_session_is_given_back() -> None:
    """Packets of the connection's life come back whole and in order, those between them are taken."""
    inbound = receiver()
    suback, pong = b"\x90\x04\x00\x01\x00\x01", encode_pingresp()
    assert hear(inbound, suback + publish(b"1") + pong + publish(b"2", 1, 1)) == [suback, pong]
    assert payloads(inbound.take(9)) == [b"1", b"2"]


def test_takes_no_more_than_asked_for() -> None:
    """The rest stays in order, and size and number follow."""
    inbound = receiver()
    hear(inbound, b"".join(publish(b"x" * size) for size in range(5)))
    assert (len(inbound), inbound.size) == (5, 10)
    assert payloads(inbound.take(3)) == [b"", b"x", b"xx"]
    assert (len(inbound), inbound.size) == (2, 7)


def test_answers_wait_for_those_before() -> None:
    """What is acknowledged out of turn is answered with what it waited for, in the order of arrival."""
    inbound = receiver()
    hear(inbound, b"".join(publish(b"", number, 1) for number in (5, 3, 9)))
    first, second, third = [message.token for message in inbound.take(3)]
    inbound.acknowledge([third, second])
    assert inbound.answers() == b""
    inbound.acknowledge([first])
    assert inbound.answers() == b"\x40\x02\x00\x05\x40\x02\x00\x03\x40\x02\x00\x09"
    assert inbound.unanswered == 0


def test_qos_2_is_kept_until_it_is_acknowledged() -> None:
    """PUBREC, with which the broker forgets a message, waits for the acknowledgement; PUBREL is answered at once."""
    inbound = receiver()
    hear(inbound, publish(b"1", 7, 2) + publish(b"2", 8, 1))
    tokens = [message.token for message in inbound.take(2)]
    assert inbound.answers() == b""
    inbound.acknowledge(tokens)
    assert (inbound.answers(), inbound.releasing) == (b"\x50\x02\x00\x07\x40\x02\x00\x08", 1)
    hear(inbound, b"\x62\x02\x00\x07")
    assert (inbound.answers(), inbound.releasing) == (b"\x70\x02\x00\x07", 0)


def test_a_qos_2_message_whose_pubrec_was_lost_is_a_copy() -> None:
    """It gets its PUBREC again and is not handed out; after PUBREL the identifier is free for another."""
    inbound = receiver()
    hear(inbound, publish(b"1", 7, 2))
    inbound.acknowledge([message.token for message in inbound.take(1)])
    inbound.answers()
    inbound.connected(resumed=True)
    hear(inbound, publish(b"1", 7, 2, dup=True))
    assert inbound.answers() == b"\x50\x02\x00\x07"
    hear(inbound, b"\x62\x02\x00\x07" + publish(b"2", 7, 2))
    assert inbound.answers() == b"\x70\x02\x00\x07"
    assert payloads(inbound.take(9)) == [b"2"]


def test_a_new_session_knows_no_qos_2_exchange() -> None:
    """Under the identifier of one that was not released comes another message; replies to the old one are not sent."""
    inbound = receiver()
    hear(inbound, publish(b"1", 7, 2))
    inbound.acknowledge([message.token for message in inbound.take(1)])
    inbound.answers()
    hear(inbound, b"\x62\x02\x00\x08")
    inbound.connected(resumed=False)
    hear(inbound, publish(b"2", 7, 2))
    assert payloads(inbound.take(9)) == [b"2"]
    assert inbound.answers() == b""


def test_a_copy_is_answered_not_handed_out() -> None:
    """After a resumed session nothing is answered before the broker sends it again, and then as soon as it does."""
    inbound = receiver()
    hear(inbound, publish(b"1", 1, 1) + publish(b"2", 2, 1))
    first, second = inbound.take(2)
    inbound.connected(resumed=True)
    inbound.acknowledge([first.token])
    assert inbound.answers() == b""
    hear(inbound, publish(b"1", 1, 1, dup=True) + publish(b"2", 2, 1, dup=True) + publish(b"3", 3, 1))
    assert inbound.answers() == b"\x40\x02\x00\x01"
    assert payloads(inbound.take(9)) == [b"3"]
    inbound.acknowledge([second.token])
    assert inbound.answers() == b"\x40\x02\x00\x02"
    assert inbound.copies == 2


def test_a_lost_session_makes_acknowledgements_void() -> None:
    """They are counted and answer nothing, not even another message with the same identifier."""
    inbound = receiver()
    hear(inbound, publish(b"1", 1, 1))
    (old,) = inbound.take(1)
    inbound.connected(resumed=False)
    hear(inbound, publish(b"2", 1, 1))
    inbound.acknowledge([old.token, None])
    assert (inbound.answers(), inbound.void) == (b"", 1)
    assert payloads(inbound.take(9)) == [b"2"]


def test_an_identifier_used_anew_is_another_message() -> None:
    """A broker that has our answer after all uses the identifier again: that is no copy, the old one is void."""
    inbound = receiver()
    hear(inbound, publish(b"1", 1, 1))
    (old,) = inbound.take(1)
    inbound.connected(resumed=True)
    hear(inbound, publish(b"2", 1, 1))
    (new,) = inbound.take(1)
    inbound.acknowledge([old.token])
    assert (inbound.answers(), inbound.void) == (b"", 1)
    inbound.acknowledge([new.token])
    assert inbound.answers() == b"\x40\x02\x00\x01"


def test_an_acknowledgement_nobody_waits_for_is_forgotten() -> None:
    """Of a message that is acknowledged while the broker is away, and never sent again, nothing stays."""
    inbound = receiver()
    hear(inbound, publish(b"1", 1, 1))
    inbound.connected(resumed=True)
    inbound.acknowledge([message.token for message in inbound.take(1)])
    hear(inbound, publish(b"2", 1, 1))
    assert (inbound.answers(), inbound._done) == (b"", set())


def test_two_messages_under_one_identifier_both_count() -> None:
    """A broker that does not look whether an identifier is in use loses nothing by it, and each has its answer."""
    inbound = receiver()
    hear(inbound, publish(b"1", 1, 1) + publish(b"2", 1, 1) + publish(b"2", 1, 1, dup=True))
    taken = inbound.take(9)
    assert payloads(taken) == [b"1", b"2"]
    inbound.acknowledge([message.token for message in taken])
    assert inbound.answers() == b"\x40\x02\x00\x01" * 2


@FIVE
def test_retained_messages_can_be_left_out(*, five: bool) -> None:
    """They are counted, and answered in their turn."""
    inbound = receiver(five=five, retained=False)
    hear(inbound, b"".join(publish(b"", number, 1, retain=number == 2, five=five) for number in (1, 2, 3)))
    first, third = inbound.take(9)
    inbound.acknowledge([first.token])
    assert inbound.answers() == b"\x40\x02\x00\x01\x40\x02\x00\x02"
    assert inbound.left_out == 1
    assert third.token is not None


@pytest.mark.parametrize(
    "packet",
    [
        b"\x30\x00",  # no topic
        b"\x30\x01\x00",
        b"\x30\x03\x00\x00\x00",  # an empty one, which only a topic alias could fill
        b"\x30\x03\x00\x05a",  # a longer one than the packet
        b"\x30\x05\x00\x02a#\x00",  # a filter
        b"\x36\x06\x00\x01t\x00\x01\x00",  # QoS 3
        b"\x32\x06\x00\x01t\x00\x00\x00",  # identifier 0
        b"\x32\x03\x00\x01t",  # no identifier
        b"\x30\x03\x00\x01t",  # no properties
        b"\x30\x05\x00\x01t\x09\x00",  # properties longer than the packet
        b"\x30\x08\x00\x01t\xff\xff\xff\xff\x01",  # of no length
        b"\x62\x01\x00",  # PUBREL without an identifier
    ],
)
def test_malformed_packets_are_refused_and_their_neighbours_kept(packet: bytes) -> None:
    """What comes before a malformed packet is taken in; what it is made of is never read from its neighbour."""
    inbound = receiver()
    with pytest.raises(ValueError):  # noqa: PT011 - what is not UTF-8 has Python's own words
        hear(inbound, publish(b"1", 9, 1) + packet + publish(b"2", 10, 1))
    assert payloads(inbound.take(9)) == [b"1"]
    assert len(inbound) == inbound.size == 0


def test_the_memory_for_topics_is_bounded() -> None:
    """A feed whose every message has another long topic does not stay in memory."""
    inbound = receiver(five=False)
    for number in range(300):
        packet = PublishPacket(f"{number}/" + "x" * 60_000, b"", QoS(0), retain=False, dup=False)
        hear(inbound, packet.encode(VERSIONS[False]))
        inbound.take(1)
    assert sum(map(len, inbound._topics)) < 4 * 2**20
