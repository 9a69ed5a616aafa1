"""One shard's way to whichever worker has it at present: order, answers, replacement."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import msgspec

from riotd.engines.handover import Answer, Call, Handover
from riotd.engines.worker import Method
from riotd.errors import EngineError, ShardLost
from riotd.messages import Outcome
from riotd.units import duration_text

_log = logging.getLogger(__name__)
_outcome = msgspec.msgpack.Decoder(Outcome).decode
_SHARE = 8
"""Of the deadline, the time between two looks."""


class Remote(Protocol):
    """A `Worker` elsewhere. Does what it is asked one after the other, in the order of the calls."""

    @property
    def spoke(self) -> float:
        """The loop's time at which it last answered, or gave a sign that it gets on."""

    @property
    def gone(self) -> asyncio.Future[None]:
        """Done once it is dead, also where nobody has asked it anything."""

    def ask(self, method: str, *arguments: str | bytes) -> asyncio.Future[Any]:
        """Call a method of the worker; returns at once. ShardLost is the answer if the worker is gone."""

    def kill(self) -> None:
        """End it, if it still lives; what it was asked and has not done comes to nothing."""


class Lane:
    """One shard: its log, who waits for which call, and the worker that does them.

    Everything happens on the loop. An epoch is one worker's time in the lane: what comes from an earlier one is not
    looked at, for the present one does it again.

    Args:
        name: for messages.
        plan: encoded `Plan`.
        hire: gives the next worker, at once, even if that one is still starting; None if there is none to be had, and
            `engage` will be called when there is.
        patience: seconds a worker may take until it is ready.
        deadline: seconds after which a worker that gives no sign while it has records to do is given up; 0 for never.
    """

    def __init__(
        self, name: str, plan: bytes, *, hire: Callable[[], Remote | None], patience: float, deadline: float = 0.0
    ) -> None:
        self.handover = Handover(plan)
        self.restarts = self.snapshots = 0
        self.worker: Remote | None = None
        self._name, self._hire, self._patience, self._limit = name, hire, patience, deadline
        self._asked: deque[bool] = deque()  # whether there is a deadline, for each question not yet answered
        self._asked_at = 0.0
        self._look: asyncio.TimerHandle | None = None
        self._waiters: dict[int, asyncio.Future[Outcome]] = {}
        self._epoch = 0
        self._error: BaseException | None = None
        self._ready: asyncio.Future[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._lost_at: float | None = None

    @property
    def waiting(self) -> int:
        """Calls not yet answered."""
        return len(self._waiters)

    def begin(self) -> asyncio.Future[None]:
        """Give the shard its first worker; done when that one is ready. Raises EngineError if none can be."""
        self._loop = asyncio.get_running_loop()
        self._ready = self._loop.create_future()
        self.engage()
        return self._ready

    def engage(self) -> None:
        """Let the next worker take over, if there is one to be had, and none has."""
        if self._error is None and self.worker is None and (worker := self._hire()) is not None:
            self._seat(worker)

    def vacate(self) -> None:
        """Do without a worker until `engage` is called; what was asked of it is asked of the next, nobody is blamed."""
        if self._error is None and self.worker is not None:
            self._leave()
            self.restarts += 1
            self._lost_at = self._loop.time()
            self.handover.interrupted()

    @property
    def sign(self) -> tuple[int, float]:
        """Changes while the lane has a worker that gets on, and when a worker is replaced."""
        return self.restarts, 0.0 if self.worker is None else self.worker.spoke

    def submit(self, method: Method, data: bytes, *, timed: bool = False) -> asyncio.Future[Outcome]:
        """Put a call behind the others; its outcome, once."""
        waiter: asyncio.Future[Outcome] = self._loop.create_future()
        if self._error is not None:
            waiter.set_exception(self._error)
            return waiter
        self._waiters[self.handover.add(method, data, timed=timed)] = waiter
        if self.worker is not None:
            self._send(self.worker)
        return waiter

    def fail(self, error: BaseException) -> None:
        """Give up, once: whatever waits, and every later call, raises this."""
        if self._error is not None:
            return
        self._error = error
        self._leave()
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters.values():
            if not waiter.done():
                waiter.set_exception(error)
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(error)

    def _seat(self, worker: Remote) -> None:
        """Tell a worker all it needs in one go, without waiting for it to be there."""
        self._epoch += 1
        self.worker = worker
        self._deadline = self._loop.call_later(self._patience, self._overdue)
        if self._limit:
            self._look = self._loop.call_later(self._limit / _SHARE, self._looked, self._epoch, 0)
        self._hear(worker.ask("take", self.handover.plan, self.handover.state), self._taken)
        self._send(worker)

    def _leave(self) -> None:
        """Be rid of the present worker; nothing it still says is heard."""
        self._epoch += 1
        self._asked.clear()
        if self._look is not None:
            self._look.cancel()
        if self._deadline is not None:
            self._deadline.cancel()
        if self.worker is not None:
            self.worker.kill()
            self.worker = None

    def _send(self, worker: Remote) -> None:
        handover = self.handover
        while (call := handover.following()) is not None:
            if call.answered:
                answer = worker.ask("replay", call.method, call.data)
            else:
                answer = worker.ask(call.method, call.data)
            self._hear(answer, partial(self._answered, call), timed=call.timed)
        if (mark := handover.snapshot_due()) is not None:
            self._hear(worker.ask("snapshot"), partial(self._keep, mark))

    def _hear(self, answer: asyncio.Future[Any], then: Callable[[Any], None], *, timed: bool = False) -> None:
        """Have `then` called with the answer; cheaper than a task that awaits it."""
        if self._limit:
            if not self._asked:
                self._asked_at = self._loop.time()
            self._asked.append(timed)
        answer.add_done_callback(partial(self._heard, self._epoch, then))

    def _heard(self, epoch: int, then: Callable[[Any], None], done: asyncio.Future[Any]) -> None:
        worker, error = self.worker, done.exception()
        if epoch != self._epoch or worker is None:
            return
        if self._asked:
            self._asked.popleft()
        if error is None:
            then(done.result())
            if self.worker is worker:
                self._send(worker)
        elif isinstance(error, ShardLost):
            self._replace(error)
        else:
            self.fail(error)

    def _taken(self, problem: str) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if problem:
            self.fail(EngineError(problem))
            return
        self.handover.taken()
        if self._lost_at is not None:
            _log.info(
                "%s: the next worker was ready after %.0f ms", self._name, 1e3 * (self._loop.time() - self._lost_at)
            )
            self._lost_at = None
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)

    def _answered(self, call: Call, data: bytes | None) -> None:
        self._settle(self.handover.answered(call, None if data is None else _outcome(data)))

    def _keep(self, mark: Call, state: bytes) -> None:
        self.snapshots += self.handover.keep(mark, state)

    def _settle(self, answer: Answer | None) -> None:
        """Give an outcome to whoever waits for it."""
        if answer is not None and not (waiter := self._waiters.pop(answer.number)).done():
            waiter.set_result(answer.outcome)

    def _replace(self, lost: ShardLost) -> None:
        """Let the next worker take over from one that died."""
        self._leave()
        self.restarts += 1
        self._lost_at = self._loop.time()
        _log.warning("%s: its worker died with %d calls in flight: %s", self._name, self.waiting, lost)
        try:
            self._settle(self.handover.died(lost.deed))
        except EngineError as hopeless:
            self.fail(EngineError(f"{self._name}: {hopeless}; the last cause: {lost}"))
        else:
            self.engage()

    def _looked(self, epoch: int, overdue: int) -> None:
        """Look whether the worker gets on; twice, since after a stop of the whole machine timers come before news."""
        worker = self.worker
        if epoch != self._epoch or worker is None:
            return
        silent = self._loop.time() - max(self._asked_at, worker.spoke)
        overdue = overdue + 1 if self._asked and self._asked[0] and silent >= self._limit else 0
        if overdue > 1:
            self._replace(ShardLost("it was given up", deed=f"took longer than {duration_text(self._limit)}"))
        else:
            self._look = self._loop.call_later(self._limit / _SHARE, self._looked, epoch, overdue)

    def _overdue(self) -> None:
        self.fail(EngineError(f"{self._name}: no worker was ready within {self._patience:g} s"))
