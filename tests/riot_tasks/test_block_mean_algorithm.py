import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks.algorithms.block_mean import BlockMean, BlockMean32
from riot_tasks.algorithms.float32 import LARGEST, float32

READINGS = [8.0, 7.5, -3.25, 1e3, 21.87, 0.1, 33.333333]


@pytest.mark.parametrize("window", [1, 2, 10, 37])
def test_block_means_are_numpys_on_every_block(series: list[float], window: int) -> None:
    """Every window-th number ends a block, with numpy's mean of it."""
    blocks = BlockMean(window)
    for end, number in enumerate(series, start=1):
        mean = blocks.update(number)
        if end % window:
            assert mean is None
        else:
            assert mean == pytest.approx(np.mean(series[end - window : end]), rel=1e-13)


def test_take_gives_the_open_block_on_every_prefix(series: list[float]) -> None:
    """`take` is the mean of what came since the last block, and leaves an empty one."""
    for end in range(1, 25):
        blocks = BlockMean(1000)
        for number in series[:end]:
            blocks.update(number)
        assert blocks.take() == pytest.approx(np.mean(series[:end]), rel=1e-13)
        assert blocks.take() is None


@given(st.lists(st.integers(-1000, 1000)), st.lists(st.integers(-1000, 1000)))
def test_merging_is_as_if_all_had_come_to_one(first: list[int], second: list[int]) -> None:
    """The merge of two open blocks has the mean of both blocks' numbers."""
    whole, left, right = BlockMean(10**6), BlockMean(10**6), BlockMean(10**6)
    for numbers, part in ((first, left), (second, right)):
        for number in numbers:
            part.update(number)
            whole.update(number)
    left.merge(right)
    assert left.take() == whole.take()


def test_single_precision_is_javas() -> None:
    """The parity mean gives what float arithmetic gave under OpenJDK 17."""
    blocks = BlockMean32(len(READINGS))
    assert [blocks.update(number) for number in READINGS][-1] == 152.5076141357422


def test_single_precision_is_numpys_on_every_block(series: list[float]) -> None:
    """The parity mean is a running numpy.float32 sum over the count."""
    blocks = BlockMean32(10)
    for start in range(0, len(series) - 9, 10):
        total = np.float32(0)
        for number in series[start : start + 10]:
            total += np.float32(number)
            mean = blocks.update(number)
        assert mean == float(total / np.float32(10))


@given(st.floats(-LARGEST, LARGEST))
def test_float32_rounds_as_numpy_does(value: float) -> None:
    """`float32` is numpy's conversion wherever that is finite."""
    assert float32(value) == float(np.float32(value))


def test_float32_saturates() -> None:
    """Past the largest single-precision number there is that number, not infinity."""
    assert (float32(1e300), float32(-1e300)) == (LARGEST, -LARGEST)
