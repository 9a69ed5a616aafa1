"""The ends of a measured pump: messages out of memory, results into nothing."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from types import TracebackType
from typing import Self

from riotd.benchmarks.workload import Workload
from riotd.clock import Clock
from riotd.messages import DeadLetter, Message, Result

_AT_ONCE = 1000
"""Messages that `receive` gives at most, and no more than a batch."""
_GRAIN = 0.001
"""Seconds a paced source sleeps at least."""


class _Resource:
    async def __aenter__(self) -> Self:
        """Nothing to acquire."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""


class Cycle(_Resource):
    """A source that gives a workload round and round: as fast as they are taken, or at a rate.

    Args:
        load: whose payloads to give, with their keys for topics.
        clock: for due times, and for when it ends.
        seconds: after which it ends, counted from the first message that is done with; at a rate, from the first
            `receive`.
        rate: messages a second; None is as fast as they are taken.
        settled: called with the messages that are done with, and when.

    Attributes:
        given: messages taken.
        done: of those, how many are done with.
        behind: messages offered and not done with when the time was over; None before.
    """

    def __init__(
        self,
        load: Workload,
        *,
        clock: Clock,
        seconds: float,
        rate: float | None = None,
        settled: Callable[[Sequence[Message], float], None] | None = None,
    ) -> None:
        self._at_once = min(_AT_ONCE, load.batch)
        copies = -(-_AT_ONCE // len(load.payloads)) + 1
        self._messages = [
            Message(key, each, 0.0) for key, each in zip(cycle(load.keys), load.payloads, strict=False)
        ] * copies
        self._period = len(load.payloads)
        self._clock, self._seconds, self._rate, self._settled = clock, seconds, rate, settled
        self._begun: float | None = None
        self._stopped = False
        self.given = self.done = 0
        self.behind: int | None = None

    @property
    def offered(self) -> int:
        """Messages that were due so far, taken or not."""
        if self._rate is None or self._begun is None:
            return self.given
        return int(min(self._clock.monotonic() - self._begun, self._seconds) * self._rate)

    async def receive(self) -> Sequence[Message]:
        """As `Source.receive`; at a rate, a message's `received` is when it was due."""
        if self._begun is None and self._rate is not None:
            self._begun = self._clock.monotonic()
        while not self._stopped:
            over = self._over(self._clock.monotonic())
            if self._rate is None:
                return [] if over else self._taken(self._at_once)
            if due := self.offered - self.given:
                return self._taken(min(due, self._at_once))
            if over:
                return []
            next_one = (self._begun or 0.0) + (self.given + 1) / self._rate
            await asyncio.sleep(max(_GRAIN, next_one - self._clock.monotonic()))
        return []

    def _over(self, now: float) -> bool:
        over = self._begun is not None and now - self._begun >= self._seconds
        if over and self.behind is None:
            self.behind = self.offered - self.done
        return over

    def _taken(self, number: int) -> list[Message]:
        at = self.given % self._period
        first, self.given = self.given, self.given + number
        taken = self._messages[at : at + number]
        if self._rate is None or self._begun is None:
            return taken
        start, rate = self._begun, self._rate
        return [Message(each.topic, each.payload, start + (first + i) / rate) for i, each in enumerate(taken)]

    async def ack(self, messages: Sequence[Message]) -> None:
        """As `Source.ack`."""
        now = self._clock.monotonic()
        if self._begun is None:
            self._begun = now
        self._over(now)
        self.done += len(messages)
        if self._settled is not None:
            self._settled(messages, now)

    async def stop(self) -> None:
        """As `Source.stop`."""
        self._stopped = True

    def counters(self) -> Mapping[str, int]:
        """As `Source.counters`."""
        return {"received": self.given}


class Void(_Resource):
    """A sink that only counts."""

    def __init__(self) -> None:
        self._sent = self._bytes = 0

    async def send(self, results: Sequence[Result]) -> None:
        """As `Sink.send`."""
        self._sent += len(results)
        self._bytes += sum([len(result.payload) for result in results])

    def counters(self) -> Mapping[str, int]:
        """As `Sink.counters`."""
        return {"sent": self._sent, "failed": 0, "bytes": self._bytes}


class Refusals(_Resource):
    """A place for dead letters that counts them.

    Attributes:
        count: letters so far.
        first: the first one's stage and reason, or "".
    """

    def __init__(self) -> None:
        self.count, self.first = 0, ""

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """As `RejectSink.send`."""
        self.count += len(letters)
        self.first = self.first or f"{letters[0].stage}: {letters[0].reason}"
