"""Runs on Ray: the daemon's own engine, behind a loop in a thread of its own, so that any program can call it."""

import asyncio
import signal
from collections import deque
from collections.abc import Awaitable, Coroutine, Iterator
from concurrent.futures import Future
from threading import Event, Thread, current_thread, main_thread
from typing import Any, TypeVar

import uvloop

from riotd.bounded.cutting import Cut, Cutter
from riotd.bounded.places import Done
from riotd.dataflow import Plan
from riotd.engines.ray_actors import RayEngine
from riotd.messages import Outcome, Portion

_T = TypeVar("_T")

_AHEAD = 2
"""Cuts that are with the workers beside the one whose outcomes are waited for: they never idle for want of the next."""

_Flight = tuple[Cut | None, list[tuple[int, Future[Outcome]]]]


class Actors:
    """A place of shards in Ray's actors; keeps `riotd.bounded.places.Place`.

    The engine is started by the first `prepare` and kept until `close`. Between two inputs its shards go over to an
    empty plan and back, which leaves them nothing of what they had.

    Args:
        shards: how many actors.
        address: of a running cluster, as `RayEngine` has it.
    """

    name = "ray"

    def __init__(self, shards: int, address: str | None = None) -> None:
        self.width = self.shards = self.lanes = shards
        self._address = address
        self._loop = uvloop.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="runs on ray", daemon=True)
        self._engine: RayEngine | None = None
        self._flying: set[Awaitable[Outcome]] = set()

    def prepare(self, plan: Plan) -> None:
        """As `Place.prepare`."""
        if self._engine is not None:
            self._said(self._renew(self._engine, plan)).result()
            return
        engine = RayEngine(plan, shards=self.shards, address=self._address)
        if not self._thread.is_alive():
            self._thread.start()
        self._start(engine)
        self._engine = engine

    def run(self, cuts: Iterator[Cut], cutter: Cutter) -> Iterator[Done]:
        """As `Place.run`."""
        flights: deque[_Flight] = deque()
        for cut in cuts:
            flights.append((cut, self._submitted(cut.portions)))
            while len(flights) > (0 if cut.hasty else _AHEAD):
                yield _landed(*flights.popleft())
        flights.append((None, self._submitted(cutter.end())))
        while flights:
            yield _landed(*flights.popleft())

    def close(self) -> None:
        """Stop the actors, and Ray if it is ours."""
        engine, self._engine = self._engine, None
        if engine is not None:
            self._said(engine.__aexit__(None, None, None)).result()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _start(self, engine: RayEngine) -> None:
        """Enter the engine; interrupted, wait until it has taken back what it had begun."""
        ended = Event()

        async def enter() -> None:
            try:
                await engine.__aenter__()
            finally:
                ended.set()

        entering = self._said(enter())
        try:
            entering.result()
        except BaseException:
            entering.cancel()
            ended.wait()
            raise
        _take_back_sigterm()

    def _said(self, call: Coroutine[Any, Any, _T]) -> Future[_T]:
        return asyncio.run_coroutine_threadsafe(call, self._loop)

    def _submitted(self, portions: list[tuple[int, Portion]]) -> list[tuple[int, Future[Outcome]]]:
        return [(shard, self._said(self._flown(shard, portion))) for shard, portion in portions]

    async def _flown(self, shard: int, portion: Portion) -> Outcome:
        assert self._engine is not None  # noqa: S101 - `prepare` comes before `run`
        flight = self._engine.submit(shard, portion)
        self._flying.add(flight)
        try:
            return await flight
        finally:
            self._flying.discard(flight)

    async def _renew(self, engine: RayEngine, plan: Plan) -> None:
        """A fresh state; an input that was left early may still have something in flight, which comes first."""
        await asyncio.gather(*self._flying, return_exceptions=True)
        await engine.reconfigure(Plan(()))
        await engine.reconfigure(plan)


def _take_back_sigterm() -> None:
    """Ray puts a handler of its own below Python's, which dumps a stack; the program's own shall hold."""
    handler = signal.getsignal(signal.SIGTERM)
    if handler is not None and current_thread() is main_thread():
        signal.signal(signal.SIGTERM, handler)


def _landed(cut: Cut | None, flights: list[tuple[int, Future[Outcome]]]) -> Done:
    return Done(cut, [(shard, flight.result()) for shard, flight in flights])
