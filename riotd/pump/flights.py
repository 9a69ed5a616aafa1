"""Batches on their way through the engine: pass after pass, in the order of their start."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

import msgspec

from riotd.messages import Batch, Crossing, Cut, Outcome, Portion
from riotd.placement import Placement, Transfer
from riotd.ports import Engine
from riotd.pump.gates import Gate, pass_on
from riotd.stats import Stats


@dataclass
class Flight:
    """A batch on its way through the engine, level after level.

    Attributes:
        batch: without messages for a tick, a transfer, and for the end of the stream.
        kind: what its portions are beside their records: {"tick": True}, {"end": True}, {"snapshot": True}, or nothing.
        now: Unix seconds at dispatch.
        placement: where the key-groups are, as far as this batch goes; at all its levels the same.
        waiting: answers of the level it is at, by shard, each with what its portion handed to the entrances.
        outcomes: of the levels it has passed, and of this one as far as they have come.
        onward: records for the levels to come.
        passes: it makes, as the plan has them when it starts.
        heard: whether its results are with the sinks already, but for those that were rewound.
        cut: for a snapshot, who waits for it.
        sequence: for a snapshot, id of the first message behind it.
        transfer: state that goes from shard to shard between the batches before and those behind.
        gap: seconds for which a transfer held back what was for its key-group, at the level where it was longest.
        through: done when it has left the engine.
    """

    batch: Batch
    kind: dict[str, bool]
    now: float
    placement: Placement
    waiting: list[tuple[int, "asyncio.Future[Outcome]", list[int]]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    onward: list[Crossing] = field(default_factory=list)
    passes: int = 1
    heard: bool = False
    cut: "asyncio.Future[Cut] | None" = None
    sequence: int = 0
    transfer: Transfer | None = None
    gap: float = 0.0
    through: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def bare(self, level: int = 0, **more: Any) -> Portion:  # noqa: ANN401 - what else `Portion` takes
        """A portion without messages."""
        return Portion(
            -1, self.now, [], [], [], level=level, shards=self.placement.shards, table=self.placement.told, **more
        )


class Flights:
    """What is in the engine, and who waits for it.

    Flights go through each pass of the plan in the order of their start: what the shards have for stages of another key
    is collected of a whole batch before any of it goes on. They land in that order too.

    A transfer goes from level to level likewise. At each, the shard that has the state gives it behind the batches
    before; the batches behind go on to all shards but the one that is to have it, whose share waits until it has.

    Args:
        engine: where they go.
        stats: told of every answer.
        passes: of the plan.
        land: awaited for each flight that has left the engine; the next one waits for it.
        answered: called after every answer of the engine.

    Attributes:
        answers: portions the engine has answered; grows as long as it works.
        in_engine: portions of each shard that it has not; those that are held back are among them.
        timed: of each shard, how many task instances wait for time to pass, as far as it has said.
    """

    def __init__(
        self,
        engine: Engine,
        stats: Stats,
        *,
        passes: int,
        land: "Callable[[Flight], Awaitable[None]]",
        answered: Callable[[], None],
    ) -> None:
        self.answers = 0
        self.in_engine = [0] * engine.shards
        self.timed = [1] * engine.shards  # restored tasks may wait: only answers tell
        self.passes = passes
        self._engine, self._stats = engine, stats
        self._land, self._told = land, answered
        self._stops: list[asyncio.Queue[Flight | None]] = []  # one for each pass; bounded by the pump's credits
        self._gates: dict[tuple[int, int], Gate] = {}  # by shard and level; at most one for each shard that joins
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._group: asyncio.TaskGroup

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Have tasks of this group see to the flights."""
        self._group = group
        self._lay_out()

    def go_over(self, passes: int) -> None:
        """Another number of passes; nothing is in the engine."""
        self.passes = passes
        if self._stops:
            self._lay_out()

    def resize(self, shards: int) -> None:
        """The engine has another number of shards; nothing is on its way to those that are gone."""
        more = max(shards - len(self.in_engine), 0)
        self.in_engine = self.in_engine[:shards] + [0] * more
        self.timed = self.timed[:shards] + [1] * more

    def start(self, flight: Flight, portions: dict[int, Portion]) -> None:
        """Begin a flight with its first pass."""
        flight.passes = self.passes
        self._inside += 1
        self._empty.clear()
        self._send(flight, 0, portions)
        self._stops[0].put_nowait(flight)

    async def emptied(self) -> None:
        """Return when none is in the engine."""
        while self._inside:
            await self._empty.wait()

    def finish(self) -> None:
        """No more flights; the tasks end behind those there are."""
        self._stops[0].put_nowait(None)

    def _lay_out(self) -> None:
        """See that there is somebody to collect each pass's outcomes."""
        while len(self._stops) < self.passes:
            self._stops.append(asyncio.Queue())
            self._group.create_task(self._collect(len(self._stops) - 1), name=f"pass {len(self._stops) - 1}")

    def _send(self, flight: Flight, level: int, portions: dict[int, Portion]) -> None:
        if flight.transfer is not None:
            self._transfer(flight, flight.transfer, level)
            return
        flight.waiting = [
            (shard, self._submitted(shard, portion), self._stats.handed(portion))
            for shard, portion in sorted(portions.items())
        ]

    def _submitted(self, shard: int, portion: Portion) -> "asyncio.Future[Outcome]":
        """What a shard makes of a portion, which it gets now, or when the gate before it opens."""
        gate = self._gates.get((shard, portion.level))
        answer = gate.hold(portion) if gate else asyncio.ensure_future(self._engine.submit(shard, portion))
        self.in_engine[shard] += 1
        answer.add_done_callback(partial(self._answered, shard))
        return answer

    def _answered(self, shard: int, answer: "asyncio.Future[Outcome]") -> None:
        self.in_engine[shard] -= 1
        self.answers += 1
        if not answer.cancelled() and answer.exception() is None:
            self._told()

    def _transfer(self, flight: Flight, transfer: Transfer, level: int) -> None:
        """Ask one shard for its state, and hold back what is for the other."""
        self._gates[transfer.target, level] = Gate(perf_counter())
        given = self._submitted(transfer.source, flight.bare(level, gives=transfer.group))
        taken: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        flight.waiting = [(transfer.source, given, []), (transfer.target, taken, [])]
        given.add_done_callback(partial(self._hand_over, flight, transfer.target, level, taken))

    def _hand_over(
        self,
        flight: Flight,
        target: int,
        level: int,
        taken: "asyncio.Future[Outcome]",
        given: "asyncio.Future[Outcome]",
    ) -> None:
        """Send the other shard the state, and behind it what was held back."""
        if given.cancelled() or given.exception() is not None:
            return  # whoever collects it ends the pump
        gate = self._gates.pop((target, level))
        pass_on(self._submitted(target, flight.bare(level, takes=given.result().state)), taken)
        taken.add_done_callback(partial(self._measured, flight, gate.since))
        gate.open(partial(self._engine.submit, target))

    def _measured(self, flight: Flight, since: float, _taken: "asyncio.Future[Outcome]") -> None:
        flight.gap = max(flight.gap, perf_counter() - since)

    async def _collect(self, level: int) -> None:
        """Collect a pass's outcomes in the flights' order, and start their next pass, or have them land."""
        while (flight := await self._stops[level].get()) is not None:
            for shard, future, handed in flight.waiting:
                outcome = await future
                self._stats.outcome(shard, outcome, handed)
                self.timed[shard] = outcome.timed
                flight.outcomes.append(outcome)
                flight.onward += outcome.onward
            if level + 1 < flight.passes:
                self._send(flight, level + 1, self._next(flight, level + 1))
                self._stops[level + 1].put_nowait(flight)
            else:
                self._inside -= 1
                if not self._inside:
                    self._empty.set()
                await self._land(flight)
        if level + 1 < len(self._stops):
            self._stops[level + 1].put_nowait(None)

    def _next(self, flight: Flight, level: int) -> dict[int, Portion]:
        """The portions of a flight's next pass: for shards that have records to come, or that all must hear."""
        portions: dict[int, Portion] = {}
        if flight.kind:
            portions = {shard: flight.bare(level, **flight.kind) for shard in range(flight.placement.shards)}
        for crossing in flight.onward:
            if crossing.level == level:
                portion = portions.get(crossing.shard)
                if portion is None:
                    portion = msgspec.structs.replace(flight.bare(level), batch=flight.batch.id)
                    portions[crossing.shard] = portion
                portion.arrivals.append(crossing)
        return portions
