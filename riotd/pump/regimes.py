"""From one number of shards to another in the pump's books: placement, limits, passes, and what is counted."""

from riotd.placement import EVERYWHERE, Placement, Transfer, placed
from riotd.pump.books import Books, Regime
from riotd.pump.flights import Flight, Flights
from riotd.pump.launching import Launches
from riotd.segments import entrances, passes


class Regimes:
    """Has the books keep to a regime, between two batches.

    Args:
        books: that batches are made by.
        flights: that go by the placement.
        launches: of what must be heard between the batches before and those behind.

    Attributes:
        max_in_flight: bytes, as the present regime has them.
    """

    def __init__(self, books: Books, flights: Flights, launches: Launches) -> None:
        self.max_in_flight = books.max_in_flight
        self._books, self._flights, self._launches = books, flights, launches

    def passes_change(self, regime: Regime) -> bool:
        """Whether batches make more passes, or fewer, for which nothing may be in the engine."""
        return passes(regime.plan) != self._flights.passes

    def begin_with(self, regime: Regime) -> None:
        """Before there is any batch: with as many shards as the plan says."""
        self._books.partitioner.placement = placed(regime.plan.shards)
        self._adopt(regime)
        self.count(regime.plan.shards)

    def go_over(self, regime: Regime) -> Flight:
        """Have the next batch go to as many shards as the plan says; what is through once those before it are.

        Those that come are given a copy of what every shard has. Those that go are counted until `count` says else.
        """
        before, shards = self._books.partitioner.placement, regime.plan.shards
        self.count(max(shards, before.shards))
        self._adopt(regime)
        self._books.partitioner.placement = Placement(shards, before.table)
        for shard in range(before.shards, shards):
            self._launches.transfer(Transfer(EVERYWHERE, 0, shard))
        return self._launches.mark()

    def count(self, shards: int) -> None:
        """See that there is a place for each shard in what is counted, and none more."""
        self._flights.resize(shards)
        self._books.stats.resize(shards)

    def _adopt(self, regime: Regime) -> None:
        plan, books = regime.plan, self._books
        if self.passes_change(regime):
            books.stats.replan([stage.id for stage in plan.stages], entrances(plan))
            self._flights.go_over(passes(plan))
        books.batcher.limits = regime.limits
        self.max_in_flight = regime.max_in_flight or self.max_in_flight
        books.budget.adjust(regime.memory)
