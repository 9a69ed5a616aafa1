"""The pump: source → batches → engine → sinks → acknowledgement, in order, within credits."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from riotd.alarms import Alarm, Alarms
from riotd.batching import Limits
from riotd.clock import Clock
from riotd.dataflow import Plan
from riotd.ledger import Ledger
from riotd.messages import Cut, Message
from riotd.placement import Placement, Transfer
from riotd.ports import RejectSink, Sink
from riotd.pump.books import Before, Books, Regime
from riotd.pump.flights import Flight, Flights
from riotd.pump.launching import Launches
from riotd.pump.outgoing import Ends
from riotd.pump.regimes import Regimes
from riotd.pump.returning import go_back
from riotd.pump.settling import Deliveries
from riotd.segments import entrances, passes

_PER_SHARD = 2
"""Portions a shard has at once under full load: one it works on, one that waits, so that it never idles for want of
the loop. While batches are not full, one: what comes meanwhile waits less in one batch behind it than in two.
"""
_TIMER_GRAIN = 0.0005
"""uvloop's timers count whole milliseconds; asking half of one ahead spares a spin until the exact instant."""
_TICK = 1.0
"""Seconds between ticks: the books are looked through, and tasks told the time that wait for it."""
log = logging.getLogger("riotd.pump")


class Pump:
    """Moves messages until its source ends or `stop` is called, then until everything in flight is settled.

    Order: batches are dispatched, sent and acknowledged in the order of arrival. Bounds: two portions a shard,
    `max_in_flight` bytes in all; when spent, it stops receiving. Cancelled: what is in flight stays unacknowledged.
    Failing: an engine that gave up, or a bug, ends `run` with that error.
    """

    def __init__(self, ends: Ends, books: Books, *, clock: Clock) -> None:
        self._engine, self._source = ends.engine, ends.source
        self._books = books
        self._clock = clock
        self._deliveries = Deliveries(ends, books, clock=clock, settled=self._settled)
        self._flights = Flights(ends.engine, books.stats, passes=books.passes, land=self._land, answered=self._dispatch)
        self._launches = Launches(books, self._flights, clock=clock)
        self._regimes = Regimes(books, self._flights, self._launches)
        self._ticking = False
        self._room = asyncio.Event()
        self._room.set()
        self._news = asyncio.Event()
        self._changing = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._held = False
        self.stopped = False
        """Whether it takes in no more."""
        self._alarms = Alarms()
        self.caught_up = asyncio.Event()
        """Set once all that an earlier life did is under way again."""
        self.finishing = False
        """Whether nothing more is launched but what ends the run."""
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

    @property
    def placement(self) -> Placement:
        """Where the key-groups are."""
        return self._books.partitioner.placement

    async def run(self, before: Before | None = None) -> None:
        """Pump until the source ends; what tasks hold back at the end of a bounded stream is flushed.

        Args:
            before: what was done in an earlier life, and is done again first.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._flights.begin(group)
                self._deliveries.begin(group)
                if before is not None:
                    self._deliveries.before = before
                    await go_back(before, self._books, self._launches, credit=self._wait_for_credit)
                self.caught_up.set()
                self._ticker = asyncio.get_running_loop().call_later(_TICK, self._tick)
                await self._take_in()
                await self._empty()
                self._ticker.cancel()
                await self._finish()
        finally:
            self._held = self.finishing = True  # whatever still answers launches nothing more
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
        async with self._changing:
            cut = self._launches.cut()
        return await cut

    def begin_with(self, regime: Regime) -> None:
        """Before `run`: with as many shards as the plan says, which the engine has."""
        self._regimes.begin_with(regime)

    def beginning(self) -> Cut:
        """Before `run`, in a first life: the state of everything when nothing was done yet."""
        return self._deliveries.ends.cut(self._books.batcher.next, [])

    async def stop(self) -> None:
        """Take in no more; `run` returns when all is settled. Safe to call twice."""
        self.stopped = True
        await self._source.stop()

    async def swap(self, plan: Plan, limits: Limits, sinks: Sequence[Sink], rejects: RejectSink) -> None:
        """Go over to another plan and other sinks at a batch boundary; nothing is lost, order is kept."""
        async with self._changing:
            self._held = True
            try:
                await self._launches.quiet.wait()
                await self._engine.reconfigure(plan)
                self._deliveries.ends = Ends(self._source, self._engine, sinks, rejects)
                self._books.stats.replan([stage.id for stage in plan.stages], entrances(plan))
                self._books.partitioner.topics = any(outlet.topics for outlet in plan.outlets)
                self._books.batcher.limits = limits
                self._flights.go_over(passes(plan))
            finally:
                self._held = False
                self._dispatch()

    async def resize(self, regime: Regime) -> None:
        """Go on with as many shards as the plan says, from the next batch on; nothing stops.

        More must be there in the engine already: they have no key-groups yet, and hear what every shard hears. Fewer
        must be without key-groups: when this returns, nothing is on its way to the others any more. Batches make more
        passes, or fewer, when a second shard comes or the last but one goes: for that the engine finishes what it has.
        """
        async with self._changing:
            self._held = self._regimes.passes_change(regime)
            try:
                if self._held:
                    await self._flights.emptied()
                last = None if self.finishing else self._regimes.go_over(regime)
            finally:
                self._held = False
                self._dispatch()
            if last is not None:
                await last.through
                self._regimes.count(regime.plan.shards)

    async def move(self, transfer: Transfer) -> float:
        """Move a key-group between two batches, with its state; only what is for its new shard waits meanwhile.

        Returns:
            For how many seconds what is for the group was held back.
        """
        async with self._changing:
            if self.finishing:
                return 0.0
            flight = self._launches.transfer(transfer)
        await flight.through
        return flight.gap

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
        for shard, groups in zip(report["shards"], self.placement.groups, strict=False):
            shard["groups"] = groups
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
            messages = await self._source.receive()
            if not messages:
                return
            self._books.ledger.receive(len(messages))
            self._books.batcher.add(messages)
            self._dispatch()

    async def _empty(self) -> None:
        """Dispatch what still waits, as the credits come back."""
        while len(self._books.batcher):
            await self._wait_for_credit()
            if len(self._books.batcher):
                self._launches.batch(self._books.batcher.take())

    async def _finish(self) -> None:
        """Launch what ends the run, behind all there is: the tasks' flush, or the last snapshot."""
        self.finishing = True
        ending = None
        if not self.stopped:
            self._launches.everywhere({"end": True})
        elif self._books.kept:
            ending = self._launches.cut()
        self._flights.finish()
        self.last_cut = None if ending is None else await ending

    def _credit(self, portions: int = _PER_SHARD) -> bool:
        """Whether another batch may be launched, if shards have fewer portions than this."""
        books = self._books
        in_flight = books.ledger.in_flight_bytes
        return (
            not self._held
            and max(self._flights.in_engine) < portions
            and in_flight < self._regimes.max_in_flight
            and (books.budget.room() or not in_flight)
        )

    async def _wait_for_credit(self) -> None:
        while not self._credit():
            self._news.clear()
            await self._news.wait()

    def _dispatch(self) -> None:
        """Launch what is ready, as far as credits go; else see that it is asked again."""
        self._news.set()
        batcher, now = self._books.batcher, self._clock.monotonic() + _TIMER_GRAIN
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while (credit := self._credit(_PER_SHARD if batcher.full() else 1)) and batcher.ready(now):
            self._launches.batch(batcher.take())
        due = batcher.due()
        if credit and due is not None:
            self._timer = asyncio.get_running_loop().call_later(max(due - now, 0.0), self._dispatch)
        if credit or not batcher.full():
            self._room.set()
        else:
            self._room.clear()

    def _tick(self) -> None:
        """Look through the books; tell the shards what time it is, if tasks wait for it; see that it is done again."""
        self.audit()
        if any(self._flights.timed) and not self._ticking and not self._held:
            self._ticking = True
            self._launches.tick()
        self._ticker = asyncio.get_running_loop().call_later(_TICK, self._tick)

    async def _land(self, flight: Flight) -> None:
        flight.through.set_result(None)
        self._news.set()
        await self._deliveries.land(flight)

    def _settled(self, flight: Flight) -> None:
        self._launches.settled()
        if not flight.batch.messages:
            self._ticking = False
        self._dispatch()
