"""Which inline portions may run on the loop."""

import time

from riotd.engines.inline import _Pace
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
