"""Where results go, and the shards: on the loop's time, and outliving a life as far as the world does."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from random import Random
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

import msgspec

from riotd.dataflow import Plan
from riotd.messages import DeadLetter, Outcome, Portion, Result
from riotd.shard import Shard
from tests.simulation.loop import SimulatedLoop

_T = TypeVar("_T", Result, DeadLetter)
_encode = msgspec.msgpack.Encoder().encode
_portion = msgspec.msgpack.Decoder(Portion).decode
_outcome = msgspec.msgpack.Decoder(Outcome).decode


class Said(NamedTuple, Generic[_T]):
    """What has arrived, and in which life it was sent."""

    life: int
    what: _T


class Place(Generic[_T]):
    """Somewhere outside: what has arrived there, and what of it a power cut would spare."""

    def __init__(self, random: Random, *, exact: bool) -> None:
        self.got: list[Said[_T]] = []
        self.kept = 0
        self.exact = exact
        self.coming: deque[tuple[float, Said[_T]]] = deque()
        self.down_until = 0.0
        self._random = random

    def arrive(self, now: float) -> None:
        """What is due."""
        while self.coming and self.coming[0][0] <= now:
            self.got.append(self.coming.popleft()[1])

    def die(self, *, power: bool) -> None:
        """The sender is gone: some of what was on the way arrives; with the power goes what no disk had."""
        if not (self.exact and power):
            for _ in range(self._random.randint(0, len(self.coming))):
                self.got.append(self.coming.popleft()[1])
        self.coming.clear()
        if self.exact and power:
            del self.got[self._random.randint(self.kept, len(self.got)) :]


class SimulatedSink(Generic[_T]):
    """Keeps `riotd.ports.Sink`, and `RejectSink`: hands over in the order of calls, answers late."""

    def __init__(self, place: Place[_T], loop: SimulatedLoop, life: int) -> None:
        self._place, self._loop, self._life = place, loop, life
        self._last = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""

    async def send(self, results: Sequence[_T]) -> None:
        """As `Sink.send`."""
        loop, place = self._loop, self._place
        for result in results:
            ready = max(loop.time(), place.down_until)
            self._last = max(self._last + 1e-6, ready + loop.delay(0.02))
            place.coming.append((self._last, Said(self._life, result)))
        await asyncio.sleep(self._last - loop.time() + 1e-6)
        place.arrive(loop.time())
        await asyncio.sleep(loop.delay(0.02))

    def counters(self) -> Mapping[str, int]:
        """None."""
        return {}


class SimulatedFileSink(SimulatedSink[_T]):
    """Keeps `riotd.ports.Rewindable` too; a position is how many lines there are."""

    def position(self) -> bytes:
        """As `Rewindable.position`."""
        return b"%d" % len(self._place.got)

    async def rewind(self, position: bytes) -> bool:
        """As `Rewindable.rewind`."""
        await asyncio.sleep(self._loop.delay())
        assert len(self._place.got) >= int(position), "the disk has lost what it was asked to keep"
        del self._place.got[int(position) :]
        self._place.kept = min(self._place.kept, int(position))
        return True

    async def sync(self) -> None:
        """As `Rewindable.sync`."""
        size = len(self._place.got)
        await asyncio.sleep(self._loop.delay())
        self._place.kept = size


def sink(place: Place[_T], loop: SimulatedLoop, life: int) -> SimulatedSink[_T]:
    """One of the kind that the place is."""
    return (SimulatedFileSink if place.exact else SimulatedSink)(place, loop, life)


class SimulatedEngine:
    """Keeps `riotd.ports.Engine`: real shards, which take their time, and get and give bytes."""

    deadline = 0.0

    def __init__(self, plan: Plan, loop: SimulatedLoop) -> None:
        self._plan, self._loop = plan, loop
        self._shards: list[Shard] = []
        self._free = [0.0] * plan.shards

    async def __aenter__(self) -> Self:
        await asyncio.sleep(self._loop.delay())
        self._shards = [Shard(self._plan) for _ in range(self._plan.shards)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""

    @property
    def shards(self) -> int:
        """As `Engine.shards`."""
        return len(self._free)

    def submit(self, shard: int, portion: Portion) -> Awaitable[Outcome]:
        """As `Engine.submit`."""
        loop, data = self._loop, _encode(portion)
        answer: asyncio.Future[Outcome] = loop.create_future()
        self._free[shard] = max(self._free[shard] + 1e-6, loop.time()) + loop.delay(0.1)
        loop.call_at(self._free[shard], self._run, shard, data, answer)
        return answer

    def signs(self) -> object:
        """As `Engine.signs`."""
        return self._free

    async def resize(self, shards: int) -> None:
        """As `Engine.resize`."""
        await asyncio.sleep(self._loop.delay(0.5))
        more = shards - len(self._free)
        self._shards = self._shards[:shards] + [Shard(self._plan) for _ in range(more)]
        self._free = self._free[:shards] + [0.0] * more

    async def reconfigure(self, plan: Plan) -> None:
        """As `Engine.reconfigure`."""
        for shard in self._shards:
            shard.reconfigure(plan)

    def counters(self) -> Mapping[str, int]:
        """None."""
        return {}

    def _run(self, shard: int, data: bytes, answer: "asyncio.Future[Outcome]") -> None:
        outcome = _outcome(_encode(self._shards[shard].run(_portion(data))))
        if not answer.done():
            answer.set_result(outcome)
