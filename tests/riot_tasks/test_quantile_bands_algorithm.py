import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riot_tasks.algorithms.quantile_bands import bands, percentile

samples = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


@settings(deadline=None)
@given(samples, st.floats(0.0, 100.0, exclude_min=True))
def test_the_percentile_is_numpys(sample: list[float], percent: float) -> None:
    """It is NumPy's quantile by the method "weibull", type 6 of Hyndman and Fan."""
    expected = np.quantile(sample, percent / 100, method="weibull")
    assert percentile(sorted(sample), percent) == pytest.approx(expected, rel=1e-12, abs=1e-6)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [([7.0], [7, 7, 7, 7]), ([1.0, 2.0], [1, 1.5, 2, 2]), ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [2.75, 5.5, 8.25, 10])],
)
def test_percentiles_of_small_samples(sample: list[float], expected: list[float]) -> None:
    """The quartiles and the maximum of samples of 1, 2 and 10, as Commons Math's documentation defines them."""
    assert [percentile(sample, percent) for percent in (25, 50, 75, 100)] == expected


def test_a_hundred_rows_have_the_bands_of_riotbenchs_body_sensors() -> None:
    """Of 100 different numbers 50, 25, 24 and 1 are in the four bands: the classes its FIT tree was grown from."""
    numbers = np.random.default_rng(1).permutation(100).astype(float).tolist()
    found = bands(numbers, [25, 50, 75, 100])
    assert [found.count(band) for band in range(4)] == [50, 25, 24, 1]
    assert found[numbers.index(99.0)] == 3


@settings(deadline=None)
@given(samples, st.lists(st.integers(1, 100), min_size=1, max_size=6, unique=True))
def test_a_band_begins_at_its_percentile(sample: list[float], percents: list[int]) -> None:
    """Every number is in the band of the last percentile not above it, and in the first one below them all."""
    percents = sorted(percents)
    bounds = [percentile(sorted(sample), percent) for percent in percents]
    for number, band in zip(sample, bands(sample, percents), strict=True):
        assert band == max([0, *(place for place, bound in enumerate(bounds) if bound <= number)])


def test_equal_percentiles_give_the_later_band() -> None:
    """Where all numbers are the same, all are in the last band."""
    assert bands([3.0] * 5, [25, 50, 75, 100]) == [3] * 5
    assert bands([1.0, 2.0, 2.0, 2.0, 2.0], [25, 50, 75, 100]) == [0, 3, 3, 3, 3]


def test_no_numbers_have_no_bands() -> None:
    """An empty sample is no mistake."""
    assert bands([], [50]) == []
