"""What both engines keep, whatever runs the tasks."""

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest

from riotd.dataflow import Stage
from riotd.errors import EngineError
from tests.contracts.conftest import MakeEngine
from tests.contracts.feeds import FOLD, chain, direct, feed, plain, plan, portion


class TestResults:
    async def test_equal_those_of_one_thread(self, make_engine: MakeEngine) -> None:
        """Each shard gives, portion by portion, what a single-threaded shard gives: results, rejects, tallies, keys."""
        feeds = [feed(30, seed=1), feed(30, seed=2)]
        async with make_engine(chain(), 2) as engine:
            flights = [[engine.submit(shard, each) for each in feeds[shard]] for shard in (0, 1)]
            outcomes = [[plain(await flight) for flight in flights[shard]] for shard in (0, 1)]
        assert outcomes == [direct(chain(), feeds[0]), direct(chain(), feeds[1])]

    async def test_come_in_the_order_of_the_calls(self, make_engine: MakeEngine) -> None:
        """Portions of a shard submitted without waiting are answered in that order."""
        answered: list[int] = []
        async with make_engine(chain(), 1) as engine:
            flights = [asyncio.ensure_future(engine.submit(0, each)) for each in feed(40)]
            for flight in flights:
                flight.add_done_callback(lambda done: answered.append(done.result().batch))
            await asyncio.gather(*flights)
        assert answered == list(range(40))

    async def test_of_refused_records_leave_the_neighbours_alone(self, make_engine: MakeEngine) -> None:
        """A bad record is a reject with its stage, id and reason; the records around it give results."""
        async with make_engine(chain(), 1) as engine:
            outcome = await engine.submit(0, portion(0, [b"x", b"bad", b"y"]))
        assert [(reject.stage, reject.id, reject.reason) for reject in outcome.rejects] == [("first", 1, "it is bad")]
        assert [result.id for result in outcome.results] == [0, 2]

    async def test_of_a_payload_at_the_batch_limit_are_whole(self, make_engine: MakeEngine) -> None:
        """90 kB of messages in one portion come through as sent."""
        big = portion(0, [bytes([number % 251]) * 300 for number in range(300)])
        async with make_engine(chain(), 1) as engine:
            assert [plain(await engine.submit(0, big))] == direct(chain(), [big])

    async def test_of_an_empty_portion_are_what_tasks_held_back(self, make_engine: MakeEngine) -> None:
        """An empty portion flushes the tasks of its shard, after the portions before it."""
        portions = [*feed(3), portion(3, [])]
        async with make_engine(chain(), 1) as engine:
            outcomes = [plain(await flight) for flight in [engine.submit(0, each) for each in portions]]
        assert outcomes == direct(chain(), portions)
        assert "end" in {result.source for result in outcomes[-1].results}

    async def test_are_not_stopped_by_a_cancelled_wait(self, make_engine: MakeEngine) -> None:
        """A caller that no longer waits changes nothing for the portions behind."""
        portions = feed(3)
        async with make_engine(chain(), 1) as engine:
            flights = [asyncio.ensure_future(engine.submit(0, each)) for each in portions]
            flights[0].cancel()
            outcomes = [plain(await flight) for flight in flights[1:]]
        assert outcomes == direct(chain(), portions)[1:]


class TestPlans:
    async def test_users_own_class_runs(
        self, make_engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A task named `module:Class` is found in the folder the plan puts on the path."""
        monkeypatch.setattr(sys, "path", [*sys.path])
        (tmp_path / "my_own_task.py").write_text(
            "from riot_tasks import Record, Task\n"
            "class Shout(Task):\n"
            "    def process(self, record):\n"
            "        return [Record(record.id, record.source, record.time, {'v': record.values['payload'].upper()})]\n"
        )
        own = plan(Stage("shout", "my_own_task:Shout"))
        own = msgspec.structs.replace(own, path=(str(tmp_path),))
        async with make_engine(own, 1) as engine:
            outcome = await engine.submit(0, portion(0, [b"hello"]))
        assert b'"v":"HELLO"' in outcome.results[0].payload

    @pytest.mark.parametrize(
        ("stage", "hint"),
        [
            (Stage("odd", "tests.contracts.engine_tasks:Missing"), "Missing"),
            (Stage("odd", FOLD, {"sed": 1}), "sed"),
            (Stage("odd", "no_such_module:Task"), "no_such_module"),
        ],
    )
    async def test_that_cannot_be_made_stop_the_start(self, make_engine: MakeEngine, stage: Stage, hint: str) -> None:
        """A task that can't be loaded or constructed is an EngineError that names stage, task and cause."""
        engine = make_engine(plan(Stage("fine", FOLD), stage), 2)
        with pytest.raises(EngineError, match=rf"stage 'odd': task '{stage.task}'.*{hint}"):
            await engine.__aenter__()

    async def test_change_with_the_state_of_unchanged_stages(self, make_engine: MakeEngine) -> None:
        """After `reconfigure` a stage with the same task and parameters goes on, a changed one begins afresh."""
        before, changed = feed(4), plan(Stage("first", FOLD), Stage("second", FOLD, {"seed": 8}, ("first",)))
        after = portion(9, [b"x", b"y"])
        async with make_engine(chain(), 1) as engine:
            for each in before:
                await engine.submit(0, each)
            await engine.reconfigure(changed)
            outcome = plain(await engine.submit(0, after))
        kept = direct(plan(Stage("first", FOLD)), [*before, after])[-1]
        digests = [result.payload for result in kept.results]
        assert outcome != direct(changed, [after])[0], "the first stage has kept its state"
        assert outcome != direct(changed, [*before, after])[-1], "the second has begun afresh"
        assert len(digests) == len(outcome.results) == 2

    async def test_that_cannot_be_changed_to_leave_the_old_running(self, make_engine: MakeEngine) -> None:
        """`reconfigure` with a broken plan is an EngineError, and the shards go on with plan and state they had."""
        portions = feed(6)
        async with make_engine(chain(), 2) as engine:
            outcomes = [plain(await engine.submit(1, each)) for each in portions[:3]]
            with pytest.raises(EngineError, match="stage 'odd'"):
                await engine.reconfigure(plan(Stage("odd", FOLD, {"sed": 1})))
            outcomes += [plain(await engine.submit(1, each)) for each in portions[3:]]
        assert outcomes == direct(chain(), portions)


class TestBugs:
    async def test_come_out_as_themselves(self, make_engine: MakeEngine) -> None:
        """What a shard raises, here over columns of unequal length, is told where the portion is awaited."""
        broken = portion(0, [b"x"])
        broken.keys.append("one too many")
        async with make_engine(chain(), 1) as engine:
            with pytest.raises((ValueError, EngineError), match="zip"):
                await engine.submit(0, broken)
