"""What a session has to send: publications in order, how many may be on the way, which must be sent again."""

from collections import deque
from collections.abc import Sequence

from riotd.mqtt.flight import Allowed, Flight
from riotd.mqtt.packets import (
    NO_QOS,
    NO_RETAIN,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    TOO_LARGE,
    TOPIC_INVALID,
    Span,
    head,
    named,
)

_ROUND = 1024
"""Publications looked at before the room that is left is looked at again."""
_IDENTIFIERS = 65_535
_DUP = 0x08
_RELEASE = (PUBREL | 0x02) << 24 | 2 << 16


class Outbound:
    """The sending half of a session; knows no connection and no time, but what the last one allowed.

    Publications leave in the order of `add`, QoS 1 and 2 as far as the window goes. What a resumed session has no
    acknowledgement for is sent again as a copy, in its order and before anything new; if the session is lost, as new.
    A publication of QoS 2 whose PUBREC has come is only released; with a lost session it is sent again, and may then
    arrive twice.
    """

    def __init__(self) -> None:
        self._allowed = Allowed(window=0)
        self._queue: deque[Flight] = deque()
        self._open: dict[int, tuple[Flight, int]] = {}  # sent and not done with, by packet identifier, in order
        self._again: deque[tuple[int, Flight, int]] = deque()  # to be sent again; identifier 0: as new
        self._grounded: set[int] = set()  # identifiers of `_again`
        self._released: set[int] = set()  # QoS 2: PUBREC has come
        self._replies: list[int] = []
        self._last = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent."""
        return not (self._queue or self._again)

    def add(self, flight: Flight, *, first: bool = False) -> None:
        """Let it wait for its turn, or make it the next after what has to be sent again."""
        self._queue.appendleft(flight) if first else self._queue.append(flight)

    def drop(self, flight: Flight) -> None:
        """Send no more of it; what is on the way stays there."""
        if flight in self._queue:
            self._queue.remove(flight)

    def connected(self, allowed: Allowed, *, resumed: bool) -> None:
        """A connection has begun, with the session of the one before or a new one."""
        fresh = [each for each in self._again if not each[0]]
        self._again = deque((number if resumed else 0, *each) for number, each in self._open.items())
        self._again.extend(fresh)
        if not resumed:
            self._open.clear()
            self._released.clear()
        self._grounded = set(self._open)
        self._replies.clear()
        self._allowed = allowed

    def take(self, room: int) -> bytes:
        """The packets that may be sent now: about `room` bytes, at least one packet; nothing when nothing may."""
        parts: list[bytes] = [reply.to_bytes(4, "big") for reply in self._replies]
        self._replies.clear()
        size = 4 * len(parts)
        while self._again and size < room and self._free():
            size += self._repeat(parts)
        while self._queue and not self._again and size < room:
            flight = self._queue[0]
            most = min(_ROUND, self._free()) if flight.qos else _ROUND
            if not most:
                break
            size += self._launch(flight, most, room - size, parts)
            if flight.sent == len(flight.pairs):
                self._queue.popleft()
        return b"".join(parts)

    def single(self, flight: Flight) -> bytes:
        """The packet of a flight of one publication of QoS 0, which overtakes what waits."""
        parts: list[bytes] = []
        self._launch(flight, 1, 1, parts)
        return b"".join(parts)

    def hear(self, data: bytes, spans: Sequence[Span]) -> list[bytes]:
        """Take in the packets at `spans`; gives back those that are no acknowledgements of ours.

        Raises:
            ValueError: one is malformed; those before it are taken in.
        """
        strange: list[bytes] = []
        for start, body, end in spans:
            kind = data[start] & 0xF0
            if kind not in (PUBACK, PUBREC, PUBCOMP):
                strange.append(data[start:end])
                continue
            if end - body < 2:
                raise ValueError("an acknowledgement without a packet identifier")
            number, reason = (data[body] << 8) + data[body + 1], data[body + 2] if end - body > 2 else 0
            if kind == PUBREC and reason < 0x80:
                if number in self._open:
                    self._released.add(number)
                self._replies.append(_RELEASE | number)  # also to one we know nothing of: else it would ask for ever
            else:
                self._over(number, reason)
        return strange

    def _free(self) -> int:
        return max(0, self._allowed.window - len(self._open) + len(self._grounded))

    def _over(self, number: int, reason: int) -> None:
        flight, index = self._open.pop(number, (None, 0))
        if flight is None:
            return
        self._grounded.discard(number)
        self._released.discard(number)
        if reason >= 0x80:
            flight.refuse(index, reason)
        flight.settle()

    def _repeat(self, parts: list[bytes]) -> int:
        """Send the next of those that must be sent again; how many bytes that takes."""
        number, flight, index = self._again.popleft()
        if number and number not in self._grounded:
            return 0  # done with, meanwhile
        self._grounded.discard(number)
        if number in self._released:
            parts.append((_RELEASE | number).to_bytes(4, "big"))
            return 4
        topic, payload = flight.pairs[index]
        first = PUBLISH | flight.qos << 1 | flight.retain | (_DUP if number else 0)
        name = named(topic)
        size = len(name) + 2 + len(flight.properties) + len(payload)
        if reason := self._objection(flight) or self._too_large(size):
            self._open.pop(number, None)
            flight.refuse(index, reason)
            flight.settle()
            return 0
        number = number or self._identify(flight, index)
        parts += (head(first, size), name, number.to_bytes(2, "big"), flight.properties, payload)
        return size

    def _launch(self, flight: Flight, most: int, room: int, parts: list[bytes]) -> int:
        """Send at most so many more of a flight, until `room` is used up; how many bytes that takes."""
        first, qos, tail = PUBLISH | flight.qos << 1 | flight.retain, flight.qos, flight.properties
        objection, largest = self._objection(flight), self._allowed.largest
        index, beside, used, done = flight.sent, len(tail) + (2 if qos else 0), 0, 0
        for topic, payload in flight.pairs[index : index + most]:
            index += 1
            try:
                name = named(topic)
                size = len(name) + len(payload) + beside
                header = head(first, size)
            except ValueError:
                reason = objection or (TOO_LARGE if _is_topic(topic) else TOPIC_INVALID)
            else:
                reason = objection or (TOO_LARGE if largest and size + len(header) > largest else 0)
            if reason:
                flight.refuse(index - 1, reason)
                done += 1
                continue
            if qos:
                tail = self._identify(flight, index - 1).to_bytes(2, "big") + flight.properties
            else:
                done += 1
            parts += (header, name, tail, payload)
            used += size
            if used >= room:
                break
        flight.sent = index
        if done:
            flight.settle(done)
        return used

    def _objection(self, flight: Flight) -> int:
        """Why this broker takes nothing of it; 0 if it may."""
        if flight.qos > self._allowed.qos:
            return NO_QOS
        return NO_RETAIN if flight.retain and not self._allowed.retain else 0

    def _too_large(self, size: int) -> int:
        largest = self._allowed.largest
        return TOO_LARGE if largest and len(head(0, size)) + size > largest else 0

    def _identify(self, flight: Flight, index: int) -> int:
        """A packet identifier for a publication that is sent for the first time."""
        number = self._last
        while True:
            number = number % _IDENTIFIERS + 1
            if number not in self._open:
                break
        self._last = number
        self._open[number] = (flight, index)
        return number


def _is_topic(topic: str) -> bool:
    try:
        return bool(named(topic))
    except ValueError:
        return False
