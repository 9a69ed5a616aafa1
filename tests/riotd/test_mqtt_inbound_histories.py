"""The receiving half of a session against a broker's, over any history of losses."""

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from riotd.messages import Message
from tests.riotd.mqtt_halves import hear, publish, receiver


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
        self.inbound, self.peer = receiver(), Peer()
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
