"""Doubles that keep the contracts of `ports`, for tests of whatever is built on them: no broker, no files, no waiting.

`ListSource` obeys cues in its list, `ListSink` and `ListRejects` keep what they get, `ManualClock` is moved by hand.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import TracebackType
from typing import Generic, Self, TypeVar

import msgspec

from riotd.clock import Clock
from riotd.messages import DeadLetter, Message, Result

T = TypeVar("T")


class Cue(Enum):
    """What a `ListSource` does when it comes to one; it stops at it, so no `receive` gives lines from both sides."""

    EOF = "end here; entered again, go on behind it"
    ABORT = "fail with `Abort`, once; entered again, go on with what was not acknowledged"
    PAUSE = "wait for `resume`"


EOF, ABORT, PAUSE = Cue.EOF, Cue.ABORT, Cue.PAUSE


class Abort(Exception):  # noqa: N818 - what happened, not an error of the program under test
    """A `ListSource` came to `ABORT`."""


class ManualClock:
    """A clock that is moved by hand; both readings move together, and the wall clock may be set."""

    def __init__(self, monotonic: float = 0.0, *, wall: float = 1_700_000_000.0) -> None:
        self._monotonic = monotonic
        self._wall = wall

    def monotonic(self) -> float:
        """Seconds since whenever."""
        return self._monotonic

    def wall(self) -> float:
        """As `Clock.wall`."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: backwards.
        """
        if seconds < 0:
            raise ValueError(f"a monotonic clock does not step back by {-seconds} s; use set_wall")
        self._monotonic += seconds
        self._wall += seconds

    def set_wall(self, now: float) -> None:
        """Let the wall clock step, as NTP does."""
        self._wall = now


class ListSource:
    """A source that gives the messages of a list, up to `at_once` with each `receive`, and obeys the cues in it.

    Like a broker that keeps a session, it gives again what was not acknowledged when it is entered again, and says so.

    Attributes:
        acked: what was acknowledged, in order.
    """

    def __init__(
        self,
        items: Iterable[Message | bytes | Cue],
        *,
        at_once: int = 1000,
        topic: str = "test",
        clock: Clock | None = None,
    ) -> None:
        """Bytes become a message of `topic`; a message's own token is replaced by its index in the list."""
        self.acked: list[Message] = []
        self._items = [_with_token(item, index, topic) for index, item in enumerate(items)]
        self._at_once = at_once
        self._clock = clock or ManualClock()
        self._next = 0
        self._obeyed: set[int] = set()
        self._given: set[int] = set()
        self._unacked: deque[Message] = deque()
        self._received = 0
        self._stopped = False
        self._paused = asyncio.Event()
        self._go_on = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Begin, or go on."""
        if self._items[self._next : self._next + 1] == [EOF]:
            self._obeyed.add(self._next)
        if self._unacked:
            self._next = self._unacked[0].token
            self._unacked.clear()
        self._stopped = False
        self._go_on.clear()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""

    async def receive(self) -> Sequence[Message]:
        """As `Source.receive`.

        Raises:
            Abort: the list says so here.
        """
        while not self._stopped:
            messages = self._messages()
            if messages or self._items[self._next : self._next + 1] in ([], [EOF]):
                return messages
            await self._obey(self._next)
        return []

    async def ack(self, messages: Sequence[Message]) -> None:
        """As `Source.ack`.

        Raises:
            AssertionError: these are not the oldest that were given and not acknowledged yet.
        """
        for message in messages:
            oldest = self._unacked.popleft() if self._unacked else None
            if oldest is None or oldest.token != message.token:
                raise AssertionError(f"acknowledged out of order: {message} while {oldest} is the oldest")
            self.acked.append(message)

    async def stop(self) -> None:
        """As `Source.stop`; also ends a pause."""
        self._stopped = True
        self._go_on.set()

    def counters(self) -> Mapping[str, int]:
        """Messages given, those given again included."""
        return {"received": self._received}

    @property
    def unacked(self) -> int:
        """Messages given and not acknowledged."""
        return len(self._unacked)

    async def paused(self) -> None:
        """Return when it waits at a `PAUSE`."""
        await self._paused.wait()

    def resume(self) -> None:
        """Go on behind the `PAUSE` it waits at, or comes to next; `paused` waits for the one after that."""
        self._paused.clear()
        self._go_on.set()

    def _messages(self) -> list[Message]:
        messages: list[Message] = []
        while self._next < len(self._items) and len(messages) < self._at_once:
            item = self._items[self._next]
            if isinstance(item, Message):
                again = self._next in self._given
                messages.append(
                    msgspec.structs.replace(item, received=self._clock.monotonic(), mark=self._next + 1, again=again)
                )
                self._given.add(self._next)
            elif self._next not in self._obeyed:
                break
            self._next += 1
        self._unacked.extend(messages)
        self._received += len(messages)
        return messages

    async def _obey(self, index: int) -> None:
        if self._items[index] is ABORT:
            self._obeyed.add(index)
            raise Abort
        self._paused.set()
        await self._go_on.wait()
        self._paused.clear()
        if not self._stopped:
            self._go_on.clear()
            self._obeyed.add(index)


class _List(Generic[T]):
    """What is sent, kept in the order of the calls, or held up."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._turn = asyncio.Lock()
        self._flows = asyncio.Event()
        self._flows.set()
        self._came = asyncio.Condition()

    async def __aenter__(self) -> Self:
        """Nothing to acquire."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""

    def stall(self) -> None:
        """Let `send` wait, as if the outside were unreachable."""
        self._flows.clear()

    def resume(self) -> None:
        """The outside is back."""
        self._flows.set()

    async def until(self, count: int) -> None:
        """Return when at least `count` are there."""
        async with self._came:
            await self._came.wait_for(lambda: len(self._items) >= count)

    async def _keep(self, items: Sequence[T]) -> None:
        async with self._turn:  # its waiters are served in order
            await self._flows.wait()
            self._items.extend(items)
        async with self._came:
            self._came.notify_all()


class ListSink(_List[Result]):
    """A sink that keeps results."""

    @property
    def results(self) -> list[Result]:
        """All that were sent."""
        return self._items

    async def send(self, results: Sequence[Result]) -> None:
        """As `Sink.send`."""
        await self._keep(results)

    def counters(self) -> Mapping[str, int]:
        """As `Sink.counters`."""
        return {"sent": len(self._items), "failed": 0, "bytes": sum(len(result.payload) for result in self._items)}


class ListRejects(_List[DeadLetter]):
    """A sink that keeps dead letters."""

    @property
    def letters(self) -> list[DeadLetter]:
        """All that were sent."""
        return self._items

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """As `RejectSink.send`."""
        await self._keep(letters)


def _with_token(item: Message | bytes | Cue, index: int, topic: str) -> Message | Cue:
    if isinstance(item, bytes):
        return Message(topic, item, 0.0, index)
    return item if isinstance(item, Cue) else msgspec.structs.replace(item, token=index)
