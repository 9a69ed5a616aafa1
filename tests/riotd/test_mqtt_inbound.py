"""The receiving half of a session: what is handed out, what the broker is told, over any number of connections."""

from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mqttium import MQTTProtocolVersion, QoS
from mqttium.api import Properties
from mqttium.packets import PublishPacket, encode_pingresp

from riotd.messages import Message
from riotd.mqtt.inbound import Inbound
from riotd.mqtt.packets import cut

VERSIONS = {True: MQTTProtocolVersion.MQTTv5, False: MQTTProtocolVersion.MQTTv311}
FIVE = pytest.mark.parametrize("five", [True, False])


def publish(
    payload: bytes,
    number: int | None = None,
    qos: int = 0,
    *,
    dup: bool = False,
    retain: bool = False,
    five: bool = True,
) -> bytes:
    """A PUBLISH as somebody else's codec writes it."""
    return PublishPacket("t/1", payload, QoS(qos), retain, dup, number).encode(VERSIONS[five])


def hear(inbound: Inbound, data: bytes, now: float = 0.0) -> list[bytes]:
    """Have it hear whole packets."""
    return inbound.hear(data, cut(data, 2**20).spans, now)


def connected(*, five: bool = True, retained: bool = True) -> Inbound:
    """One that has just connected for the first time."""
    inbound = Inbound(five=five, retained=retained)
    inbound.connected(resumed=False)
    return inbound


def payloads(messages: Sequence[Message]) -> list[bytes]:
    """What is in them."""
    return [message.payload for message in messages]


@FIVE
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_are_read_as_they_were_written(qos: int, *, five: bool) -> None:
    """Topic, payload and time of arrival, with properties of any length skipped."""
    inbound = connected(five=five)
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
    inbound = connected()
    hear(inbound, publish(b"") + publish(b"", 7, 1) + publish(b"", 8, 2, dup=True))
    assert [(message.mark, message.again) for message in inbound.take(9)] == [(0, False), (7, False), (8, True)]


def test_what_is_not_for_the_session_is_given_back() -> None:
    """Packets of the connection's life come back whole and in order, those between them are taken."""
    inbound = connected()
    suback, pong = b"\x90\x04\x00\x01\x00\x01", encode_pingresp()
    assert hear(inbound, suback + publish(b"1") + pong + publish(b"2", 1, 1)) == [suback, pong]
    assert payloads(inbound.take(9)) == [b"1", b"2"]


def test_takes_no_more_than_asked_for() -> None:
    """The rest stays in order, and size and number follow."""
    inbound = connected()
    hear(inbound, b"".join(publish(b"x" * size) for size in range(5)))
    assert (len(inbound), inbound.size) == (5, 10)
    assert payloads(inbound.take(3)) == [b"", b"x", b"xx"]
    assert (len(inbound), inbound.size) == (2, 7)


def test_answers_wait_for_those_before() -> None:
    """What is acknowledged out of turn is answered with what it waited for, in the order of arrival."""
    inbound = connected()
    hear(inbound, b"".join(publish(b"", number, 1) for number in (5, 3, 9)))
    first, second, third = [message.token for message in inbound.take(3)]
    inbound.acknowledge([third, second])
    assert inbound.answers() == b""
    inbound.acknowledge([first])
    assert inbound.answers() == b"\x40\x02\x00\x05\x40\x02\x00\x03\x40\x02\x00\x09"
    assert inbound.unanswered == 0


def test_qos_2_is_kept_until_it_is_acknowledged() -> None:
    """PUBREC, with which the broker forgets a message, waits for the acknowledgement; PUBREL is answered at once."""
    inbound = connected()
    hear(inbound, publish(b"1", 7, 2) + publish(b"2", 8, 1))
    tokens = [message.token for message in inbound.take(2)]
    assert inbound.answers() == b""
    inbound.acknowledge(tokens)
    assert (inbound.answers(), inbound.releasing) == (b"\x50\x02\x00\x07\x40\x02\x00\x08", 1)
    hear(inbound, b"\x62\x02\x00\x07")
    assert (inbound.answers(), inbound.releasing) == (b"\x70\x02\x00\x07", 0)


def test_a_qos_2_message_whose_pubrec_was_lost_is_a_copy() -> None:
    """It gets its PUBREC again and is not handed out; after PUBREL the identifier is free for another."""
    inbound = connected()
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
    inbound = connected()
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
    inbound = connected()
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
    inbound = connected()
    hear(inbound, publish(b"1", 1, 1))
    (old,) = inbound.take(1)
    inbound.connected(resumed=False)
    hear(inbound, publish(b"2", 1, 1))
    inbound.acknowledge([old.token, None])
    assert (inbound.answers(), inbound.void) == (b"", 1)
    assert payloads(inbound.take(9)) == [b"2"]


def test_an_identifier_used_anew_is_another_message() -> None:
    """A broker that has our answer after all uses the identifier again: that is no copy, the old one is void."""
    inbound = connected()
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
    inbound = connected()
    hear(inbound, publish(b"1", 1, 1))
    inbound.connected(resumed=True)
    inbound.acknowledge([message.token for message in inbound.take(1)])
    hear(inbound, publish(b"2", 1, 1))
    assert (inbound.answers(), inbound._done) == (b"", set())


def test_two_messages_under_one_identifier_both_count() -> None:
    """A broker that does not look whether an identifier is in use loses nothing by it, and each has its answer."""
    inbound = connected()
    hear(inbound, publish(b"1", 1, 1) + publish(b"2", 1, 1) + publish(b"2", 1, 1, dup=True))
    taken = inbound.take(9)
    assert payloads(taken) == [b"1", b"2"]
    inbound.acknowledge([message.token for message in taken])
    assert inbound.answers() == b"\x40\x02\x00\x01" * 2


@FIVE
def test_retained_messages_can_be_left_out(*, five: bool) -> None:
    """They are counted, and answered in their turn."""
    inbound = connected(five=five, retained=False)
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
    inbound = connected()
    with pytest.raises(ValueError):  # noqa: PT011 - what is not UTF-8 has Python's own words
        hear(inbound, publish(b"1", 9, 1) + packet + publish(b"2", 10, 1))
    assert payloads(inbound.take(9)) == [b"1"]
    assert len(inbound) == inbound.size == 0


def test_the_memory_for_topics_is_bounded() -> None:
    """A feed whose every message has another long topic does not stay in memory."""
    inbound = connected(five=False)
    for number in range(300):
        packet = PublishPacket(f"{number}/" + "x" * 60_000, b"", QoS(0), retain=False, dup=False)
        hear(inbound, packet.encode(VERSIONS[False]))
        inbound.take(1)
    assert sum(map(len, inbound._topics)) < 4 * 2**20


class Peer:
    """A broker's session: messages numbered from 1, unanswered ones sent again, in order, after a resumed session."""

    def __init__(self) -> None:
        self.unanswered: deque[tuple[int, int, bytes]] = deque()  # identifier, QoS, payload
        self.releasing: set[int] = set()
        self.sent = 0

    def publish(self, qos: int) -> bytes:
        """A new message."""
        self.sent += 1
        payload, number = b"%d" % self.sent, self._identifier()
        if not qos:
            return publish(payload)
        self.unanswered.append((number, qos, payload))
        return publish(payload, number, qos)

    def again(self) -> bytes:
        """What a resumed session begins with."""
        copies = [publish(payload, number, qos, dup=True) for number, qos, payload in self.unanswered]
        return b"".join([b"\x62\x02" + number.to_bytes(2, "big") for number in sorted(self.releasing)] + copies)

    def hear(self, data: bytes) -> bytes:
        """Answers to its messages: each must be for the oldest of its QoS; what it says to that."""
        replies = b""
        for at in range(0, len(data), 4):
            kind, number = data[at], int.from_bytes(data[at + 2 : at + 4], "big")
            if kind == 0x70:
                self.releasing.discard(number)
                continue
            oldest = next(each for each in self.unanswered if each[1] == (1 if kind == 0x40 else 2))
            assert oldest[0] == number
            self.unanswered.remove(oldest)
            if kind == 0x50:
                self.releasing.add(number)
                replies += b"\x62\x02" + number.to_bytes(2, "big")
        return replies

    def _identifier(self) -> int:
        used = {number for number, _, _ in self.unanswered} | self.releasing
        return next(number for number in range(1, 100) if number not in used)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(0, 2)),
        st.tuples(st.just("acknowledge"), st.integers(1, 4)),
        st.tuples(st.just("answer"), st.just(0)),
        st.tuples(st.just("lose"), st.integers(0, 2)),
    ),
    max_size=40,
)


class Party:
    """A session of ours and the broker's, and what is known of each message by its number."""

    def __init__(self) -> None:
        self.inbound, self.peer = connected(), Peer()
        self.waiting: deque[Message] = deque()
        self.handed: list[int] = []
        self.acknowledged: set[int] = set()
        self.answered_in_vain: set[int] = set()

    def publish(self, qos: int) -> None:
        """The broker sends a new message."""
        hear(self.inbound, self.peer.publish(qos))

    def take(self) -> None:
        """Ours are handed out."""
        fresh = self.inbound.take(100)
        self.waiting.extend(fresh)
        self.handed.extend(int(message.payload) for message in fresh)

    def acknowledge(self, most: int) -> None:
        """The oldest are done with."""
        done = [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]
        self.acknowledged.update(int(message.payload) for message in done)
        self.inbound.acknowledge([message.token for message in done])

    def answer(self) -> None:
        """What is due reaches the broker, whose replies reach us."""
        before = set(self.peer.unanswered)
        while answers := self.inbound.answers():
            hear(self.inbound, self.peer.hear(answers))
        assert {int(payload) for _, _, payload in before - set(self.peer.unanswered)} <= self.acknowledged

    def lose(self, kind: int) -> None:
        """The connection breaks: with answers on the way (2), or with the broker's session (0)."""
        if kind == 2:
            answers = self.inbound.answers()
            numbers = {int.from_bytes(answers[at + 2 : at + 4], "big") for at in range(0, len(answers), 4)}
            self.answered_in_vain |= {int(payload) for number, _, payload in self.peer.unanswered if number in numbers}
        if not kind:
            self.peer.unanswered.clear()
            self.peer.releasing.clear()
        self.inbound.connected(resumed=kind > 0)
        hear(self.inbound, self.peer.again())


@settings(max_examples=300, deadline=None)
@given(steps)
def test_no_message_is_lost_or_answered_too_soon(history: list[tuple[str, int]]) -> None:
    """Whatever breaks: each is handed out, firsts in order, and twice only if its answer was lost on the way."""
    party = Party()
    for what, amount in [*history, ("lose", 1)]:
        match what:
            case "publish":
                party.publish(amount)
            case "acknowledge":
                party.acknowledge(amount)
            case "answer":
                party.answer()
            case _:
                party.lose(amount)
        party.take()
    party.acknowledge(len(party.waiting))
    party.answer()
    handed = party.handed
    assert list(dict.fromkeys(handed)) == list(range(1, party.peer.sent + 1))
    assert {number for number in handed if handed.count(number) > 1} <= party.answered_in_vain
    assert not party.peer.unanswered
    assert not party.peer.releasing
    assert not party.inbound._done | party.inbound._open | party.inbound._releasing
