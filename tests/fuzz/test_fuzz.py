"""Whatever is fed to what reads: nothing but what its contract says comes out."""

import pytest

from tests.fuzz.fuzzing import fuzzed
from tests.fuzz.targets import TARGETS, Target

_SLOW = {"config": 15, "setting": 15, "lines": 60, "tasks": 150}
"""Inputs in CI of those that take milliseconds for each; of all others 300."""


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_else_comes_out(name: str) -> None:
    """Some hundred inputs made of right ones are taken, or refused as documented."""
    assert fuzzed(TARGETS[name], _SLOW.get(name, 300)) == {}


def test_a_failure_is_found() -> None:
    """A target that fails at one byte in a place is caught, and told with a short input."""

    def run(data: bytes) -> str:
        assert data[2:3] != b"\xff"
        return str(len(data))

    (failure,) = fuzzed(Target(run, (b"aaaa",)), 2_000).values()
    assert failure[2:3] == b"\xff"
    assert len(failure) < 30
