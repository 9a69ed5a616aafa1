"""Tasks in Ray actors, one a shard; a lost one is replaced without losing, doubling or reordering anything.

Ray reads its environment when it is imported, so it is imported when an engine starts.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Self

import msgspec

from riotd.dataflow import Plan
from riotd.engines.cluster import Cluster
from riotd.engines.crew import Crew
from riotd.engines.lanes import Lane
from riotd.engines.line import Exchange, Line
from riotd.engines.worker import Worker
from riotd.errors import ConfigError, EngineError, Mistake, ShardLost
from riotd.messages import Outcome, Portion

_log = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode

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
        self._place = _Place()
        self._limits, self.deadline, self._patience = (deadline, memory), deadline, patience
        self._running = False
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
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the actors, and Ray if it is ours; what is still in flight raises EngineError."""
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
        await self._crew.rehearse(data)
        await asyncio.gather(*(lane.submit("reconfigure", data) for lane in self._lanes))

    def held(self) -> int:
        """As `riotd.ports.Holder.held`: snapshots, and the calls since."""
        return sum([lane.handover.held for lane in self._lanes])

    async def resize(self, shards: int) -> None:
        """As `Engine.resize`; the spare is the first of the new workers."""
        more = self._new_lanes(range(len(self._lanes), shards))
        if self._running:
            try:
                await asyncio.gather(*(lane.begin() for lane in more))
            except BaseException:
                for lane in more:
                    lane.fail(EngineError("another new shard has no worker"))
                raise
        gone = self._lanes[shards:]
        self._lanes = self._lanes[:shards] + more
        for lane in gone:
            self._past.update(_counts(lane))
            lane.fail(EngineError("the shard is there no more"))

    def _new_lanes(self, indexes: range) -> list[Lane]:
        crew, patience, deadline = self._crew, self._patience, self.deadline
        return [
            Lane(f"shard {index}", crew.plan, hire=crew.hire, patience=patience, deadline=deadline) for index in indexes
        ]

    def counters(self) -> Mapping[str, int]:
        """Since start: workers replaced, calls sent again, snapshots kept. Now: in flight per shard."""
        counts = Counter(self._past)
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

    def _worker(self) -> "_Actor":
        line, address = self._exchange.line()
        return _Actor(self._place.actor(), line, (*address, *self._limits))


def _counts(lane: Lane) -> dict[str, int]:
    return {"restarts": lane.restarts, "resubmitted": lane.handover.resubmitted, "snapshots": lane.snapshots}


class _Place:
    """Where actors are made."""

    host: str
    """Address of this machine in the cluster."""
    _make: Any
    _first: Any

    def prepare(self) -> None:
        """Start the first actor; Ray takes a third of a second to take up the class, so not on the loop."""
        import ray  # noqa: PLC0415 - see the module's docstring

        self.host = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # by Ray's makers
        self._make = ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD")(Worker)
        self._first = self._make.remote()

    def actor(self) -> Any:  # noqa: ANN401 - Ray's types are not checked
        """A handle of a new actor."""
        first, self._first = self._first, None
        return first or self._make.remote()


class _Actor:
    """A `Worker` in an actor; keeps `riotd.engines.lanes.Remote`."""

    def __init__(self, handle: Any, line: Line, address: tuple[str, int, str, float, int]) -> None:  # noqa: ANN401 - Ray's types are not checked
        self._handle, self._line = handle, line
        self._loop = asyncio.get_running_loop()
        self.ask = line.ask
        handle.serve.remote(*address).future().add_done_callback(self._ended)

    @property
    def spoke(self) -> float:
        return self._line.spoke

    @property
    def gone(self) -> asyncio.Future[None]:
        return self._line.gone

    def kill(self) -> None:
        import ray  # noqa: PLC0415 - see the module's docstring

        ray.kill(self._handle)
        self._line.lost(ShardLost("it was killed"))

    def _ended(self, done: Future[None]) -> None:
        """In a thread of Ray's: it knows why a worker ended, mostly a little after the line went dead."""
        if (error := done.exception()) is not None:
            lines = [line for line in str(error).splitlines() if not line.startswith("\t")]  # tabs: its number, pid, ip
            cause = ShardLost(" ".join(lines)[:240])
            with suppress(RuntimeError):  # the loop has ended too
                self._loop.call_soon_threadsafe(self._line.lost, cause)
