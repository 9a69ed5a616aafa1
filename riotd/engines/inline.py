"""Tasks in the daemon itself: a thread for each shard, or the loop where a shard has proved quick.

The trap: two threads that are both busy pass Python's lock to and fro. With the tasks in a thread the daemon gave
0.68 of the C relay at full speed, on the loop 0.92 (medians of 4 rounds side by side, two cores); and the thread saves
the loop nothing, since it may hold the lock for 5 ms at a time.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from resource import RUSAGE_THREAD, getrusage
from threading import Thread
from time import perf_counter, thread_time
from types import TracebackType
from typing import Any, Self, TypeVar

from riotd.dataflow import Plan
from riotd.engines.limits import Deadline
from riotd.engines.worker import build
from riotd.messages import Outcome, Portion
from riotd.shard import Shard

_A = TypeVar("_A")
_T = TypeVar("_T")

_GRACE = 1.0
"""Seconds that leaving waits for a thread in the middle of a portion, before it leaves it to the process's end."""

_QUICK = 0.01
"""Seconds a portion may be expected to take on the loop: twice what a thread may take before it gives way."""
_SLOW = 0.05
"""Seconds after which a shard that ran on the loop never does so again."""
_FEW = 16
"""Messages; portions of fewer say what a portion costs, those of more what a message of it does."""


class InlineEngine:
    """Each shard in a thread of its own, or on the loop while it is quick; keeps `riotd.ports.Engine`.

    What a shard raises is a bug, and comes out of the awaitable as itself. A task that never returns holds up its
    shard for ever, but not the end of the process: the threads are daemons; nor the loop, unless it was quick
    before. How much may wait for a thread is bounded by the caller's credits. Cancelling the awaitable does not
    stop the portion.

    Args:
        plan: what the shards run.
        shards: how many.
        deadline: seconds a record may take, but for waiting for something outside: past it the process ends, as if
            killed. 0 for ever.

    Raises:
        EngineError: on entering, if a stage's task can't be made.
    """

    deadline = 0.0
    """As `Engine.deadline`: a thread that hangs can't be dealt with here, only left to the next start."""

    def __init__(self, plan: Plan, *, shards: int = 1, deadline: float = 0.0) -> None:
        self._plan = plan
        self._shards: list[Shard] = []
        self._deadline = Deadline(lambda: [shard.labour for shard in self._shards], seconds=deadline)
        self._threads = [_Thread(f"shard-{index}") for index in range(shards)]
        self._paces = [_Pace() for _ in range(shards)]

    async def __aenter__(self) -> Self:
        """Start the threads and make the tasks in them."""
        self._shards = await self._begun(self._threads)
        self._deadline.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the threads end; a task that waits for something unavailable gives up."""
        self._deadline.end()
        for shard in self._shards:
            shard.cancel()
        await _ended(self._threads)

    @property
    def shards(self) -> int:
        """How many threads there are."""
        return len(self._threads)

    def submit(self, shard: int, portion: Portion) -> asyncio.Future[Outcome]:
        """Start now; portions of a shard are processed in the order of the calls. An empty one flushes its tasks."""
        thread, pace, run = self._threads[shard], self._paces[shard], self._shards[shard].run
        if thread.waiting or not pace.quick(portion.size) or self._shards[shard].may_wait(portion):
            return thread.call(partial(pace.timed, run), portion)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            future.set_result(pace.timed(run, portion))
        except Exception as error:  # noqa: BLE001 - it is raised where the call is awaited
            future.set_exception(error)
        return future

    async def reconfigure(self, plan: Plan) -> None:
        """Run `plan` from the next `submit` on; raises EngineError, and goes on with the old one, if it can't."""
        await self._threads[0].call(build, plan)
        self._plan = plan
        self._paces = [_Pace() for _ in self._threads]
        pairs = zip(self._threads, self._shards, strict=True)
        await asyncio.gather(*(thread.call(shard.reconfigure, plan) for thread, shard in pairs))

    async def resize(self, shards: int) -> None:
        """As `Engine.resize`."""
        more = [_Thread(f"shard-{index}") for index in range(len(self._threads), shards)]
        if self._shards:
            self._shards += await self._begun(more)
        gone = self._threads[shards:]
        self._threads = self._threads[:shards] + more
        self._paces = self._paces[:shards] + [_Pace() for _ in more]
        del self._shards[shards:]
        await _ended(gone)

    async def _begun(self, threads: "Sequence[_Thread]") -> list[Shard]:
        """Start threads, and make the tasks in them; if that can't be, they are at an end again."""
        for thread in threads:
            thread.begin(asyncio.get_running_loop())
        made = await asyncio.gather(*(thread.call(build, self._plan) for thread in threads), return_exceptions=True)
        if errors := [error for error in made if isinstance(error, BaseException)]:
            await _ended(threads)
            raise errors[0]
        return [shard for shard in made if isinstance(shard, Shard)]

    def signs(self) -> object:
        """As `Engine.signs`."""
        now = perf_counter()
        return [now if shard.pausing else shard.labour for shard in self._shards]

    def counters(self) -> Mapping[str, int]:
        """In flight per shard: `in_flight.0`, ..."""
        return {f"in_flight.{index}": thread.waiting for index, thread in enumerate(self._threads)}


async def _ended(threads: "Sequence[_Thread]") -> None:
    """Return when the threads have come to their end, or are not worth waiting for any longer."""
    ended = [thread.end() for thread in threads if thread.is_alive()]
    if ended:
        await asyncio.wait(ended, timeout=_GRACE)


class _Pace:
    """How long a shard takes for a portion and for each message: soon believed when slow, slowly when quick.

    Its own time: the thread's CPU time, or the clock's where it has slept or waited. On a busy machine a portion that
    does nothing but compute may be interrupted for 50 ms, and by the clock alone a shard was off the loop for good
    within seconds (3,495 of 3,500 portions at QoS 1; 26-36 µs a message instead of 20-24).
    """

    def __init__(self) -> None:
        self._portion = math.inf
        self._message = 0.0
        self._barred = False

    def quick(self, messages: int) -> bool:
        """Whether so many may be run on the loop; never before the first portion, and never the tasks' flush."""
        return not self._barred and messages > 0 and self._portion + messages * self._message <= _QUICK

    def timed(self, run: Callable[[Portion], Outcome], portion: Portion) -> Outcome:
        """Run the portion, and learn from it."""
        was_quick = self.quick(portion.size)
        clock, worked, waits = perf_counter(), thread_time(), getrusage(RUSAGE_THREAD).ru_nvcsw
        outcome = run(portion)
        slept = getrusage(RUSAGE_THREAD).ru_nvcsw > waits
        seconds = perf_counter() - clock if slept else thread_time() - worked
        if was_quick and seconds > _SLOW:
            self._barred = True  # what is slow once in a while would stop the loop again
        if portion.size < _FEW:
            self._portion = seconds if math.isinf(self._portion) else _believed(self._portion, seconds)
        else:
            self._message = _believed(self._message, seconds / portion.size)
            self._portion = min(self._portion, seconds)
        return outcome


def _believed(known: float, seen: float) -> float:
    return max(seen, (known + seen) / 2)


class _Thread(Thread):
    """Runs calls one after the other and tells the loop.

    Measured against `run_in_executor`: 22 µs a call instead of 32 one by one, 2 instead of 14 in a row. And
    a task that never returns can't hold up the interpreter's exit, as an executor's thread does.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.waiting = 0
        self._calls: SimpleQueue[tuple[asyncio.Future[Any], Callable[[Any], Any], Any] | None] = SimpleQueue()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start, for callers on this loop."""
        self._loop = loop
        self._ended: asyncio.Future[None] = loop.create_future()
        self.start()

    def call(self, function: Callable[[_A], _T], argument: _A) -> asyncio.Future[_T]:
        """What the function gives or raises, once its turn has come."""
        future: asyncio.Future[_T] = self._loop.create_future()
        self.waiting += 1
        self._calls.put((future, function, argument))
        return future

    def end(self) -> asyncio.Future[None]:
        """Stop behind the calls so far; done when the thread is."""
        self._calls.put(None)
        return self._ended

    def run(self) -> None:
        tell = self._loop.call_soon_threadsafe
        try:
            while (call := self._calls.get()) is not None:
                future, function, argument = call
                try:
                    value = function(argument)
                except BaseException as error:  # noqa: BLE001 - it is raised where the call is awaited
                    tell(self._refuse, future, error)
                else:
                    tell(self._give, future, value)
                del call, future, function, argument
            tell(self._ended.set_result, None)
        except RuntimeError:
            return  # the loop was closed while a portion ran past the grace: nobody waits any more

    def _give(self, future: asyncio.Future[_T], value: _T) -> None:
        self.waiting -= 1
        if not future.done():
            future.set_result(value)

    def _refuse(self, future: asyncio.Future[_T], error: BaseException) -> None:
        self.waiting -= 1
        if not future.done():
            future.set_exception(error)
