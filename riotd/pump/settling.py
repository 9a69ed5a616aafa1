"""From the engine to the end: results to the sinks, refusals to the dead letters, messages to acknowledgement."""

import asyncio
from collections.abc import Awaitable, Callable

from riotd.budget import weight
from riotd.clock import Clock
from riotd.messages import ENGINE, REJECTS
from riotd.pump.books import Before, Books
from riotd.pump.flights import Flight
from riotd.pump.outgoing import Ends, letters, with_topics


class Deliveries:
    """Deliveries start in the order of the flights, and may overlap; acknowledgements go out for the finished prefix.

    Args:
        ends: where things go; may be replaced while nothing is on the way.
        books: told what became of the messages.
        clock: for latencies, and for the time on dead letters.
        settled: called when a flight is done with.

    Attributes:
        before: the earlier life, whose results need not go out again.
    """

    def __init__(self, ends: Ends, books: Books, *, clock: Clock, settled: Callable[[Flight], None]) -> None:
        self.ends = ends
        self.before = Before()
        self._books, self._clock, self._settled = books, clock, settled
        self._under_way: set[asyncio.Task[None]] = set()
        self._in_order = asyncio.Lock()
        self._group: asyncio.TaskGroup

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Have tasks of this group deliver."""
        self._group = group

    async def land(self, flight: Flight) -> None:
        """Start a flight's delivery, in the order of the flights; one that is a cut waits for those before it."""
        if flight.cut is not None and self._under_way:
            await asyncio.wait(self._under_way)
        delivery = self._group.create_task(self._deliver(flight), name=f"batch {flight.batch.id}")
        self._under_way.add(delivery)
        delivery.add_done_callback(self._under_way.discard)
        if flight.cut is not None:
            await asyncio.wait({delivery})

    async def _deliver(self, flight: Flight) -> None:
        batch, outcomes = flight.batch, flight.outcomes
        if flight.passes > 1 and self._books.partitioner.topics:  # results of later passes do not know theirs
            outcomes = [with_topics(batch, outcome) for outcome in outcomes]
        rejects = [reject for outcome in outcomes for reject in outcome.rejects]
        self._books.ledger.reject(batch, [reject.id for reject in rejects])
        if guilty := {reject.id: reject.reason for reject in rejects if reject.stage == ENGINE}:
            self.before.convicted(guilty)
        rewound = self.before.rewound
        sending: list[Awaitable[None]] = [
            sink.send(results)
            for index, (sink, results) in enumerate(self.ends.by_sink(outcomes))
            if results and not (flight.heard and index not in rewound)
        ]
        if rejects and not (flight.heard and REJECTS not in rewound):
            sending.append(self.ends.rejects.send(letters(batch, rejects, self._clock.wall())))
        size = weight(outcomes)
        self._books.budget.results += size
        # Always as tasks, even a single one: started at once it would overtake those of the batch before.
        await asyncio.gather(*sending)
        self._books.budget.results -= size
        if flight.cut is not None and not flight.cut.done():
            flight.cut.set_result(self.ends.cut(flight.sequence, [outcome.state for outcome in outcomes]))
        await self._settle(flight, sum(len(outcome.results) for outcome in outcomes), len(rejects))

    async def _settle(self, flight: Flight, results: int, rejected: int) -> None:
        async with self._in_order:
            if flight.batch.messages:
                free = self._books.ledger.settle(flight.batch)
                self._books.stats.settled_batch(flight.batch, results, rejected, self._clock.monotonic())
                if free:
                    await self.ends.source.ack(free)
        self._settled(flight)
