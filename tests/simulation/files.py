"""A file that grows, and a source that reads it and can begin where it was."""

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from riotd.messages import Message
from tests.simulation.loop import SimulatedLoop
from tests.simulation.network import Publication


class Lines:
    """A file that grows by a line now and then; lives as long as the machine."""

    def __init__(self, feed: Sequence[Publication]) -> None:
        self.feed = feed
        self.acknowledged: set[int] = set()
        self.void: set[int] = set()

    @property
    def done(self) -> bool:
        """Whether all there will ever be is acknowledged."""
        return len(self.acknowledged) == len(self.feed)


class SimulatedFile:
    """Keeps `riotd.ports.Source` and `Resumable` over such a file; a position is how many lines were acknowledged."""

    def __init__(self, lines: Lines, loop: SimulatedLoop) -> None:
        self._lines, self._loop = lines, loop
        self._next = self._settled = 0
        self._resumed = self._ended = False
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""

    def lose(self) -> None:
        """It has no connection."""

    async def receive(self) -> Sequence[Message]:
        """As `Source.receive`."""
        feed = self._lines.feed
        while not self._ended and not (self._next < len(feed) and feed[self._next].at <= self._loop.time()):
            self._news.clear()
            if self._next < len(feed):
                self._loop.call_at(feed[self._next].at, self._news.set)
            await self._news.wait()
        if self._ended:
            return []
        first = self._next
        most = first + self._loop.random.choice((1, 4, 20))
        while self._next < min(most, len(feed)) and feed[self._next].at <= self._loop.time():
            self._next += 1
        return [
            Message(feed[at].topic, feed[at].payload, self._loop.time(), at + 1, 0, at + 1, self._resumed)
            for at in range(first, self._next)
        ]

    async def ack(self, messages: Sequence[Message]) -> None:
        """As `Source.ack`."""
        for message in messages:
            assert message.token == self._settled + 1, f"line {message.token} was acknowledged behind {self._settled}"
            self._settled = message.token
            self._lines.acknowledged.add(message.token - 1)

    async def stop(self) -> None:
        """As `Source.stop`."""
        self._ended = True
        self._news.set()

    def counters(self) -> Mapping[str, int]:
        """None."""
        return {}

    def position(self) -> bytes:
        """As `Resumable.position`."""
        return b"%d" % self._settled

    def resume(self, position: bytes) -> None:
        """As `Resumable.resume`."""
        self._next = self._settled = int(position)
        self._resumed = True

    same_order = True
