"""Runs on Ray: the daemon's own engine, behind a loop in a thread of its own, so that any program can call it."""

import asyncio
import signal
from collections import deque
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future, wait
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
        self._flying: set[Future[None]] = set()

    def prepare(self, plan: Plan) -> None:
        """As `Place.prepare`."""
        if self._engine is not None:
            wait(list(self._flying))  # an input that was left early may still have something in flight
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
            flights.append(self._launched(cut, cut.portions))
            while len(flights) > (0 if cut.hasty else _AHEAD):
                yield flights.popleft().done()
        flights.append(self._launched(None, cutter.end()))
        while flights:
            yield flights.popleft().done()

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

    def _launched(self, cut: Cut | None, portions: list[tuple[int, Portion]]) -> "_Flight":
        assert self._engine is not None  # noqa: S101 - `prepare` comes before `run`
        flight = _Flight(cut, portions)
        self._flying.add(flight.landed)
        flight.landed.add_done_callback(self._flying.discard)
        self._loop.call_soon_threadsafe(flight.launch, self._engine)
        return flight

    async def _renew(self, engine: RayEngine, plan: Plan) -> None:
        await engine.reconfigure(Plan(()))
        await engine.reconfigure(plan)


class _Flight:
    """A cut on its way: one trip to the loop and one back, however many portions it has."""

    def __init__(self, cut: Cut | None, portions: list[tuple[int, Portion]]) -> None:
        self.landed: Future[None] = Future()
        self._cut, self._portions = cut, portions
        self._answers: list[asyncio.Future[Outcome]] = []
        self._missing = len(portions)

    def launch(self, engine: RayEngine) -> None:
        """On the loop: submit the portions."""
        self._answers = [engine.submit(shard, portion) for shard, portion in self._portions]
        for answer in self._answers:
            answer.add_done_callback(self._hear)

    def done(self) -> Done:
        """Its outcomes, once they are there; raises EngineError if the engine gave up."""
        self.landed.result()
        shards = [shard for shard, _ in self._portions]
        return Done(self._cut, [(shard, answer.result()) for shard, answer in zip(shards, self._answers, strict=True)])

    def _hear(self, answer: "asyncio.Future[Outcome]") -> None:
        answer.exception()  # nobody else may ask, if the input was left early
        self._missing -= 1
        if not self._missing:
            self.landed.set_result(None)


def _take_back_sigterm() -> None:
    """Ray puts a handler of its own below Python's, which dumps a stack; the program's own shall hold."""
    handler = signal.getsignal(signal.SIGTERM)
    if handler is not None and current_thread() is main_thread():
        signal.signal(signal.SIGTERM, handler)
