"""What the pump asks of the world: sources, sinks, engines.

Each is an async context manager: entering acquires (connects, opens, starts actors), leaving releases. Entering a
source or sink whose outside is unreachable does not fail: it keeps trying in the background and says so once.
"""

from collections.abc import Awaitable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from riotd.dataflow import Plan
from riotd.messages import Batch, DeadLetter, Message, Outcome, Portion, Result


class Resource(Protocol):
    """Something that is acquired and released."""

    async def __aenter__(self) -> Self:
        """Acquire."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release; never raises on a second call."""


class Source(Resource, Protocol):
    """Where messages come from. One caller at a time."""

    async def receive(self) -> Sequence[Message]:
        """Wait for at least one message; give what is there. Empty means the end, and stays so.

        Loses nothing when cancelled: what was not returned comes with the next call.
        """

    async def ack(self, messages: Sequence[Message]) -> None:
        """Take note that these, the oldest not yet acknowledged, are done with. In the order of `receive`.

        Never waits for the outside: what can't be acknowledged now is kept and tried again when it can.
        """

    async def stop(self) -> None:
        """Ask for no more from the outside, but stay connected so that `ack` still works.

        `receive` then gives what would otherwise be lost (QoS 0, clean sessions), and ends.
        """

    def counters(self) -> Mapping[str, int]:
        """Counts since start, for the statistics."""


class Sink(Resource, Protocol):
    """Where results go."""

    async def send(self, results: Sequence[Result]) -> None:
        """Return when the outside has all of them, in this order.

        Calls may overlap: what an earlier call hands over precedes what a later one does, as long as the
        calls are started in that order. Waits, for ever if need be, while the outside is unreachable.
        A result that can never be sent (too large, a topic that is not valid) is counted, logged once per
        kind, and passed over. Cancelled: any prefix may have been sent.
        """

    def counters(self) -> Mapping[str, int]:
        """Counts since start, for the statistics: at least `sent`, `failed`, `bytes`."""


@runtime_checkable
class Rewindable(Protocol):
    """A sink that can forget what it was sent behind a position: its output is exact through a crash."""

    def position(self) -> bytes:
        """Where it is, behind all that `send` has returned for, in words of its own; empty if it can't say."""

    async def rewind(self, position: bytes) -> bool:
        """Before anything is sent: forget what is behind this position.

        Returns:
            False if it can't, which it has said in the log: what it was sent behind the position it goes on to have.
        """

    async def sync(self) -> None:
        """Return when the disk has all that was sent.

        Raises:
            TransportError: the disk says it has not.
        """


@runtime_checkable
class Resumable(Protocol):
    """A source that can begin where it was: what it gave and was not acknowledged comes again."""

    def position(self) -> bytes:
        """Where it is, behind all that was acknowledged; once it is entered. Empty if it has no place of its own."""

    def resume(self, position: bytes) -> None:
        """Before it is entered: begin there. What it can't make use of it leaves out, and says so in the log."""

    @property
    def same_order(self) -> bool:
        """Once it is entered: whether what it gives from that position on is what it gave then, one after another."""


@runtime_checkable
class Settling(Protocol):
    """A source whose entering has two halves, so that several can wait for their outsides at once."""

    async def begin(self) -> Self:
        """The first half: what has to be entered and left in one task; after it the source is to be left."""

    async def settled(self) -> None:
        """The second half: wait a moment for the outside."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave it."""


@runtime_checkable
class Holder(Protocol):
    """A source or an engine that has in memory what grows with messages."""

    def held(self) -> int:
        """Bytes it has at present."""


class Diary(Protocol):
    """Takes note of what the pump does, in that order, so that it can be done again."""

    def dispatched(self, batch: Batch, now: float) -> None:
        """A batch went to the shards, at Unix seconds."""

    def ticked(self, now: float) -> None:
        """The shards were told the time."""


class RejectSink(Resource, Protocol):
    """Where dead letters go; returns when they are kept."""

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """As `Sink.send`."""


@runtime_checkable
class Counting(Protocol):
    """What has something to say of itself in the statistics."""

    def counters(self) -> Mapping[str, int]:
        """Counts since start."""


class Engine(Resource, Protocol):
    """Where tasks run: `shards` workers, each with the tasks of its keys."""

    @property
    def shards(self) -> int:
        """How many workers there are."""

    @property
    def deadline(self) -> float:
        """Seconds after which the engine itself deals with a task that hangs, and goes on; 0 if it does not."""

    def submit(self, shard: int, portion: Portion) -> Awaitable[Outcome]:
        """Start now; portions of a shard are processed, and answered, in the order of the calls. An empty one flushes.

        Not async, because order is made by the order of calls. The awaitable raises only `EngineError`, and
        only when the engine has given up on the portion; a worker that dies is replaced by the engine itself.
        """

    def signs(self) -> object:
        """What changes as long as tasks get on, or wait for something outside; the same while all idle or hang."""

    async def resize(self, shards: int) -> None:
        """Have so many workers; those that come are ready, and fresh, when it returns, and the others go on meanwhile.

        Before it is entered: how many it begins with. Nothing may be in flight of workers that go: they end.

        Raises:
            EngineError: there can't be so many; it goes on with those it has.
        """

    async def reconfigure(self, plan: Plan) -> None:
        """Run `plan` from the next `submit` on. Called with nothing in flight.

        State of a stage whose id, task and parameters are unchanged is kept.
        """

    def counters(self) -> Mapping[str, int]:
        """Counts since start, for the statistics."""
