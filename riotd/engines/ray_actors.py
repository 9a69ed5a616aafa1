"""Tasks in Ray actors, one a shard; a lost one is replaced without losing, doubling or reordering anything.

Ray reads its environment when it is imported, so it is imported when an engine starts.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from types import TracebackType
from typing import Self

import msgspec

from riotd.dataflow import Plan
from riotd.engines.actors import Actor, Place
from riotd.engines.cluster import Cluster
from riotd.engines.crew import Crew
from riotd.engines.lanes import Lane, Remote
from riotd.engines.line import Exchange
from riotd.errors import ConfigError, EngineError, Mistake, ShardLost
from riotd.messages import Outcome, Portion

_log = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode

_LOOK = 0.25
"""Seconds between two looks whether Ray lives."""
_ATTEMPTS = 3
"""Times another Ray is tried; a start that takes over half a minute, on a machine at its limit, fails by itself."""
_GRACE = 2.0
"""Seconds the end waits for a spare that is still starting: it would outlive its pool by half a minute."""


class RayEngine:
    """Each shard in an actor; keeps `riotd.ports.Engine`.

    Actors are synchronous, single-threaded and have one submitter, which is what keeps order. They never restart by
    Ray's own means (`max_restarts=0`): that takes 2 s, and calls would reach the restarted one before its state
    does. Instead a spare that has loaded the plan's tasks already takes over within milliseconds, see `handover`.
    Actors ask for no logical CPU, so that the pool starts on any machine, and for spreading, so that a cluster is used.

    Portions and outcomes travel over a socket for each worker, see `line`; on a cluster workers must reach this
    machine's address. How much may be in flight is bounded by the caller's credits. A worker that is at one record for
    longer than the deadline, or takes more than its memory, is replaced like one that died. What a shard raises is a
    bug and comes out of the awaitable as EngineError with the worker's traceback. Cancelling it stops nothing.

    Args:
        plan: what the shards run.
        shards: how many.
        address: of a running cluster, `host:port` or `auto`, where riotd must be installed; default a local pool of
            our own. A process that already talks to Ray goes on with that one.
        patience: seconds a worker may take until it is ready.
        deadline: seconds a record may take, but for waiting for something outside; 0 for ever.
        memory: bytes a worker may take of its own; 0 for any.

    Raises:
        ConfigError: Ray is not installed.
        EngineError: on entering, if a stage's task can't be made, or Ray can't be started or reached.
    """

    def __init__(  # noqa: PLR0913 - seven by keyword are the house's limit
        self,
        plan: Plan,
        *,
        shards: int = 1,
        address: str | None = None,
        patience: float = 60.0,
        deadline: float = 0.0,
        memory: int = 0,
    ) -> None:
        if find_spec("ray") is None:
            raise ConfigError([Mistake("engine.type", "ray is not installed", "pip install 'riotd[ray]'")])
        self._cluster = Cluster(address, shards=shards)
        self._crew = Crew(_encode(plan))
        self._exchange = Exchange()
        self._place = Place()
        self._limits, self.deadline, self._patience = (deadline, memory), deadline, patience
        self._running = False
        self._watch: asyncio.TimerHandle | None = None
        self._rebuilding: asyncio.Task[None] | None = None
        self._coming: list[Lane] = []
        self._rebuilt = 0
        self._past: Counter[str] = Counter()
        self._lanes = self._new_lanes(range(shards))

    async def __aenter__(self) -> Self:
        """Start or reach Ray, start the actors, make the tasks in them."""
        try:
            await self._cluster.start(self._place.prepare)
            await self._exchange.open(self._place.host)
            self._crew.assemble(self._worker)
            await asyncio.gather(*(lane.begin() for lane in self._lanes))
            self._crew.stand_by()
            self._running = True
            self._look()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the actors, and Ray if it is ours; what is still in flight raises EngineError."""
        if self._watch is not None:
            self._watch.cancel()
        if self._rebuilding is not None:
            self._rebuilding.cancel()
            await asyncio.wait({self._rebuilding})
        for lane in self._lanes:
            lane.fail(EngineError("the engine was stopped"))
        await self._crew.dismiss(grace=_GRACE if self._cluster.ours else 0.0)
        self._exchange.close()
        await self._cluster.stop()

    @property
    def shards(self) -> int:
        """How many actors there are, the spare not counted."""
        return len(self._lanes)

    def submit(self, shard: int, portion: Portion) -> asyncio.Future[Outcome]:
        """Start now; portions of a shard are processed in the order of the calls. An empty one flushes its tasks."""
        return self._lanes[shard].submit("run", _encode(portion), timed=portion.size > 0)

    async def reconfigure(self, plan: Plan) -> None:
        """Run `plan` from the next `submit` on; raises EngineError, and goes on with the old one, if it can't."""
        data = _encode(plan)
        if self._rebuilding is not None:
            await asyncio.wait({self._rebuilding})
        await self._crew.rehearse(data)
        await asyncio.gather(*(lane.submit("reconfigure", data) for lane in self._lanes))

    def held(self) -> int:
        """As `riotd.ports.Holder.held`: snapshots, and the calls since."""
        return sum([lane.handover.held for lane in self._lanes])

    async def resize(self, shards: int) -> None:
        """As `Engine.resize`; the spare is the first of the new workers.

        The next spare is waited for: while a process starts it takes the cores that state is to move on.
        """
        more = self._new_lanes(range(len(self._lanes), shards))
        if self._running:
            self._coming = more
            try:
                await asyncio.gather(*(lane.begin() for lane in more))
                if more:
                    await self._crew.stocked(self._patience)
            except BaseException:
                for lane in more:
                    lane.fail(EngineError("another new shard has no worker"))
                raise
            finally:
                self._coming = []
        gone = self._lanes[shards:]
        self._lanes = self._lanes[:shards] + more
        for lane in gone:
            self._past.update(_counts(lane))
            lane.fail(EngineError("the shard is there no more"))

    def _new_lanes(self, indexes: range) -> list[Lane]:
        crew, hire, patience, deadline = self._crew, self._hire, self._patience, self.deadline
        return [Lane(f"shard {index}", crew.plan, hire=hire, patience=patience, deadline=deadline) for index in indexes]

    def counters(self) -> Mapping[str, int]:
        """Since start: workers replaced, calls sent again, snapshots kept, Ray rebuilt. Now: in flight per shard."""
        counts = Counter(self._past)
        counts["rebuilt"] = self._rebuilt
        for lane in self._lanes:
            counts.update(_counts(lane))
        return {**counts, **{f"in_flight.{index}": lane.waiting for index, lane in enumerate(self._lanes)}}

    def signs(self) -> object:
        """As `Engine.signs`."""
        return [lane.sign for lane in self._lanes]

    async def pid(self, shard: int) -> int:
        """Process number of a shard's worker, behind the calls so far; raises ShardLost while it is replaced."""
        worker = self._lanes[shard].worker
        if worker is None:
            raise ShardLost(f"shard {shard} has no worker")
        return int(await worker.ask("pid"))

    def _worker(self) -> Actor:
        line, address = self._exchange.line()
        return Actor(self._place.actor(), line, (*address, *self._limits), stands=self._cluster.stands)

    def _hire(self) -> Remote | None:
        return self._crew.hire() if self._cluster.stands() else None

    def _look(self) -> None:
        """See that the pool stands; if it does not, build it again."""
        self._watch = asyncio.get_running_loop().call_later(_LOOK, self._look)
        if self._rebuilding is not None and self._rebuilding.done():
            self._rebuilding = None
        if self._rebuilding is None and not self._cluster.stands():
            self._rebuilding = asyncio.create_task(self._rebuild(), name="rebuild Ray")

    async def _started_again(self) -> EngineError | None:
        """Start another Ray; what hindered it in the end."""
        hindrance = None
        for _ in range(_ATTEMPTS):
            try:
                await self._cluster.again(self._place.prepare)
            except EngineError as error:
                _log.warning("%s", error)
                hindrance = error
            else:
                return None
        return hindrance

    async def _rebuild(self) -> None:
        """Start Ray anew; the shards go on from their snapshots and what came since, which are here."""
        begun = asyncio.get_running_loop().time()
        _log.error("the local Ray has died: starting another; what comes in waits")
        for lane in (*self._lanes, *self._coming):
            lane.vacate()
        self._crew.disperse()
        if (error := await self._started_again()) is not None:
            for lane in (*self._lanes, *self._coming):
                lane.fail(error)
            return
        self._rebuilt += 1
        self._crew.assemble(self._worker)
        for lane in (*self._lanes, *self._coming):
            lane.engage()
        self._crew.stand_by()
        _log.warning("Ray is there again, after %.1f s", asyncio.get_running_loop().time() - begun)


def _counts(lane: Lane) -> dict[str, int]:
    return {"restarts": lane.restarts, "resubmitted": lane.handover.resubmitted, "snapshots": lane.snapshots}
