"""A broker with our session, and the way to it: delays, lost connections, copies, a session lost."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import TracebackType
from typing import NamedTuple, Self

from riotd.messages import Message
from riotd.mqtt.inbound import Inbound
from riotd.mqtt.packets import PUBCOMP, PUBLISH, PUBREC, PUBREL, cut, head, named
from tests.simulation.loop import SimulatedLoop

_DUP = 0x08


class Publication(NamedTuple):
    """What somebody publishes at an instant."""

    at: float
    topic: str
    payload: bytes


class Broker:
    """The broker's half of one session, which outlives our lives.

    Attributes:
        acknowledged: indexes of the publications we have acknowledged: from there on they are owed.
        void: of those it has forgotten itself.
    """

    def __init__(self, random: Random, feed: Sequence[Publication], *, window: int, numbers: int, qos: int) -> None:
        self.feed, self.qos = feed, qos
        self.acknowledged: set[int] = set()
        self.void: set[int] = set()
        self.resumed = False
        self._random, self._window, self._numbers = random, window, numbers
        self._next = self._number = 0
        self._sent: deque[tuple[int, int]] = deque()  # packet identifier, index; unanswered, in order
        self._releasing: set[int] = set()

    @property
    def done(self) -> bool:
        """Whether all there will ever be is acknowledged."""
        return self._next == len(self.feed) and not self._sent and not self._releasing

    def due(self) -> float | None:
        """When somebody publishes next, if we may be told of it."""
        if self._next == len(self.feed) or len(self._sent) + len(self._releasing) >= self._window:
            return None
        return self.feed[self._next].at

    def packets(self, now: float) -> list[bytes]:
        """What is to be sent by now."""
        found = []
        while (due := self.due()) is not None and due <= now:
            found.append(self._packet(self._identifier(), self._next, 0))
            self._sent.append((self._number, self._next))
            self._next += 1
        return found

    def begin(self) -> list[bytes]:
        """A connection: what is unanswered is sent again."""
        self.resumed = True
        releases = [_four(PUBREL | 2, number) for number in sorted(self._releasing)]
        return releases + [self._packet(number, index, _DUP) for number, index in self._sent]

    def forget(self, now: float) -> None:
        """Start again without its memory: what had no answer is gone, and was promised to nobody."""
        self.resumed = False
        self.void |= {index for _, index in self._sent}
        while self._next < len(self.feed) and self.feed[self._next].at <= now:
            self.void.add(self._next)
            self._next += 1
        self._sent.clear()
        self._releasing.clear()

    def hear(self, data: bytes) -> list[bytes]:
        """Our acknowledgements, each of which must be of the oldest; its answers."""
        replies = []
        for at in range(0, len(data), 4):
            kind, number = data[at], int.from_bytes(data[at + 2 : at + 4], "big")
            if kind == PUBCOMP:
                self._releasing.discard(number)
                continue
            if kind == PUBREC and number in self._releasing:
                replies.append(_four(PUBREL | 2, number))
                continue
            oldest, index = self._sent.popleft()
            assert oldest == number, f"packet {number} was acknowledged before {oldest}"
            self.acknowledged.add(index)
            if kind == PUBREC:
                self._releasing.add(number)
                replies.append(_four(PUBREL | 2, number))
        return replies

    def _packet(self, number: int, index: int, dup: int) -> bytes:
        topic, payload = self.feed[index].topic, self.feed[index].payload
        body = named(topic) + number.to_bytes(2, "big") + payload
        return head(PUBLISH | dup | self.qos << 1, len(body)) + body

    def _identifier(self) -> int:
        used = {number for number, _ in self._sent} | self._releasing
        while (number := self._number % self._numbers + 1) in used:
            self._number = number
        self._number = number
        return number


def _four(kind: int, number: int) -> bytes:
    return bytes([kind, 2]) + number.to_bytes(2, "big")


class SimulatedMqtt:
    """Keeps `riotd.ports.Source`: the real receiving half of a session, on a simulated connection."""

    def __init__(self, broker: Broker, loop: SimulatedLoop, say: Callable[[str], None], *, trouble: float) -> None:
        self._broker, self._loop, self._say, self._trouble = broker, loop, say, trouble
        self._inbound = Inbound(five=False)
        self._news = asyncio.Event()
        self._ended = False
        self._connection = 0
        self._serial = 0
        self._down = self._up = 0.0
        self._sending: deque[bytes] = deque()

    async def __aenter__(self) -> Self:
        self._loop.call_later(self._loop.delay(), self._connect)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Everything we have said arrives."""
        self.lose(all_arrives=True)

    def lose(self, *, all_arrives: bool = False) -> None:
        """The connection ends; of what is on the way to the broker some arrives."""
        if not self._connection:
            return
        self._connection = 0
        arrives = len(self._sending) if all_arrives else self._loop.random.randint(0, len(self._sending))
        for _ in range(arrives):
            self._broker.hear(self._sending.popleft())
        self._sending.clear()

    async def receive(self) -> Sequence[Message]:
        """As `Source.receive`."""
        while not (len(self._inbound) or self._ended):
            self._news.clear()
            await self._news.wait()
        return [] if self._ended else self._inbound.take(self._loop.random.choice((1, 3, 10)))

    async def ack(self, messages: Sequence[Message]) -> None:
        """As `Source.ack`."""
        self._inbound.acknowledge([message.token for message in messages])
        self._answer()

    async def stop(self) -> None:
        """As `Source.stop`: the broker keeps the rest."""
        self._ended = True
        self._news.set()

    def counters(self) -> Mapping[str, int]:
        """None."""
        return {}

    def _connect(self) -> None:
        self._serial += 1
        self._connection = self._serial
        self._down = self._up = self._loop.time()
        resumed = self._broker.resumed
        self._inbound.connected(resumed=resumed)
        self._send(self._broker.begin())
        if self._loop.random.random() < self._trouble:
            self._loop.call_later(self._loop.random.expovariate(0.5), self._break, self._connection)
        self._look(self._connection)

    def _break(self, connection: int) -> None:
        if connection != self._connection:
            return
        self.lose()
        if self._loop.random.random() < 0.2:
            self._broker.forget(self._loop.time())
        self._say(f"the connection is lost, the session {'kept' if self._broker.resumed else 'too'}")
        self._loop.call_later(self._loop.delay(1.0), self._connect)

    def _look(self, connection: int) -> None:
        """Send what has been published, and look again when something will be."""
        if connection != self._connection:
            return
        self._send(self._broker.packets(self._loop.time()))
        if (due := self._broker.due()) is not None:
            self._loop.call_at(max(due, self._loop.time() + 0.0001), self._look, connection)

    def _send(self, packets: Sequence[bytes]) -> None:
        """Some together, some alone; each behind those before it."""
        while packets:
            count = self._loop.random.randint(1, len(packets))
            data, packets = b"".join(packets[:count]), packets[count:]
            self._down = max(self._down + 1e-6, self._loop.time() + self._loop.delay(0.05))
            self._loop.call_at(self._down, self._hear, self._connection, data)

    def _hear(self, connection: int, data: bytes) -> None:
        if connection != self._connection:
            return
        self._inbound.hear(data, cut(data, 2**20).spans, self._loop.time())
        self._news.set()
        self._answer()

    def _answer(self) -> None:
        data = self._inbound.answers()
        if data and self._connection:
            self._sending.append(data)
            self._up = max(self._up + 1e-6, self._loop.time() + self._loop.delay(0.05))
            self._loop.call_at(self._up, self._answered, self._connection)

    def _answered(self, connection: int) -> None:
        """What we said is with the broker."""
        if connection != self._connection:
            return
        full = self._broker.due() is None
        self._send(self._broker.hear(self._sending.popleft()))
        if full:
            self._look(connection)
