"""Which inline portions may run on the loop."""

import time

import pytest

from riotd.dataflow import Plan, Stage
from riotd.engines.inline import InlineEngine, _Pace
from riotd.messages import Outcome, Portion
from riotd.shard import Shard

PORTION = Portion(0, 0.0, [1], ["a"], [b""])
OUTCOME = Outcome(0, [], [], [])


def quick(_portion: Portion) -> Outcome:
    return OUTCOME


def slow(_portion: Portion) -> Outcome:
    time.sleep(0.06)  # what a slow task does, not a wait for anything
    return OUTCOME


def test_the_first_portion_and_a_flush_never_run_on_the_loop() -> None:
    """Nothing is known before the first portion; a flush may take any time."""
    pace = _Pace()
    assert not pace.quick(1)
    pace.timed(quick, PORTION)
    assert pace.quick(1)
    assert not pace.quick(0)


def test_once_slow_on_the_loop_is_never_there_again() -> None:
    """A shard that was quick and then took over 50 ms stays off the loop, however quick it is afterwards."""
    pace = _Pace()
    pace.timed(quick, PORTION)
    pace.timed(slow, PORTION)
    for _ in range(50):
        pace.timed(quick, PORTION)
        assert not pace.quick(1)


class TestWaiting:
    """Portions that may have to wait for something outside stay off the loop, however quick they are."""

    @pytest.mark.parametrize(("task", "waits"), [("Ferry", True), ("Counter", False)])
    def test_is_for_a_stage_that_reaches_outside(self, task: str, waits: bool) -> None:  # noqa: FBT001 - a parameter
        """A plan with such a task may have to wait, wherever the task stands; after a change of the plan too."""
        plan = Plan((Stage("c", "tests.sample_tasks:Counter"), Stage("t", f"tests.sample_tasks:{task}", after=("c",))))
        shard = Shard(plan)
        assert shard.may_wait(PORTION) is waits
        shard.reconfigure(Plan((Stage("f", "tests.sample_tasks:Ferry"),)))
        assert shard.may_wait(PORTION)

    def test_is_for_messages_that_may_come_to_it(self) -> None:
        """Of two sources one of which leads to such a stage, a portion of the other's messages need not wait."""
        stages = (
            Stage("feed", "tests.sample_tasks:Counter", {}, ("first",)),
            Stage("fetch", "tests.sample_tasks:Ferry", {}, ("second",)),
            Stage("both", "tests.sample_tasks:Counter", {}, ("feed", "fetch")),
        )
        shard = Shard(Plan(stages, sources=("first", "second")))
        assert not shard.may_wait(Portion(0, 0.0, [1, 2], ["a", "a"], [b"", b""], origins=[0, 0]))
        assert shard.may_wait(Portion(0, 0.0, [1, 2], ["a", "a"], [b"", b""], origins=[0, 1]))

    async def test_is_done_in_a_thread(self) -> None:
        """What may wait runs in its shard's thread also when the shard is quick; the rest runs on the loop."""
        for task, threaded in (("Ferry", True), ("Counter", False)):
            async with InlineEngine(Plan((Stage("t", f"tests.sample_tasks:{task}"),)), shards=1) as engine:
                await engine.submit(0, PORTION)
                await engine.submit(0, PORTION)
                assert engine.submit(0, PORTION).done() is not threaded
