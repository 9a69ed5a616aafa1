"""The pump: source → batches → engine → sinks → acknowledgement, in order, within credits."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from riotd.alarms import Alarm, Alarms
from riotd.batching import Batcher, Limits
from riotd.budget import Budget, weight
from riotd.clock import Clock
from riotd.dataflow import Plan
from riotd.flights import Flight, Flights
from riotd.ledger import Ledger
from riotd.messages import REJECTS, Batch, Cut, Message, Outcome, Past, Portion, Reject
from riotd.outgoing import Ends, letters, with_topics
from riotd.partitioning import Partitioner
from riotd.ports import Diary, RejectSink, Sink
from riotd.segments import entrances, passes
from riotd.stats import Stats

__all__ = ["Before", "Books", "Ends", "Pump"]

_PER_SHARD = 2
"""Portions a shard has at once: one it works on, one that waits, so that it never idles for want of the loop."""
_TIMER_GRAIN = 0.0005
"""uvloop's timers count whole milliseconds; asking half of one ahead spares a spin until the exact instant."""
STAGE = "daemon"
"""The stage that the daemon's own refusals name."""
_TICK = 1.0
"""Seconds between ticks: the books are looked through, and tasks told the time that wait for it."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Books:
    """What the pump decides by; with `kept`, state outlives the daemon, and `stop` ends with a cut."""

    batcher: Batcher
    partitioner: Partitioner
    stats: Stats
    max_in_flight: int
    passes: int = 1
    diary: Diary | None = None
    ledger: Ledger = field(default_factory=Ledger)
    kept: bool = False
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class Before:
    """What is left of the daemon's earlier life.

    Attributes:
        states: snapshots of the shards.
        past: what was done since, in order; read as it is done again.
        settled: results of messages below this id are with the sinks.
        rewound: indexes of the sinks that have forgotten what they got since the snapshots, `REJECTS` among them.
        received: messages below this id were received then.
        doing: told which message is done alone, 0 when it is done, for the case that the daemon does not outlive it.
    """

    states: Sequence[bytes] = ()
    past: Iterable[Past] = ()
    settled: int = 0
    rewound: frozenset[int] = frozenset()
    received: int = 0
    doing: Callable[[int], None] = lambda _: None


class Pump:
    """Moves messages until its source ends or `stop` is called, then until everything in flight is settled.

    Order: batches are dispatched, sent and acknowledged in the order of arrival. Bounds: two portions a shard,
    `max_in_flight` bytes in all; when spent, it stops receiving. Cancelled: what is in flight stays unacknowledged.
    Failing: an engine that gave up, or a bug, ends `run` with that error.
    """

    def __init__(self, ends: Ends, books: Books, *, clock: Clock) -> None:
        self._ends = ends
        self._books = books
        self._clock = clock
        self._flights = Flights(ends.engine, books.stats, passes=books.passes, land=self._land, answered=self._dispatch)
        self._several = books.passes > 1
        self._flying = 0
        self._ticking = False
        self._room = asyncio.Event()
        self._room.set()
        self._news = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._in_order = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._held = False
        self._stopped = False
        self._before = Before()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._alarms = Alarms()
        self.last_cut: Cut | None = None
        """The state of everything at the end, if `run` ended because of `stop` and state is kept."""

    @property
    def in_engine(self) -> int:
        """Portions the engine has not answered."""
        return sum(self._flights.in_engine)

    @property
    def answered(self) -> int:
        """Portions the engine has answered; grows as long as it works."""
        return self._flights.answers

    async def run(self, before: Before | None = None) -> None:
        """Pump until the source ends; what tasks hold back at the end of a bounded stream is flushed.

        Args:
            before: what was done in an earlier life, and is done again first.
        """
        try:
            async with asyncio.TaskGroup() as self._group:
                self._flights.begin(self._group)
                if before is not None:
                    await self._go_back(before)
                self._ticker = asyncio.get_running_loop().call_later(_TICK, self._tick)
                await self._take_in()
                await self._empty()
                self._ticker.cancel()
                ending = None
                if not self._stopped:
                    self._launch_bare({"end": True})
                elif self._books.kept:
                    ending = self._launch_cut()
                self._flights.finish()
                self.last_cut = None if ending is None else await ending
        finally:
            self._held = True  # whatever still answers launches nothing more
            for timer in (self._timer, self._ticker):
                if timer is not None:
                    timer.cancel()

    def number_from(self, message_id: int) -> None:
        """Give the next message this id; before `run`."""
        self._books.batcher.number_from(message_id)

    async def cut(self) -> Cut:
        """The state of everything between two batches, without holding up the shards.

        Deliveries wait for each other at that place, so that what sinks and source say of themselves is right.
        """
        return await self._launch_cut()

    def beginning(self) -> Cut:
        """Before `run`, in a first life: the state of everything when nothing was done yet."""
        return self._ends.cut(self._books.batcher.next, [])

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
            self._books.stats.replan([stage.id for stage in plan.stages], entrances(plan))
            self._books.partitioner.topics = any(outlet.topics for outlet in plan.outlets)
            self._several = passes(plan) > 1
            self._flights.go_over(passes(plan))
        finally:
            self._held = False
            self._dispatch()

    @property
    def waiting(self) -> Sequence[Message]:
        """What was received and waits for a batch."""
        return self._books.batcher.waiting

    def audit(self) -> list[Alarm]:
        """What does not add up in the books; it is logged when it begins, grows, or ends."""
        books = self._books
        alarms = books.ledger.alarms(books.batcher.waiting) + books.stats.alarms()
        for alarm in self._alarms.news(alarms):
            log.log(logging.ERROR if alarm.residue else logging.INFO, "%s", alarm)
        return alarms

    def report(self, *, look: bool = False) -> dict[str, Any]:
        """The statistics with the ledger, and what is waiting and in flight; begins a new window, or only looks."""
        books = self._books
        report = books.stats.report(self._clock.monotonic(), look=look)
        report["messages"] |= {"received": books.ledger.received, "in_flight": books.ledger.in_flight}
        report["ledger"] = books.ledger.report(books.batcher.waiting)
        report["alarms"] = [str(alarm) for alarm in self.audit()]
        report["memory"] = books.budget.report()
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
        in_flight = books.ledger.in_flight_bytes
        return (
            not self._held
            and max(self._flights.in_engine) < _PER_SHARD
            and in_flight < books.max_in_flight
            and (books.budget.room() or not in_flight)
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

    async def _go_back(self, before: Before) -> None:
        """Be where the earlier life was."""
        self._before = before
        if before.states:
            now = self._clock.wall()
            states = list(before.states)
            shards = range(self._ends.engine.shards)
            portions = {each: Portion(-1, now, [], [], [], states=states, place=each) for each in shards}
            self._submit(Flight(Batch(-1, 0, ()), {}, now), portions)
        past = iter(before.past)
        while (done := await asyncio.to_thread(next, past, None)) is not None:
            while not self._credit():
                self._news.clear()
                await self._news.wait()
            if done.messages:
                self._books.ledger.receive(len(done.messages))
                await self._again(done)
            else:
                self._launch_bare({"tick": True}, done.now)

    async def _again(self, done: Past) -> None:
        """Launch a batch of the earlier life; a message that may have ended that one, with nothing beside it."""
        batch, at = self._books.batcher.again(done.first, done.messages), None if done.fresh else done.now
        if not done.alone:
            self._launch(batch, at, refusal=done.refusal)
            return
        await self._quiet.wait()
        self._before.doing(done.first)
        flight = self._launch(batch, at)
        while not flight.through:
            self._news.clear()
            await self._news.wait()
        self._before.doing(0)

    def _launch(self, batch: Batch, at: float | None = None, *, refusal: str = "") -> Flight:
        """Send a batch to the shards, one of an earlier life as if it were that time again; or refuse it unseen."""
        books = self._books
        now = self._clock.wall() if at is None else at
        portions = {0: _unseen(batch, now)} if refusal else books.partitioner.split(batch, now)
        books.ledger.open(batch, known_below=self._before.received)
        books.stats.dispatched(batch, portions, self._clock.monotonic())
        if books.diary is not None and at is None:
            books.diary.dispatched(batch, now)
        heard = batch.first + len(batch.messages) <= self._before.settled
        refused = [Outcome(batch.id, [], [Reject(STAGE, batch.first, refusal)], [])] if refusal else []
        flight = Flight(batch, {}, now, outcomes=refused, heard=heard)
        self._submit(flight, {} if refusal else portions)
        return flight

    def _launch_bare(self, kind: dict[str, bool], at: float | None = None) -> None:
        """Send every shard a portion without messages; an empty batch carries what comes of it."""
        now = self._clock.wall() if at is None else at
        self._submit(Flight(Batch(-1, 0, ()), kind, now), self._flights.bare(kind, now))

    def _launch_cut(self) -> "asyncio.Future[Cut]":
        """Ask every shard for its state behind what it has been sent so far."""
        cut: asyncio.Future[Cut] = asyncio.get_running_loop().create_future()
        kind, now = {"snapshot": True}, self._clock.wall()
        flight = Flight(Batch(-1, 0, ()), kind, now, cut=cut, sequence=self._books.batcher.next)
        self._submit(flight, self._flights.bare(kind, now))
        return cut

    def _tick(self) -> None:
        """Look through the books; tell the shards what time it is, if tasks wait for it; see that it is done again."""
        self.audit()
        if any(self._flights.timed) and not self._ticking and not self._held:
            self._ticking = True
            now = self._clock.wall()
            if self._books.diary is not None:
                self._books.diary.ticked(now)
            self._launch_bare({"tick": True}, now)
        self._ticker = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _submit(self, flight: Flight, portions: dict[int, Portion]) -> None:
        self._flying += 1
        self._quiet.clear()
        self._flights.start(flight, portions)

    async def _land(self, flight: Flight) -> None:
        """Start a flight's delivery, in the order of the flights; one that is a cut waits for those before it."""
        flight.through = True
        self._news.set()
        if flight.cut is not None and self._deliveries:
            await asyncio.wait(self._deliveries)
        delivery = self._group.create_task(self._deliver(flight), name=f"batch {flight.batch.id}")
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)
        if flight.cut is not None:
            await asyncio.wait({delivery})

    async def _deliver(self, flight: Flight) -> None:
        batch, outcomes = flight.batch, flight.outcomes
        if self._several and self._books.partitioner.topics:
            outcomes = [with_topics(batch, outcome) for outcome in outcomes]
        rejects = [reject for outcome in outcomes for reject in outcome.rejects]
        self._books.ledger.reject(batch, [reject.id for reject in rejects])
        sending: list[Awaitable[None]] = [
            sink.send(results)
            for index, (sink, results) in enumerate(self._ends.by_sink(outcomes))
            if results and not (flight.heard and index not in self._before.rewound)
        ]
        if rejects and not (flight.heard and REJECTS not in self._before.rewound):
            sending.append(self._ends.rejects.send(letters(batch, rejects, self._clock.wall())))
        size = weight(outcomes)
        self._books.budget.results += size
        # Always as tasks, even a single one: started at once it would overtake those of the batch before.
        await asyncio.gather(*sending)
        self._books.budget.results -= size
        if flight.cut is not None and not flight.cut.done():
            flight.cut.set_result(self._ends.cut(flight.sequence, [outcome.state for outcome in outcomes]))
        await self._settle(batch, sum(len(outcome.results) for outcome in outcomes), len(rejects))

    async def _settle(self, batch: Batch, results: int, rejected: int) -> None:
        async with self._in_order:
            if batch.messages:
                free = self._books.ledger.settle(batch)
                self._books.stats.settled_batch(batch, results, rejected, self._clock.monotonic())
                if free:
                    await self._ends.source.ack(free)
        self._flying -= 1
        if not batch.messages:
            self._ticking = False
        if not self._flying:
            self._quiet.set()
        self._dispatch()


def _unseen(batch: Batch, now: float) -> Portion:
    """A message that nobody is to look into, for the statistics."""
    return Portion(batch.id, now, [batch.first], [""], [b""])
