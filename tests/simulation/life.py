"""One life of the daemon: its real parts between simulated ends, in the order in which the supervisor starts them."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from riotd.batching import Batcher, Limits
from riotd.channels import Channels
from riotd.keeping import Keeper
from riotd.ledger import Ledger
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.pump import Books, Ends, Pump, Regime
from riotd.rescaling import Rescaler
from riotd.segments import entrances, passes
from riotd.sources.journaled import Journaled
from riotd.sources.merged import Merged
from riotd.stats import Stats
from riotd.wiring import Service
from tests.simulation.ends import SimulatedEngine, sink
from tests.simulation.files import SimulatedFile
from tests.simulation.loop import SimulatedLoop
from tests.simulation.network import Broker, SimulatedMqtt
from tests.simulation.outside import SimulatedClock
from tests.simulation.scenario import Scenario
from tests.simulation.surroundings import Surroundings

_LOOK = 0.5
"""Seconds between looks whether all is done."""


class Life(Service):
    """The daemon's parts as `Service` connects them, with its own ways of going on where an earlier life ended.

    Args:
        of: what it lives in.
        loop: on which.
        number: which life it is.
        clock: its clock.
        shards: how many this time.
        folder: for the one page that is mapped.
    """

    def __init__(  # no config: the seed's scenario says what is connected
        self, of: Surroundings, loop: SimulatedLoop, number: int, *, clock: SimulatedClock, shards: int, folder: Path
    ) -> None:
        self._of, self._loop, self._clock = of, loop, clock
        scenario: Scenario = of.scenario
        self.plan = scenario.plan(shards)
        self.inputs: dict[str, SimulatedMqtt | SimulatedFile] = {
            name: SimulatedMqtt(origin, loop, of.say, trouble=scenario.trouble)
            if isinstance(origin, Broker)
            else SimulatedFile(origin, loop)
            for name, origin in of.origins.items()
        }
        self._resumable = frozenset(
            index for index, source in enumerate(self.inputs.values()) if isinstance(source, SimulatedFile)
        )
        self._sinks = [sink(place, loop, number) for place in of.places]
        self._letters = sink(of.letters, loop, number)
        names = [outlet.sink for outlet in self.plan.outlets]
        self.keeper = Keeper(
            folder, dict(zip(names, self._sinks, strict=True)), every=scenario.every, quota=scenario.quota, clock=clock
        )
        self.keeper.rejects = self._letters
        self.keeper.log._limit = scenario.segment
        self.source = next(iter(self.inputs.values())) if len(self.inputs) == 1 else Merged(self.inputs)
        if scenario.journal:
            self.source = Journaled(self.source, self.keeper.writer, clock, room=self.keeper.room)
        self.engine = SimulatedEngine(self.plan, loop)
        self.pump = Pump(Ends(self.source, self.engine, self._sinks, self._letters), self._books(), clock=clock)
        self.rescaler = Rescaler(self.pump, self.engine, self.regime)
        self.settled = 0

    async def live(self, *, stop_after: float | None) -> None:
        """As `Supervisor` does, until all is done, or for so many seconds."""
        keeper = self.keeper
        assert keeper is not None
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            await keeper.open()
            stack.push_async_callback(keeper.leave)
            self.settled = keeper.log.settled
            await stack.enter_async_context(self.engine)
            for each in (*self._sinks, self._letters):
                await stack.enter_async_context(each)
            before = await self.resume()
            assert before is not None
            self._of.histories.begin(keeper.first, before.states)
            await stack.enter_async_context(self.source)
            await self.begin()
            beside = [group.create_task(keeper.run(self.pump), name="snapshots")]
            beside.append(group.create_task(self._stop(stop_after), name="stop"))
            beside.append(group.create_task(self._rescale(), name="rescale"))
            beside.append(group.create_task(self._of.trouble(self._loop), name="trouble"))
            await self.pump.run(before)
            for task in beside:
                task.cancel()
            await keeper.finish(self.pump.last_cut)

    def die(self, *, power: bool) -> None:
        """What is left of it outside."""
        for source in self.inputs.values():
            source.lose()
        for place in (*self._of.places, self._of.letters):
            place.die(power=power)

    def _books(self) -> Books:
        scenario = self._of.scenario
        plan = self.plan
        keyings = [Keying(None if feed.every else by_topic_level(0)) for feed in scenario.feeds]
        return Books(
            Batcher(self._limits(), first_id=0),
            Partitioner(*keyings, shards=plan.shards, topics=any(outlet.topics for outlet in plan.outlets)),
            Stats([stage.id for stage in plan.stages], shards=plan.shards, now=0.0, entrances=entrances(plan)),
            scenario.max_in_flight,
            passes(plan),
            self.source if isinstance(self.source, Journaled) else None,
            ledger=Ledger(Channels({feed.name or "source": ("+",) for feed in scenario.feeds})),
            kept=True,
        )

    async def _rescale(self) -> None:
        """Now and then another number of shards."""
        while self._of.scenario.rescales and not self._of.all_said():
            await asyncio.sleep(self._loop.random.expovariate(self._of.scenario.rescales))
            change = self.rescaler.plan(self._loop.random.choice((1, 2, 3, 5)))
            self._of.say(f"{change.before} shards become {change.shards}, {len(change.moves)} key-groups move")
            await self.rescaler.carry_out(change)
            await self._remember(change.shards)

    def regime(self, shards: int) -> Regime:
        """As `Rescaler` asks for it."""
        return Regime(self._of.scenario.plan(shards), self._limits())

    async def _remember(self, shards: int) -> None:
        """As `Service` does."""
        assert self.keeper is not None
        await self.keeper.remember_shards(self.plan.shards, shards)

    def _limits(self) -> Limits:
        return Limits(self._of.scenario.records, 10**5, 0.002)

    async def _stop(self, after: float | None) -> None:
        """Stop in good order, after so many seconds, or when there is nothing left to do."""
        if after is not None:
            await asyncio.sleep(after)
        else:
            while not (self._of.all_said() and not self.pump.ledger.in_flight):  # noqa: ASYNC110 - a simulated second is free
                await asyncio.sleep(_LOOK)
            await asyncio.sleep(10.0)  # for tasks that wait for time to pass
        await self.pump.stop()
