"""Batches on their way through the engine: pass after pass, in the order of their start."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from riotd.messages import Batch, Crossing, Cut, Outcome, Portion
from riotd.ports import Engine
from riotd.stats import Stats


@dataclass
class Flight:
    """A batch on its way through the engine, level after level.

    Attributes:
        batch: without messages for a tick, and for the end of the stream.
        kind: what its portions are beside their records: {"tick": True}, {"end": True}, {"snapshot": True}, or nothing.
        now: Unix seconds at dispatch.
        waiting: answers of the level it is at, by shard, each with what its portion handed to the entrances.
        outcomes: of the levels it has passed, and of this one as far as they have come.
        onward: records for the levels to come.
        heard: whether its results are with the sinks already, but for those that were rewound.
        cut: for a snapshot, who waits for it.
        sequence: for a snapshot, id of the first message behind it.
        through: whether it has left the engine.
    """

    batch: Batch
    kind: dict[str, bool]
    now: float
    waiting: list[tuple[int, "asyncio.Future[Outcome]", list[int]]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    onward: list[Crossing] = field(default_factory=list)
    heard: bool = False
    cut: "asyncio.Future[Cut] | None" = None
    sequence: int = 0
    through: bool = False


class Flights:
    """What is in the engine, and who waits for it.

    Flights go through each pass of the plan in the order of their start: what the shards have for stages of another key
    is collected of a whole batch before any of it goes on. They land in that order too.

    Args:
        engine: where they go.
        stats: told of every answer.
        passes: of the plan.
        land: awaited for each flight that has left the engine; the next one waits for it.
        answered: called after every answer of the engine.

    Attributes:
        answers: portions the engine has answered; grows as long as it works.
        in_engine: portions of each shard that it has not.
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
        self._engine, self._stats, self._passes = engine, stats, passes
        self._land, self._told = land, answered
        self._stops: list[asyncio.Queue[Flight | None]] = []  # one for each pass; bounded by the pump's credits
        self._group: asyncio.TaskGroup

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Have tasks of this group see to the flights."""
        self._group = group
        self._lay_out()

    def go_over(self, passes: int) -> None:
        """Another plan, with so many passes; nothing is in the engine."""
        self._passes = passes
        self._lay_out()

    def start(self, flight: Flight, portions: dict[int, Portion]) -> None:
        """Begin a flight with its first pass."""
        self._send(flight, portions)
        self._stops[0].put_nowait(flight)

    def finish(self) -> None:
        """No more flights; the tasks end behind those there are."""
        self._stops[0].put_nowait(None)

    def bare(self, kind: dict[str, bool], now: float, *, level: int = 0) -> dict[int, Portion]:
        """A portion without messages for every shard."""
        return {
            shard: Portion(-1, now, [], [], [], level=level, **kind)  # type: ignore[arg-type]  # its flags
            for shard in range(self._engine.shards)
        }

    def _lay_out(self) -> None:
        """See that there is somebody to collect each pass's outcomes."""
        while len(self._stops) < self._passes:
            self._stops.append(asyncio.Queue())
            self._group.create_task(self._collect(len(self._stops) - 1), name=f"pass {len(self._stops) - 1}")

    def _send(self, flight: Flight, portions: dict[int, Portion]) -> None:
        flight.waiting = []
        for shard, portion in sorted(portions.items()):
            outcome = asyncio.ensure_future(self._engine.submit(shard, portion))
            self.in_engine[shard] += 1
            outcome.add_done_callback(self._answered(shard))
            flight.waiting.append((shard, outcome, self._stats.handed(portion)))

    def _answered(self, shard: int) -> Any:  # noqa: ANN401 - a callback
        def done(future: "asyncio.Future[Outcome]") -> None:
            self.in_engine[shard] -= 1
            self.answers += 1
            if not future.cancelled() and future.exception() is None:
                self._told()

        return done

    async def _collect(self, level: int) -> None:
        """Collect a pass's outcomes in the flights' order, and start their next pass, or have them land."""
        while (flight := await self._stops[level].get()) is not None:
            for shard, future, handed in flight.waiting:
                outcome = await future
                self._stats.outcome(shard, outcome, handed)
                self.timed[shard] = outcome.timed
                flight.outcomes.append(outcome)
                flight.onward += outcome.onward
            if level + 1 < self._passes:
                self._send(flight, self._next(flight, level + 1))
                self._stops[level + 1].put_nowait(flight)
            else:
                await self._land(flight)
        if level + 1 < len(self._stops):
            self._stops[level + 1].put_nowait(None)

    def _next(self, flight: Flight, level: int) -> dict[int, Portion]:
        """The portions of a flight's next pass: for shards that have records to come, or that all must hear."""
        portions = self.bare(flight.kind, flight.now, level=level) if flight.kind else {}
        for crossing in flight.onward:
            if crossing.level == level:
                portion = portions.get(crossing.shard)
                if portion is None:
                    portion = Portion(flight.batch.id, flight.now, [], [], [], level=level)
                    portions[crossing.shard] = portion
                portion.arrivals.append(crossing)
        return portions
