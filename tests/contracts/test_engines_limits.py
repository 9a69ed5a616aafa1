"""What Ray's engine makes of messages that hang or bloat their worker."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from riotd.dataflow import Stage
from riotd.engines.ray_actors import RayEngine
from riotd.messages import Outcome
from tests.contracts.feeds import FOLD, direct, plain, plan, portion

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_pool")]

COSTLY, WAITING = "tests.contracts.costly_tasks:Costly", "tests.contracts.costly_tasks:Waiting"
GUARDED = plan(Stage("guard", COSTLY), Stage("fold", FOLD, {}, ("guard",)))
GOOD = [b"a", b"b", b"c"]


async def run(engine: RayEngine, word: bytes) -> list[Outcome]:
    """Three portions, all in flight, the second with the word between its neighbours: its id is 12."""
    payloads = [GOOD, [*GOOD[:2], word, *GOOD[2:]], GOOD]
    flights = [engine.submit(0, portion(number, each, first=10 * number)) for number, each in enumerate(payloads)]
    return [plain(await flight) for flight in flights]


def values(outcomes: Sequence[Outcome]) -> list[list[bytes]]:
    """What the results hold, whichever message they are of: the fold's digests tell what it has seen."""
    return [[result.payload.partition(b'"values"')[2] for result in outcome.results] for outcome in outcomes]


def without() -> list[Outcome]:
    """The outcomes if the word had never come."""
    return direct(GUARDED, [portion(number, GOOD, first=10 * number) for number in range(3)])


class TestDeadline:
    @pytest.mark.parametrize("word", [b"hang", b"lock"])
    async def test_finds_the_message_that_hangs(self, word: bytes) -> None:
        """It is a reject that says so, even if it holds Python's lock; its neighbours are as if it had never come."""
        async with RayEngine(GUARDED, deadline=0.4) as engine:
            hung = psutil.Process(await engine.pid(0))
            outcomes = await run(engine, word)
            assert engine.counters()["restarts"] == 2, "once in company, once alone"
            await asyncio.to_thread(hung.wait, 10)  # TimeoutExpired if it goes on, with nobody to hear it
        rejects = [reject for outcome in outcomes for reject in outcome.rejects]
        assert [(each.stage, each.id, each.reason) for each in rejects] == [
            ("engine", 12, "took longer than 400ms, alone and in company")
        ]
        assert values(outcomes) == values(without())
        assert outcomes[1].tallies == without()[1].tallies

    async def test_is_a_records_not_a_portions(self) -> None:
        """A portion whose records take long together, each of them in time, is left alone."""
        async with RayEngine(GUARDED, deadline=0.5) as engine:
            outcome = await engine.submit(0, portion(0, [b"nap"] * 6))
            assert engine.counters()["restarts"] == 0
        assert len(outcome.results) == 6

    async def test_does_not_count_what_is_waited_for(self, tmp_path: Path) -> None:
        """A task that waits for something outside for many times the deadline is not taken for hung."""
        waiting = plan(Stage("wait", WAITING, {"path": str(tmp_path / "there")}))
        async with RayEngine(waiting, deadline=0.2) as engine:
            flight = engine.submit(0, portion(0, [b"a"]))
            signs = engine.signs()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(flight), 1.5)
            assert engine.signs() != signs, "a watchdog can tell it from a hung one"
            (tmp_path / "there").touch()
            assert len((await flight).results) == 1
            assert engine.counters()["restarts"] == 0


class TestMemory:
    async def test_that_is_not_there_is_one_records_failure(self) -> None:
        """A record for which 8 GB are asked at once is refused by the task; the worker lives."""
        async with RayEngine(GUARDED, memory=300 * 10**6) as engine:
            outcomes = await run(engine, b"bloat")
            assert engine.counters()["restarts"] == 0
        rejects = [reject for outcome in outcomes for reject in outcome.rejects]
        assert [(each.stage, each.id, each.reason) for each in rejects] == [
            ("guard", 12, "the task failed: MemoryError: ")
        ]
        assert values(outcomes) == values(without())

    async def test_that_swells_ends_the_worker_and_finds_the_message(self) -> None:
        """A record that takes memory little by little is found as one that kills is."""
        async with RayEngine(GUARDED, memory=300 * 10**6) as engine:
            outcomes = await run(engine, b"swell")
            assert engine.counters()["restarts"] == 2
        rejects = [reject for outcome in outcomes for reject in outcome.rejects]
        assert [(each.stage, each.id, each.reason) for each in rejects] == [
            ("engine", 12, "took more than 300MB of memory, alone and in company")
        ]
        assert values(outcomes) == values(without())
