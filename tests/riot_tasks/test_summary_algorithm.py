import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks.algorithms.summary import Summary, is_quantile, measure

NAMES = ["mean", "min", "max", "count", "sum", "p0", "p5", "p50", "p99.9", "p100"]
readings = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=60)


def _of(numbers: list[float]) -> Summary:
    summary = Summary(quantiles=True)
    for number in numbers:
        summary.add(number)
    return summary


def _told(summary: Summary) -> list[float]:
    return [measure(name)(summary) for name in NAMES]


def _numpys(numbers: list[float]) -> list[float]:
    shares = [0.0, 0.05, 0.5, 0.999, 1.0]
    found = [np.mean(numbers), np.min(numbers), np.max(numbers), len(numbers), np.sum(numbers)]
    return [float(number) for number in [*found, *np.quantile(numbers, shares)]]


def test_all_that_is_told_is_numpys(series: list[float]) -> None:
    """Of a real series every aggregate is what NumPy says."""
    numbers = series[:500]
    assert _told(_of(numbers)) == pytest.approx(_numpys(numbers), rel=1e-12)


@given(readings, readings)
def test_merged_is_as_if_all_had_come_here(one: list[float], other: list[float]) -> None:
    """Two summaries merged tell what one of all the numbers tells."""
    merged, scale = _of(one), max(map(abs, one + other))
    merged.merge(_of(other))
    assert _told(merged) == pytest.approx(_told(_of(one + other)), rel=1e-12, abs=scale * 1e-12)


@given(st.floats(-1e300, 1e300), st.integers(1, 50))
def test_the_mean_of_equal_numbers_is_that_number(number: float, count: int) -> None:
    """Rounding never puts a mean outside of its numbers: ten times 0.1 has the mean 0.1."""
    assert _of([number] * count).mean() == number


@given(readings)
def test_a_loaded_one_goes_on_bit_for_bit(numbers: list[float]) -> None:
    """One loaded from another's state tells exactly what the other tells."""
    loaded = Summary(quantiles=True)
    loaded.load(_of(numbers).state())
    for each in (loaded, whole := _of(numbers)):
        each.add(numbers[0])
    assert _told(loaded) == _told(whole)


def test_quantiles_are_kept_only_if_asked_for() -> None:
    """Without quantiles the state is four numbers, whatever came."""
    summary = Summary()
    for number in range(1000):
        summary.add(float(number))
    assert summary.state() == [1000, 499_500.0, 0.0, 999.0, None]


@pytest.mark.parametrize("name", ["", "median", "p", "p101", "p-1", "p5.", "p1e1", "P50", "p50 ", "p\u0665", "p1000"])
def test_other_words_say_nothing(name: str) -> None:
    """A word that stands for no aggregate is a KeyError."""
    with pytest.raises(KeyError):
        measure(name)


def test_which_words_need_quantiles() -> None:
    """Those of percentiles do, the others do not."""
    assert [name for name in NAMES if is_quantile(name)] == NAMES[5:]
