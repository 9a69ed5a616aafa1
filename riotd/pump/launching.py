"""How flights begin: batches, ticks, snapshots, transfers of state; and when none is left."""

import asyncio

from riotd.clock import Clock
from riotd.messages import Batch, Cut, Outcome, Portion, Reject
from riotd.placement import Transfer
from riotd.pump.books import Before, Books
from riotd.pump.flights import Flight, Flights

STAGE = "daemon"
"""The stage that the daemon's own refusals name."""


class Launches:
    """Sends off flights, and knows how many have not settled.

    Args:
        books: told what goes off.
        flights: where it goes.
        clock: for the time that the shards are told.

    Attributes:
        before: the earlier life, for batches that are done again.
        flying: flights that have not settled.
        quiet: set while there are none.
    """

    def __init__(self, books: Books, flights: Flights, *, clock: Clock) -> None:
        self.before = Before()
        self.flying = 0
        self.quiet = asyncio.Event()
        self.quiet.set()
        self._books, self._flights, self._clock = books, flights, clock

    def settled(self) -> None:
        """A flight has come to its end."""
        self.flying -= 1
        if not self.flying:
            self.quiet.set()

    def batch(self, batch: Batch, at: float | None = None, *, refusal: str = "") -> Flight:
        """Send a batch to the shards, one of an earlier life as if it were that time again; or refuse it unseen."""
        books = self._books
        now = self._clock.wall() if at is None else at
        portions = {0: _unseen(batch, now)} if refusal else books.partitioner.split(batch, now)
        books.ledger.open(batch, known_below=self.before.received)
        books.stats.dispatched(batch, portions, self._clock.monotonic())
        if books.diary is not None and at is None:
            books.diary.dispatched(batch, now)
        flight = self._flight({}, now, batch)
        flight.heard = batch.first + len(batch.messages) <= self.before.settled
        if refusal:
            flight.outcomes.append(Outcome(batch.id, [], [Reject(STAGE, batch.first, refusal)], []))
        self._submit(flight, {} if refusal else portions)
        return flight

    def everywhere(self, kind: dict[str, bool], at: float | None = None) -> None:
        """Send every shard a portion without messages; an empty batch carries what comes of it."""
        flight = self._flight(kind, self._clock.wall() if at is None else at)
        self._submit(flight, _to_all(flight))

    def tick(self) -> None:
        """Tell the shards what time it is, and see that they are told again in another life."""
        now = self._clock.wall()
        if self._books.diary is not None:
            self._books.diary.ticked(now)
        self.everywhere({"tick": True}, now)

    def cut(self) -> "asyncio.Future[Cut]":
        """Ask every shard for its state behind what it has been sent so far."""
        flight = self._flight({"snapshot": True}, self._clock.wall())
        flight.cut = asyncio.get_running_loop().create_future()
        flight.sequence = self._books.batcher.next
        self._submit(flight, _to_all(flight))
        return flight.cut

    def restore(self, states: list[bytes]) -> None:
        """Have every shard go on from its part of the earlier life's state."""
        flight = self._flight({}, self._clock.wall())
        shards = range(flight.placement.shards)
        self._submit(flight, {shard: flight.bare(states=states, place=shard) for shard in shards})

    def transfer(self, transfer: Transfer) -> Flight:
        """Have state go from shard to shard; what follows goes by the new placement."""
        partitioner = self._books.partitioner
        partitioner.placement = partitioner.placement.after(transfer)
        flight = self._flight({}, self._clock.wall())
        flight.transfer = transfer
        self._submit(flight, {})
        return flight

    def mark(self) -> Flight:
        """What goes nowhere: through once all that went off before is."""
        flight = self._flight({}, self._clock.wall())
        self._submit(flight, {})
        return flight

    def _flight(self, kind: dict[str, bool], now: float, batch: Batch | None = None) -> Flight:
        return Flight(batch or Batch(-1, 0, ()), kind, now, self._books.partitioner.placement)

    def _submit(self, flight: Flight, portions: dict[int, Portion]) -> None:
        self.flying += 1
        self.quiet.clear()
        self._flights.start(flight, portions)


def _to_all(flight: Flight) -> dict[int, Portion]:
    return {shard: flight.bare(**flight.kind) for shard in range(flight.placement.shards)}


def _unseen(batch: Batch, now: float) -> Portion:
    """A message that nobody is to look into, for the statistics."""
    return Portion(batch.id, now, [batch.first], [""], [b""])
