"""What Ray's engine makes of workers that die. A worker that hangs is not handled yet."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Awaitable, Sequence
from contextlib import suppress

import pytest

from riotd.dataflow import Stage
from riotd.engines.ray_actors import RayEngine
from riotd.errors import EngineError, ShardLost
from riotd.messages import Outcome, Portion
from tests.contracts.feeds import DEADLY, EXITING, FOLD, chain, direct, feed, plain, plan, portion

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_pool")]


async def kill(engine: RayEngine, shard: int = 0) -> None:
    """End a shard's worker as the kernel would; the next one if the present one is dying already."""
    while True:
        with suppress(ShardLost):
            os.kill(await engine.pid(shard), signal.SIGKILL)
            return


async def run(
    engine: RayEngine, portions: Sequence[Portion], *, kills: Sequence[int] = (), depth: int = 2
) -> list[Outcome]:
    """The outcomes, `depth` portions in flight at a time; before each portion of `kills` the worker is killed."""
    flights: deque[Awaitable[Outcome]] = deque()
    outcomes = []
    for number, each in enumerate(portions):
        if number in kills:
            await kill(engine)
        flights.append(engine.submit(0, each))
        if len(flights) >= depth:
            outcomes.append(plain(await flights.popleft()))
    return outcomes + [plain(await flight) for flight in flights]


class TestKilled:
    async def test_worker_is_replaced_without_a_trace(self) -> None:
        """Killed at seven instants under load, the outcomes and the final state are those of a run without kills."""
        portions = [*feed(120), portion(999, [])]
        async with RayEngine(chain(), shards=1) as engine:
            outcomes = await run(engine, portions, kills=(1, 2, 20, 21, 60, 100, 120))
            assert engine.counters()["restarts"] == 7
        assert outcomes == direct(chain(), portions)

    async def test_worker_in_the_middle_of_many_calls_loses_none(self) -> None:
        """With 60 portions in flight, some of them done and some not, each is answered once and in order."""
        portions = feed(60)
        async with RayEngine(chain(), shards=1) as engine:
            flights = [engine.submit(0, each) for each in portions]
            await flights[20]
            await kill(engine)
            outcomes = [plain(await flight) for flight in flights]
        assert outcomes == direct(chain(), portions)

    async def test_worker_after_a_snapshot_is_restored_from_it(self) -> None:
        """Past a snapshot the log is short: only the calls behind it are done again, and nothing else changes."""
        portions = feed(620, size=2)
        async with RayEngine(chain(), shards=1) as engine:
            outcomes = await run(engine, portions, kills=(600,), depth=8)
            assert engine.counters()["snapshots"] >= 2
            assert len(engine._lanes[0].handover._log) < 256
        assert outcomes == direct(chain(), portions)

    async def test_worker_after_a_change_of_the_plan_has_the_new_one(self) -> None:
        """The log holds the change of the plan too, with what came before it."""
        changed = plan(Stage("first", FOLD), Stage("second", FOLD, {"seed": 8}, ("first",)))
        portions = feed(10)
        async with RayEngine(chain(), shards=1) as undisturbed, RayEngine(chain(), shards=1) as killed:
            for engine in (undisturbed, killed):
                await run(engine, portions)
                await engine.reconfigure(changed)
            expected = await run(undisturbed, portions)
            assert await run(killed, portions, kills=(0, 5)) == expected

    async def test_idle_worker_is_replaced_when_it_is_needed(self) -> None:
        """A worker that dies with nothing in flight costs nothing but its replacement."""
        portions = feed(2)
        async with RayEngine(chain(), shards=1) as engine:
            outcomes = [plain(await engine.submit(0, portions[0]))]
            await kill(engine)
            outcomes.append(plain(await engine.submit(0, portions[1])))
        assert outcomes == direct(chain(), portions)

    async def test_all_workers_at_once_come_back(self) -> None:
        """More deaths than spares: every shard goes on from where it was."""
        feeds = [feed(20, seed=seed) for seed in range(3)]
        async with RayEngine(chain(), shards=3) as engine:
            outcomes = [[plain(await engine.submit(shard, each)) for each in feeds[shard][:10]] for shard in range(3)]
            for pid in [await engine.pid(shard) for shard in range(3)]:
                os.kill(pid, signal.SIGKILL)
            flights = [[engine.submit(shard, each) for each in feeds[shard][10:]] for shard in range(3)]
            for shard in range(3):
                outcomes[shard] += [plain(await flight) for flight in flights[shard]]
        assert outcomes == [direct(chain(), each) for each in feeds]


class TestPoison:
    @pytest.mark.parametrize(("task", "word"), [(DEADLY, b"kill"), (EXITING, b"exit")])
    async def test_message_is_refused_and_its_neighbours_are_not(self, task: str, word: bytes) -> None:
        """A message that kills whichever worker takes it is a reject with its id; all others give their results."""
        guarded = plan(Stage("guard", task), Stage("fold", FOLD, {}, ("guard",)))
        payloads = [b"a", b"b", word, b"c"]
        async with RayEngine(guarded, shards=1) as engine:
            flights = [
                engine.submit(0, portion(batch, payloads[:2] if batch != 1 else payloads, first=10 * batch))
                for batch in range(3)
            ]
            outcomes = [plain(await flight) for flight in flights]
        harmless = [
            portion(0, [b"a", b"b"]),
            portion(1, [b"a", b"b", b"c"], first=10),
            portion(2, [b"a", b"b"], first=20),
        ]
        expected = direct(guarded, harmless)
        assert [(reject.stage, reject.id) for outcome in outcomes for reject in outcome.rejects] == [("engine", 12)]
        assert [[result.payload.partition(b'"values"')[2] for result in outcome.results] for outcome in outcomes] == [
            [result.payload.partition(b'"values"')[2] for result in outcome.results] for outcome in expected
        ]
        assert outcomes[1].tallies == expected[1].tallies


class TestGivingUp:
    async def test_is_an_error_not_a_wait(self) -> None:
        """A worker that is not ready in time ends the start with EngineError, and later calls raise it at once."""
        engine = RayEngine(chain(), shards=1, patience=0.001)
        with pytest.raises(EngineError, match="no worker was ready within"):
            await engine.__aenter__()
        with pytest.raises(EngineError, match="no worker was ready within"):
            await engine.submit(0, portion(0, [b"x"]))

    async def test_of_the_engine_ends_what_is_in_flight(self) -> None:
        """Leaving the engine raises EngineError where somebody still waits."""
        async with RayEngine(chain(), shards=1) as engine:
            flights = [engine.submit(0, each) for each in feed(300)]
        with pytest.raises(EngineError, match="stopped"):
            await flights[-1]
        await asyncio.gather(*flights, return_exceptions=True)


async def test_a_spare_that_dies_is_replaced() -> None:
    """A spare dies unasked: there is another by the time a shard's worker dies, and that costs no start of a worker."""
    async with RayEngine(chain(), shards=1) as engine:
        crew = engine._crew
        first = crew._spare
        assert first is not None
        await first.ask("pid")
        os.kill(await first.ask("pid"), signal.SIGKILL)
        await first.gone
        while crew._spare in {None, first}:  # noqa: ASYNC110 - only a test asks
            await asyncio.sleep(0.05)
        second = crew._spare
        assert second is not None
        await second.ask("pid")
        await kill(engine)
        assert [plain(await engine.submit(0, each)) for each in feed(3)] == direct(chain(), feed(3))
        assert engine._lanes[0].worker is second
