"""An event loop whose time is its own, and threads of which only one runs at a time, when the loop lets it.

Time jumps to the next timer as soon as nothing else is to be done. Everything that happens is a step: one callback of
the loop. So a run is a function of its seed, and may end at any step, as a process does that is killed.
"""

import asyncio
import heapq
from asyncio import Handle, TimerHandle
from collections.abc import Callable
from contextlib import suppress
from random import Random
from threading import Lock, Thread
from typing import Any

_WAYS_OUT = 50
"""Contexts that a coroutine may be within, each of which waits for something at its end."""


class Killed(BaseException):
    """The process is no more."""


class Stuck(Exception):  # noqa: N818 - what happened
    """Somebody waits, and nothing will ever happen."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """One callback a step; killed at step `kill_at`.

    Args:
        random: decides how long threads take.
        now: monotonic seconds at the start.
        until: monotonic seconds at which nothing should be left to do.
        kill_at: the step that is not done any more; None for none.
    """

    def __init__(self, random: Random, *, now: float, until: float, kill_at: int | None) -> None:
        super().__init__()
        self.random, self.steps, self.kill_at, self.until = random, 0, kill_at, until
        self.bugs: list[BaseException] = []
        self.fibers = Fibers(self)
        self._now, self._dead = now, False

    def time(self) -> float:
        """Seconds of the simulation."""
        return self._now

    def delay(self, longest: float = 0.01) -> float:
        """How long something of the world outside takes: mostly next to nothing."""
        return self.random.choice((0.0, 0.0, 0.0001, 0.001, longest)) * self.random.random()

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        """In a thread of ours."""
        del executor
        future: asyncio.Future[Any] = self.create_future()

        def work() -> None:
            try:
                value = func(*args)
            except Exception as error:  # noqa: BLE001 - it is raised where the call is awaited
                tell(future.set_exception, error)
            else:
                tell(future.set_result, value)

        def tell(how: Callable[[Any], None], what: object) -> None:
            self.call_soon(lambda: None if future.done() else how(what))

        self.call_later(self.delay(), self.fibers.start(work).resume)
        return future

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody awaits is a bug."""
        if self._dead:
            return
        self.bugs.append(context.get("exception") or RuntimeError(context.get("message", "")))

    def kill(self) -> None:
        """The process is gone: nothing of it runs on."""
        self.fibers.kill()
        self._dead = True
        asyncio._set_running_loop(self)  # else what runs on the way out makes another
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # its end is meant
            _close(task.get_coro())
        asyncio._set_running_loop(None)
        self._ready.clear()  # type: ignore[attr-defined]
        self._scheduled.clear()  # type: ignore[attr-defined]
        self.close()

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> TimerHandle:
        """As always; nothing once it is dead."""
        if self._dead:
            return TimerHandle(when, callback, args, self, context)
        return super().call_at(when, callback, *args, context=context)

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> Handle:
        """As always; nothing once it is dead."""
        if self._dead:
            return Handle(callback, args, self, context)
        return super().call_soon(callback, *args, context=context)

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]
        if not ready:
            self._jump()
        self.steps += 1
        if self.steps == self.kill_at:
            raise Killed
        handle: Handle = ready.popleft()
        if not handle.cancelled():
            handle._run()
        if self.bugs:
            raise self.bugs[0]

    def _jump(self) -> None:
        """To the next instant at which something is due."""
        scheduled: list[TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0].cancelled():
            heapq.heappop(scheduled)._scheduled = False  # type: ignore[attr-defined]
        if not scheduled or scheduled[0].when() > self.until:
            raise Stuck(f"at {self._now:.3f} s, step {self.steps}: " + "; ".join(_waiting(self)))
        self._now = max(self._now, scheduled[0].when())
        while scheduled and scheduled[0].when() <= self._now:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False  # type: ignore[attr-defined]
            self._ready.append(handle)  # type: ignore[attr-defined]

    def _process_events(self, event_list: Any) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps."""


def _close(coroutine: Any) -> None:
    """End it, whatever it would still do and wait for on its way out."""
    for _ in range(_WAYS_OUT):
        with suppress(BaseException):
            coroutine.close()
            return


def _waiting(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Who waits where."""
    return sorted(
        f"{task.get_name()} in {frame.f_code.co_qualname}:{frame.f_lineno}"
        for task in asyncio.all_tasks(loop)
        for frame in task.get_stack(limit=1)
    )


class Fibers:
    """Threads that run while the loop waits for them, and give it back wherever they would wait, or are held up.

    Attributes:
        current: the one that runs; None for the loop's own.
        held_up: how often one is held up where it may be.
    """

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop
        self._alive: list[Fiber] = []
        self.current: Fiber | None = None
        self.held_up = loop.random.choice((0.0, 0.05, 0.3))

    def start(self, function: Callable[[], None]) -> "Fiber":
        """Of this function; it begins when it is first resumed."""
        self._alive = [fiber for fiber in self._alive if fiber.alive]
        self._alive.append(Fiber(self, function))
        return self._alive[-1]

    def point(self) -> None:
        """Somewhere the present thread may be held up; on the loop's own nothing happens."""
        fiber = self.current
        if fiber is not None and self._loop.random.random() < self.held_up:
            self.sleep(self._loop.delay())

    def sleep(self, seconds: float) -> None:
        """The present thread waits."""
        fiber = self.current
        if fiber is None:
            raise Stuck("the loop itself sleeps")
        self._loop.call_later(seconds, fiber.resume)
        fiber.pause()

    def kill(self) -> None:
        """End all of them where they are."""
        for fiber in self._alive:
            fiber.kill()
        self._alive.clear()


class Fiber:
    """One thread."""

    def __init__(self, fibers: Fibers, function: Callable[[], None]) -> None:
        self._fibers, self._function = fibers, function
        self._go, self._back = Lock(), Lock()
        self._go.acquire()
        self._back.acquire()
        self._killed = False
        self._failure: BaseException | None = None
        self.alive, self._begun = True, False
        self._thread = Thread(target=self._run, daemon=True)

    def resume(self) -> None:
        """On the loop: let it run until it pauses or ends."""
        if not self.alive:
            return
        if not self._begun:
            self._begun = True
            self._thread.start()
        before, self._fibers.current = self._fibers.current, self
        self._go.release()
        self._back.acquire()
        self._fibers.current = before
        if self._failure is not None:
            raise self._failure

    def pause(self) -> None:
        """In it: until it is resumed."""
        self._back.release()
        self._go.acquire()
        if self._killed:
            raise Killed

    def kill(self) -> None:
        """End it."""
        self._killed = True
        if self._begun:
            self.resume()
        self.alive = False

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self._killed:
                self._function()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised in the loop
            self._failure = error
        finally:
            self.alive = False
            self._back.release()
