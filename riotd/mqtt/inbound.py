"""What a session has received: messages not yet taken, and which of them the broker must still be told of."""

from collections import deque
from collections.abc import Iterable, Sequence

from riotd.messages import Message
from riotd.mqtt.packets import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, Span, read_topic, varint

_REMEMBERED = 4 * 2**20
"""Bytes of topics whose text is kept, so that a feed's few are decoded once."""
_BESIDE = 200
"""Bytes a topic takes beside its text, twice, in that memory."""
_AROUND = 1024
"""Bytes a message that waits takes beside its payload, generously."""
_AGAIN = 0x08
"""The bit of a PUBLISH's first byte that says it may have been sent before (DUP)."""
_PACKET = 0xFFFF_FFFF
"""The part of a token that is the packet which acknowledges it."""


class Inbound:
    """The receiving half of a session; knows no connection and no time.

    A message of QoS 1 or 2 has a token, one for each exchange. Its lowest 32 bits are the packet that answers the
    PUBLISH: PUBACK, or PUBREC for QoS 2, whose PUBREL is answered at once. Answers are given in the order of arrival,
    once the message is acknowledged here; so what is not acknowledged the broker still has.

    After a resumed session the broker sends again whatever it has no answer for. A copy, which is one of the same
    exchange, is not handed out again, but it is what gets the answer: before the broker has sent it, it knows of none.

    Args:
        five: MQTT 5, whose publications have properties.
        retained: whether messages are wanted that the broker kept from before the subscription.

    Attributes:
        copies: how many were recognised.
        left_out: retained messages that were not wanted.
        void: acknowledgements of what the broker has forgotten with the session.
    """

    def __init__(self, *, five: bool, retained: bool = True) -> None:
        self._five, self._retained = five, retained
        self._messages: list[Message] = []
        self._size = 0
        self._topics: dict[bytes, str] = {}
        self._topics_bytes = 0
        self._serial = 0
        self._arrived: deque[int] = deque()  # on this connection, unanswered, in order
        self._open: set[int] = set()  # the same
        self._by_id: dict[int, int] = {}
        self._done: set[int] = set()
        self._earlier: dict[int, int] = {}  # of this session, from before this connection, by packet identifier
        self._releasing: set[int] = set()  # QoS 2: PUBREC is sent, PUBREL is not here yet
        self._replies: list[int] = []
        self.copies = self.left_out = self.void = 0

    def __len__(self) -> int:
        """Messages that wait to be taken."""
        return len(self._messages)

    @property
    def size(self) -> int:
        """Payload bytes of those."""
        return self._size

    @property
    def held(self) -> int:
        """Bytes they take, with what is around the payloads."""
        return self._size + _AROUND * len(self._messages)

    @property
    def unanswered(self) -> int:
        """Messages of QoS 1 and 2 that came on this connection and have no answer."""
        return len(self._open)

    @property
    def releasing(self) -> int:
        """Messages of QoS 2 that are answered by PUBREC, and whose PUBREL has not come."""
        return len(self._releasing)

    def connected(self, *, resumed: bool) -> None:
        """A connection has begun; without the session of the one before, all that was unanswered is void."""
        if resumed:
            self._earlier |= {token & 0xFFFF: token for token in self._arrived}
        else:
            self._earlier.clear()
            self._done.clear()
            self._releasing.clear()
        self._arrived.clear()
        self._open.clear()
        self._by_id.clear()
        self._replies.clear()

    def hear(self, data: bytes, spans: Sequence[Span], now: float) -> list[bytes]:
        """Take in the packets at `spans`, come at `now`, monotonic seconds; gives back those that are no business here.

        Raises:
            ValueError: one is malformed; those before it are taken in.
        """
        topics, five, retained = self._topics, self._five, self._retained
        fresh: list[Message] = []
        strange: list[bytes] = []
        size = 0
        try:
            for start, body, end in spans:
                first = data[start]
                if first & 0xF0 != PUBLISH:
                    self._release(data, start, body, end, strange)
                    continue
                at = body + 2 + (data[body] << 8) + data[body + 1]
                topic = topics.get(data[body:at]) or self._learn(data[body:at])
                token, number = None, 0
                if qos := first & 0x06:
                    number = (data[at] << 8) + data[at + 1]
                    at += 2
                if five:
                    if data[at] < 128:
                        at += 1 + data[at]
                    else:
                        beside, at = varint(data, at)
                        at += beside
                if at > end:
                    raise ValueError("a PUBLISH shorter than it says")
                if qos and not (token := self._exchange(first, number)):
                    continue
                if first & 0x01 and not retained:
                    self._leave_out(token)
                    continue
                fresh.append(Message(topic, data[at:end], now, token, 0, number, first & _AGAIN != 0))
                size += end - at
        except IndexError:
            raise ValueError("a packet shorter than it says") from None
        finally:
            self._messages += fresh
            self._size += size
        return strange

    def take(self, most: int) -> list[Message]:
        """The oldest messages that wait, at most so many."""
        if len(self._messages) <= most:
            taken, self._messages, self._size = self._messages, [], 0
            return taken
        taken = self._messages[:most]
        del self._messages[:most]
        self._size -= sum([len(message.payload) for message in taken])
        return taken

    def acknowledge(self, tokens: Iterable[int | None]) -> None:
        """Note that these are done with, and may be answered when all before them are."""
        done = {token for token in tokens if token}
        if not done <= self._open:
            known = {token for token in done if token in self._open or self._earlier.get(token & 0xFFFF) == token}
            self.void += len(done) - len(known)
            done = known
        self._done |= done

    def answers(self) -> bytes:
        """The packets that are now due to the broker: what the finished prefix of messages is answered with."""
        packets, self._replies = self._replies, []
        arrived, done = self._arrived, self._done
        while arrived and (token := arrived[0]) in done:
            arrived.popleft()
            done.remove(token)
            self._open.remove(token)
            packets.append(token & _PACKET)
            if (token & _PACKET) >> 24 == PUBREC:
                self._releasing.add(token & 0xFFFF)
        return b"".join([packet.to_bytes(4, "big") for packet in packets])

    def _exchange(self, first: int, number: int) -> int:
        """The token of a publication of QoS 1 or 2; 0 if it is a copy.

        Raises:
            ValueError: its QoS is 3, or its packet identifier 0.
        """
        twice = first & 0x06 == 0x04
        if first & 0x06 == 0x06 or not number:
            raise ValueError("a PUBLISH of QoS 3" if number else "a PUBLISH with packet identifier 0")
        if twice and number in self._releasing:  # our PUBREC was lost with a connection
            self._replies.append(_packet(PUBREC, number))
            self.copies += 1
            return 0
        again = first & 0x08
        if self._earlier and (token := self._earlier.pop(number, 0)):
            if again:
                self._admit(token, number)
                self.copies += 1
                return 0
            self._done.discard(token)  # the broker has our answer after all, and uses the identifier anew
        elif again and self._by_id.get(number) in self._open:
            self.copies += 1
            return 0
        self._serial += 1
        token = self._serial << 32 | _packet(PUBREC if twice else PUBACK, number)
        self._admit(token, number)
        return token

    def _admit(self, token: int, number: int) -> None:
        self._arrived.append(token)
        self._open.add(token)
        self._by_id[number] = token

    def _leave_out(self, token: int | None) -> None:
        self.left_out += 1
        if token:
            self._done.add(token)

    def _release(self, data: bytes, start: int, body: int, end: int, strange: list[bytes]) -> None:
        """Answer a PUBREL; anything else is `strange`."""
        if data[start] & 0xF0 != PUBREL:
            strange.append(data[start:end])
            return
        if end - body < 2:
            raise ValueError("a PUBREL without a packet identifier")
        number = (data[body] << 8) + data[body + 1]
        self._releasing.discard(number)
        self._replies.append(_packet(PUBCOMP, number))

    def _learn(self, name: bytes) -> str:
        topic = read_topic(name)
        self._topics_bytes += 2 * len(name) + _BESIDE
        if self._topics_bytes > _REMEMBERED:
            self._topics.clear()
            self._topics_bytes = 2 * len(name) + _BESIDE
        self._topics[name] = topic
        return topic


def _packet(kind: int, number: int) -> int:
    """An acknowledgement of success, four bytes in MQTT 3.1.1 and 5, as a number."""
    return kind << 24 | 2 << 16 | number
