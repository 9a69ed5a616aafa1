"""Which inline portions may run on the loop."""

import time

import pytest

from riotd.dataflow import Plan, Stage
from riotd.engines.inline import InlineEngine, _Pace
from riotd.messages import Outcome, Portion

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


def test_what_may_wait_is_never_on_the_loop() -> None:
    """Tasks that reach outside stay off the loop, however quick they are: their store may go away."""
    pace = _Pace(waits=True)
    pace.timed(quick, PORTION)
    assert not pace.quick(1)


@pytest.mark.parametrize(("task", "waits"), [("Ferry", True), ("Counter", False)])
async def test_the_engine_asks_its_shards(task: str, waits: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    """A plan with such a task runs in a thread, before and after a change of the plan."""
    plan = Plan((Stage("c", "tests.sample_tasks:Counter"), Stage("t", f"tests.sample_tasks:{task}", after=("c",))))
    async with InlineEngine(plan, shards=2) as engine:
        assert [pace._barred for pace in engine._paces] == [waits, waits]
        await engine.reconfigure(Plan((Stage("f", "tests.sample_tasks:Ferry"),)))
        assert [pace._barred for pace in engine._paces] == [True, True]
