import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.benchmarks.flows.scales import scale, written
from riotd.benchmarks.flows.series import Course, counts
from riotd.benchmarks.flows.spreads import spread

numbers = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(st.floats(0, 1e3), numbers), min_size=1, max_size=20), st.floats(-10, 1100))
def test_a_course_is_numpy_s_interpolation(points: list[tuple[float, float]], time: float) -> None:
    """Between two instants a course is in proportion, beyond them as at the end: as numpy.interp has it."""
    by_time = dict(points)
    times = sorted(by_time)
    values = [by_time[each] for each in times]
    assert Course(times, values).at(time) == pytest.approx(float(np.interp(time, times, values)), rel=1e-6, abs=1e-6)


def test_a_course_of_nothing_is_nothing() -> None:
    """Without any instant there is nothing to tell."""
    assert not Course([], [])
    assert Course([], []).at(5.0) == 0.0


@given(st.lists(st.floats(0, 10), max_size=50))
def test_counts_are_numpy_s_histogram(times: list[float]) -> None:
    """Instants are counted where numpy's histogram counts them, but for those on the last edge, which are beyond it."""
    edges = [0.0, 1.0, 2.5, 7.0, 9.0]
    found, _ = np.histogram([time for time in times if time < 9.0], edges)
    assert counts(times, edges) == found.tolist()


@given(st.lists(numbers, min_size=1, max_size=50))
def test_a_spread_is_numpy_s_quantiles(values: list[float]) -> None:
    """Quantiles are numpy's, linear between two numbers; the mean is the mean."""
    found = spread(values)
    assert found is not None
    made = [found.min, found.p5, found.q1, found.median, found.q3, found.p95, found.p99, found.max]
    wanted = np.quantile(values, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1])
    assert made == pytest.approx(wanted.tolist(), rel=1e-6, abs=1e-6)
    assert found.mean == pytest.approx(float(np.mean(values)), rel=1e-6, abs=1e-6)


def test_no_numbers_have_no_spread() -> None:
    """There is no quantile of nothing."""
    assert spread([]) is None


@given(st.lists(st.one_of(st.floats(0, 1e9), st.floats(-1e3, 1e3)), min_size=1, max_size=9))
def test_an_axis_has_room_for_all(values: list[float]) -> None:
    """Whatever the numbers, each is between the ends of its axis, in their order, and so are the ticks, few enough."""
    axis = scale(values)
    hair = 1e-6 * (axis.high - axis.low)
    assert max(values) <= axis.high + hair
    if not axis.log:
        assert axis.low <= min(values) + hair
    places = [axis.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in places)
    assert 2 <= len(axis.ticks) <= 9
    assert list(axis.ticks) == sorted(axis.ticks)


def test_what_spans_much_is_on_a_logarithmic_axis() -> None:
    """5 ms beside 28 s would be nothing on a linear axis, 5 beside 50 is not."""
    assert scale([5.0, 28_000.0]).log
    assert not scale([5.0, 50.0]).log
    assert not scale([-5.0, 5000.0]).log


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.00123, "0.00123"), (12.345, "12.3"), (123.4, "123"), (12345, "12,300")]
)
def test_numbers_beside_an_axis(value: float, text: str) -> None:
    """Three figures, and thousands with a comma."""
    assert written(value) == text
