"""Whatever goes wrong, and wherever a life ends: what was acknowledged is done, once, and in order."""

import pytest

from tests.simulation.world import run


@pytest.mark.parametrize("first", range(0, 50, 10))
def test_no_world_breaks_a_promise(first: int) -> None:
    """Ten worlds each: nothing lost, order kept, state and results those of one shard that never ended."""
    for seed in range(first, first + 10):
        run(seed)


def test_a_seed_is_a_world() -> None:
    """The same seed gives the same world, to the last step of its last life."""
    assert run(53) == run(53)
