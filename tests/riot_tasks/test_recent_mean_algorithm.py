import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks.algorithms.recent_mean import RecentMean, RecentMean32

READINGS = [8.0, 7.5, -3.25, 1e3, 21.87, 0.1, 33.333333]
OF_JAVA = [  # the mean of the last 3 after each of READINGS: float arithmetic of OpenJDK 17
    *(8.0, 7.75, 4.083333492279053, 334.75, 339.5400085449219, 340.6566467285156, 18.434444427490234),
]
numbers = st.floats(-1e300, 1e300)


@pytest.mark.parametrize("window", [1, 2, 5, 64])
def test_means_are_numpys_on_every_prefix(series: list[float], window: int) -> None:
    """After each number the mean is numpy's of the last ones."""
    recent = RecentMean(window)
    for end, number in enumerate(series, start=1):
        recent.update(number)
        assert recent.mean() == pytest.approx(np.mean(series[max(0, end - window) : end]), rel=1e-14)


@pytest.mark.parametrize("kind", [RecentMean, RecentMean32])
def test_nothing_has_no_mean(kind: type[RecentMean]) -> None:
    """Before the first number there is no mean."""
    assert kind(5).mean() is None


@given(st.lists(numbers, min_size=1, max_size=30), st.integers(1, 9))
def test_the_mean_lies_within_its_numbers(readings: list[float], window: int) -> None:
    """A mean is never outside of the numbers it is of, whatever they are."""
    recent = RecentMean(window)
    for reading in readings:
        recent.update(reading)
    last = readings[-window:]
    mean = recent.mean()
    assert mean is not None
    assert min(last) <= mean <= max(last) or mean == pytest.approx(last[0], rel=1e-15)


def test_single_precision_is_javas_bit_for_bit() -> None:
    """The parity mean gives what RIoTBench's float arithmetic gave under OpenJDK."""
    recent = RecentMean32(3)
    said = []
    for reading in READINGS:
        recent.update(reading)
        said.append(recent.mean())
    assert said == OF_JAVA


@given(st.lists(numbers, max_size=30), st.integers(1, 9), st.data())
def test_a_loaded_mean_goes_on_bit_for_bit(readings: list[float], window: int, data: st.DataObject) -> None:
    """A mean loaded from another's state at any cut gives exactly what the other gives."""
    cut = data.draw(st.integers(0, len(readings)))
    recent, loaded = RecentMean(window), RecentMean(window)
    for reading in readings[:cut]:
        recent.update(reading)
    loaded.load(recent.state())
    for reading in readings[cut:]:
        recent.update(reading)
        loaded.update(reading)
        assert loaded.mean() == recent.mean()
    assert len(loaded.state()) <= window
