"""The pump: source → batches → engine → sinks → acknowledgement, in order, within credits."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any

from riotd.batching import Batcher, Limits
from riotd.clock import Clock
from riotd.dataflow import Plan
from riotd.ledger import Ledger
from riotd.messages import Batch, DeadLetter, Outcome, Portion, Reject, Result
from riotd.partitioning import Partitioner
from riotd.ports import Engine, RejectSink, Sink, Source
from riotd.stats import Stats

_PER_SHARD = 2
"""Portions a shard has at once: one it works on, one that waits, so that it never idles for want of the loop."""
_TIMER_GRAIN = 0.0005
"""uvloop's timers count whole milliseconds; asking half of one ahead spares a spin until the exact instant."""


@dataclass(frozen=True)
class Ends:
    """What the pump is connected to; `sinks` in the order of the plan's outlets."""

    source: Source
    engine: Engine
    sinks: Sequence[Sink]
    rejects: RejectSink


@dataclass(frozen=True)
class Books:
    """What the pump decides by."""

    batcher: Batcher
    partitioner: Partitioner
    stats: Stats
    max_in_flight: int
    ledger: Ledger = field(default_factory=Ledger)


@dataclass(frozen=True)
class _Flight:
    """A batch on its way through the engine."""

    batch: Batch
    outcomes: Sequence[tuple[int, "asyncio.Future[Outcome]"]]


class Pump:
    """Moves messages until its source ends or `stop` is called, then until everything in flight is settled.

    Order: batches are dispatched, sent and acknowledged in the order of arrival. Bounds: two portions a shard,
    `max_in_flight` bytes in all; when spent, it stops receiving. Cancelled: what is in flight stays
    unacknowledged. Failing: an engine that gave up, or a bug, ends `run` with that error.
    """

    def __init__(self, ends: Ends, books: Books, *, clock: Clock) -> None:
        self._ends = ends
        self._books = books
        self._clock = clock
        self._in_engine = [0] * ends.engine.shards
        self._room = asyncio.Event()
        self._room.set()
        self._news = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._flights: asyncio.Queue[_Flight | None] = asyncio.Queue()  # bounded by the credits
        self._in_order = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._held = False
        self._stopped = False
        self.answered = 0
        """Portions the engine has answered; grows as long as it works."""

    @property
    def in_engine(self) -> int:
        """Portions the engine has not answered."""
        return sum(self._in_engine)

    async def run(self) -> None:
        """Pump until the source ends; what tasks hold back at the end of a bounded stream is flushed."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._deliver_all(group), name="deliver")
                await self._take_in()
                await self._empty()
                if not self._stopped:
                    self._launch_flush()
                self._flights.put_nowait(None)
        finally:
            self._held = True  # whatever still answers launches nothing more
            if self._timer is not None:
                self._timer.cancel()

    async def stop(self) -> None:
        """Take in no more; `run` returns when all is settled. Safe to call twice."""
        self._stopped = True
        await self._ends.source.stop()

    async def swap(self, plan: Plan, limits: Limits, sinks: Sequence[Sink], rejects: RejectSink) -> None:
        """Go over to another plan and other sinks at a batch boundary; nothing is lost, order is kept."""
        self._held = True
        try:
            await self._quiet.wait()
            await self._ends.engine.reconfigure(plan)
            ends = self._ends
            self._ends = Ends(ends.source, ends.engine, sinks, rejects)
            self._books.batcher.limits = limits
            self._books.stats.replan([stage.id for stage in plan.stages])
            self._books.partitioner.topics = any(outlet.topics for outlet in plan.outlets)
        finally:
            self._held = False
            self._dispatch()

    def report(self) -> dict[str, Any]:
        """The statistics with what is waiting and in flight; begins a new window."""
        books = self._books
        report = books.stats.report(self._clock.monotonic())
        report["messages"]["in_flight"] = books.ledger.in_flight
        report["queue"] = {
            "waiting": len(books.batcher),
            "waiting_bytes": books.batcher.bytes,
            "in_flight_bytes": books.ledger.in_flight_bytes,
            "in_engine": self.in_engine,
        }
        return report

    @property
    def ledger(self) -> Ledger:
        """The books."""
        return self._books.ledger

    async def _take_in(self) -> None:
        while True:
            while not self._room.is_set():  # an event that was set and cleared again wakes its waiters all the same
                await self._room.wait()
            messages = await self._ends.source.receive()
            if not messages:
                return
            self._books.ledger.receive(len(messages))
            self._books.batcher.add(messages)
            self._dispatch()

    async def _empty(self) -> None:
        """Dispatch what still waits, as the credits come back."""
        batcher = self._books.batcher
        while len(batcher):
            if self._credit():
                self._launch(batcher.take())
            else:
                self._news.clear()
                await self._news.wait()

    def _credit(self) -> bool:
        books = self._books
        return (
            not self._held and max(self._in_engine) < _PER_SHARD and books.ledger.in_flight_bytes < books.max_in_flight
        )

    def _dispatch(self) -> None:
        """Launch what is ready, as far as credits go; else see that it is asked again."""
        self._news.set()
        batcher, now = self._books.batcher, self._clock.monotonic() + _TIMER_GRAIN
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        credit = self._credit()
        while credit and batcher.ready(now):
            self._launch(batcher.take())
            credit = self._credit()
        due = batcher.due()
        if credit and due is not None:
            self._timer = asyncio.get_running_loop().call_later(max(due - now, 0.0), self._dispatch)
        if credit or not batcher.full():
            self._room.set()
        else:
            self._room.clear()

    def _launch(self, batch: Batch) -> None:
        books = self._books
        portions = books.partitioner.split(batch, self._clock.wall())
        books.ledger.open(batch)
        books.stats.dispatched(batch, portions, self._clock.monotonic())
        self._submit(batch, portions)

    def _launch_flush(self) -> None:
        """Tell every shard that the stream has ended; an empty batch carries what comes of it."""
        now = self._clock.wall()
        batch = Batch(-1, 0, ())
        self._submit(batch, {shard: Portion(-1, now, [], [], []) for shard in range(self._ends.engine.shards)})

    def _submit(self, batch: Batch, portions: dict[int, Portion]) -> None:
        self._quiet.clear()
        outcomes = []
        for shard, portion in sorted(portions.items()):
            outcome = asyncio.ensure_future(self._ends.engine.submit(shard, portion))
            self._in_engine[shard] += 1
            outcome.add_done_callback(self._answered(shard))
            outcomes.append((shard, outcome))
        self._flights.put_nowait(_Flight(batch, outcomes))

    def _answered(self, shard: int) -> Any:  # noqa: ANN401 - a callback
        def done(future: "asyncio.Future[Outcome]") -> None:
            self._in_engine[shard] -= 1
            self.answered += 1
            if not future.cancelled() and future.exception() is None:
                self._dispatch()

        return done

    async def _deliver_all(self, group: asyncio.TaskGroup) -> None:
        """Collect outcomes in batch order, and start each delivery in that order."""
        while (flight := await self._flights.get()) is not None:
            outcomes = []
            for shard, future in flight.outcomes:
                outcome = await future
                self._books.stats.outcome(shard, outcome)
                outcomes.append(outcome)
            group.create_task(self._deliver(flight.batch, outcomes), name=f"batch {flight.batch.id}")

    async def _deliver(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        rejects = [reject for outcome in outcomes for reject in outcome.rejects]
        sending: list[Awaitable[None]] = [sink.send(results) for sink, results in self._by_sink(outcomes) if results]
        if rejects:
            sending.append(self._ends.rejects.send(self._letters(batch, rejects)))
        # Always as tasks, even a single one: started at once it would overtake those of the batch before.
        await asyncio.gather(*sending)
        await self._settle(batch, sum(len(outcome.results) for outcome in outcomes), len(rejects))

    def _by_sink(self, outcomes: Sequence[Outcome]) -> list[tuple[Sink, list[Result]]]:
        sinks = self._ends.sinks
        if len(sinks) == 1:
            return [(sinks[0], [result for outcome in outcomes for result in outcome.results])]
        shares: list[list[Result]] = [[] for _ in sinks]
        for outcome in outcomes:
            for result in outcome.results:
                shares[result.outlet].append(result)
        return list(zip(sinks, shares, strict=True))

    def _letters(self, batch: Batch, rejects: Sequence[Reject]) -> list[DeadLetter]:
        now = self._clock.wall()
        letters = []
        for reject in rejects:
            known = batch.first <= reject.id < batch.first + len(batch.messages)  # a flush refuses older ones
            topic, payload = (batch.message(reject.id).topic, batch.message(reject.id).payload) if known else ("", b"")
            letters.append(DeadLetter(now, reject.stage, reject.reason, reject.id, topic, payload))
        return letters

    async def _settle(self, batch: Batch, results: int, rejected: int) -> None:
        async with self._in_order:
            if batch.messages:
                free = self._books.ledger.settle(batch)
                self._books.stats.settled_batch(batch, results, rejected, self._clock.monotonic())
                if free:
                    await self._ends.source.ack(free)
        if self._books.ledger.idle:
            self._quiet.set()
        self._dispatch()
