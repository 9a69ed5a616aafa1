from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress

from riot_tasks.algorithms.regression import Moments, SlidingRegression

READINGS = [8.0, 7.5, -3.25, 12.1, 21.87, 0.1, 33.333333, 20.2, 19.9]
OF_JAVA = [  # commons-math3 SimpleRegression, window 5, 3 ahead, from the 6th of READINGS on
    [10.760000228881836, 11.792000770568848, 12.824000358581543],
    [31.180665969848633, 37.297332763671875, 43.413997650146484],
    [25.819665908813477, 28.586000442504883, 31.352333068847656],
    [23.928667068481445, 25.544666290283203, 27.16066551208496],
]
numbers = st.floats(-1e9, 1e9)


def _forecasts(readings: list[float], window: int, horizon: int) -> Iterator[tuple[int, list[float]]]:
    """Where there are forecasts: after how many readings, and which."""
    line = SlidingRegression(window, horizon)
    for count, reading in enumerate(readings, start=1):
        forecasts = line.update(reading)
        assert (forecasts is not None) == (count > window)
        if forecasts is not None:
            yield count, forecasts


def _lstsq(points: list[float], horizon: int) -> np.ndarray:
    """Least squares by numpy, about the first point so that its own rounding does not count."""
    offset = points[0]
    slope, start = np.polynomial.polynomial.polyfit(range(len(points)), np.array(points) - offset, 1)[::-1]
    return offset + start + slope * (len(points) - 1 + np.arange(1, horizon + 1))


@pytest.mark.parametrize("window", [2, 3, 10, 64])
def test_forecasts_are_numpys_on_every_prefix(series: list[float], window: int) -> None:
    """Once more than a window of points came, every forecast is on numpy's line through the last ones."""
    scale = max(map(abs, series))
    for count, forecasts in _forecasts(series, window, 4):
        assert forecasts == pytest.approx(_lstsq(series[count - window : count], 4), rel=1e-9, abs=1e-9 * scale)


def test_the_line_is_scipys() -> None:
    """Slope and intercept are those of scipy's linregress."""
    for count, forecasts in _forecasts(READINGS, 5, 2):
        fit = linregress(np.arange(count - 4, count + 1), READINGS[count - 5 : count])
        expected = [fit.intercept + fit.slope * (count + ahead) for ahead in (1, 2)]
        assert forecasts == pytest.approx(expected, rel=1e-12)


def test_forecasts_are_commons_maths() -> None:
    """In single precision the forecasts are those of the library RIoTBench uses, to one unit in the last place."""
    made = [forecasts for _, forecasts in _forecasts(READINGS, 5, 3)]
    assert [[float(np.float32(ahead)) for ahead in forecasts] for forecasts in made] == [
        pytest.approx(forecasts, rel=1.2e-7) for forecasts in OF_JAVA
    ]


def test_an_offset_does_not_cost_digits() -> None:
    """A line far from zero is followed as exactly as one near it."""
    line = [1e9 + 0.25 * step for step in range(200)]
    for count, forecasts in _forecasts(line, 10, 1):
        assert forecasts == [pytest.approx(1e9 + 0.25 * count, abs=1e-6)]


def test_an_outlier_leaves_nothing_behind() -> None:
    """When a point of 1e200 has left the window, forecasts are what they would be without it."""
    readings = [*READINGS, 1e200, *READINGS, *READINGS]
    with_it = dict(_forecasts(readings, 5, 2))
    without = dict(_forecasts([*READINGS, 0.0, *READINGS, *READINGS], 5, 2))
    for count in range(len(READINGS) + 6, len(readings) + 1):
        assert with_it[count] == pytest.approx(without[count], rel=1e-12)


def test_no_error_gathers() -> None:
    """After a hundred thousand points the forecasts are as exact as after ten."""
    readings = [20.0 + (step * 7919 % 1000) / 7.0 for step in range(100_000)]
    *_, (_, forecasts) = _forecasts(readings, 10, 3)
    assert forecasts == pytest.approx(_lstsq(readings[-10:], 3), rel=1e-12)


@given(st.lists(numbers, max_size=20), st.lists(numbers, max_size=20))
def test_runs_join_to_the_moments_of_the_whole(first: list[float], second: list[float]) -> None:
    """Moments of two runs, joined, are numpy's moments of the run of both."""
    left, right, both = (_moments(run) for run in (first, second, first + second))
    joined = left.then(right)
    scale = max([1.0, *map(abs, first), *map(abs, second)])
    assert joined.count == both.count
    assert joined.mean == pytest.approx(both.mean, abs=1e-12 * scale)
    assert joined.product == pytest.approx(both.product, abs=1e-10 * scale)


def _moments(run: list[float]) -> Moments:
    if not run:
        return Moments()
    xs, ys = np.arange(len(run)), np.array(run)
    return Moments(len(run), float(ys.mean()), float(((xs - xs.mean()) * (ys - ys.mean())).sum()))


@given(st.lists(numbers, min_size=1, max_size=60), st.integers(2, 9), st.data())
def test_a_loaded_line_goes_on_bit_for_bit(readings: list[float], window: int, data: st.DataObject) -> None:
    """A line loaded from another's state at any cut gives exactly what the other gives."""
    cut = data.draw(st.integers(0, len(readings)))
    line, loaded = SlidingRegression(window, 2), SlidingRegression(window, 2)
    for reading in readings[:cut]:
        line.update(reading)
    loaded.load(line.state())
    for reading in readings[cut:]:
        assert loaded.update(reading) == line.update(reading)
