"""The workers to be had for a shard: a spare is always on its way, and has loaded the plan's tasks already."""

import asyncio
from collections.abc import Callable
from typing import Any

from riotd.engines.lanes import Remote
from riotd.errors import EngineError, ShardLost

_PAUSE = 0.5
"""Seconds between the death of a spare and the start of the next."""


class Crew:
    """Gives workers at once. A spare is there in 30 ms; one that must be started first in one to three seconds.

    Attributes:
        plan: encoded `Plan` that workers are told before they are needed.
    """

    def __init__(self, plan: bytes) -> None:
        self.plan = plan
        self._start: Callable[[], Remote]
        self._spare: Remote | None = None
        self._ready: asyncio.Future[Any] | None = None
        self._standing_by = False

    def assemble(self, start: Callable[[], Remote]) -> None:
        """Take note of how a worker is started, and start the first."""
        self._start = start
        self._spare = self._fresh()

    def stand_by(self) -> None:
        """Keep a spare from now on; not before the shards have their workers, who would have to share the cores."""
        self._standing_by = True
        self._spare = self._spare or self._fresh()

    def disperse(self) -> None:
        """Forget the spare, who is lost with all others, and keep none until `stand_by` is called again."""
        self._standing_by = False
        self._spare = self._ready = None

    def hire(self) -> Remote:
        """The spare, or a new worker; and the next spare is started."""
        worker, self._spare = self._spare or self._fresh(), None
        if self._standing_by:
            self._spare = self._fresh()
        return worker

    async def stocked(self, patience: float) -> None:
        """Return when there is a spare that is ready, or after so many seconds."""
        if self._ready is not None:
            await asyncio.wait([self._ready], timeout=patience)

    async def rehearse(self, plan: bytes) -> None:
        """Try a plan on the spare; from now on it is the plan.

        Raises:
            EngineError: it can't be run.
            ShardLost: the spare died of it.
        """
        spare = self._spare or self._fresh()
        try:
            problem = await spare.ask("take", plan, b"")
        except ShardLost:
            self._spare = self._fresh()
            raise
        if problem:
            raise EngineError(problem)
        self.plan = plan

    async def dismiss(self, *, grace: float) -> None:
        """End the spare, or wait `grace` seconds for it if it is still starting."""
        self._standing_by = False
        spare, self._spare = self._spare, None
        if spare is None:
            return
        if grace and self._ready is not None:
            await asyncio.wait([self._ready], timeout=grace)
        spare.kill()

    def _fresh(self) -> Remote:
        worker = self._start()
        self._ready = worker.ask("take", self.plan, b"")
        self._ready.add_done_callback(_unasked)
        worker.gone.add_done_callback(lambda _: self._missed(worker))
        return worker

    def _missed(self, worker: Remote) -> None:
        """A worker is dead: if it was the spare, another takes its place, but not in a row of many a second."""
        if worker is self._spare:
            self._spare = None
            asyncio.get_running_loop().call_later(_PAUSE, self._restock)

    def _restock(self) -> None:
        if self._standing_by and self._spare is None:
            self._spare = self._fresh()


def _unasked(answer: asyncio.Future[Any]) -> None:
    """Pass over what went wrong: it comes up again when the worker is needed."""
    if not answer.cancelled():
        answer.exception()
