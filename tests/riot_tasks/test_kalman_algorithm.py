import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks.algorithms.kalman import Kalman, Kalman32

READINGS = [8.0, 7.5, -3.25, 1e3, 21.87, 0.1, 33.333333]
OF_JAVA = [  # x after each of READINGS with q 0.125, r 0.32, P0 30: float arithmetic of OpenJDK 17
    *(7.915914058685303, 7.674745559692383, 2.2942137718200684, 470.1885681152344),
    *(262.9539794921875, 141.962890625, 92.02273559570312),
]
numbers = st.floats(-1e300, 1e300)


def _textbook(readings: list[float], noise: tuple[float, float, float]) -> float:
    """The estimate after all readings as a weighted mean: gains unrolled, nothing carried along."""
    process, sensor, error = noise
    gains = []
    for _ in readings:
        gains.append((error + process) / (error + process + sensor))
        error = (1 - gains[-1]) * (error + process)
    gains[0] = 1.0  # the first reading is the prior mean
    weights = [gain * np.prod([1 - later for later in gains[at + 1 :]]) for at, gain in enumerate(gains)]
    return float(np.dot(weights, readings))


def test_estimates_are_the_textbooks_weighted_means_on_every_prefix(series: list[float]) -> None:
    """Each estimate is the mean of the readings so far, weighted by the unrolled gains."""
    filter_ = Kalman(0.125, 0.32, 30.0)
    for at, reading in enumerate(series[:120]):
        assert filter_.update(reading) == pytest.approx(_textbook(series[: at + 1], (0.125, 0.32, 30.0)), rel=1e-12)


def test_the_gain_settles_where_the_riccati_equation_says() -> None:
    """After many readings the variance is the fixed point of the recursion."""
    q, r = 0.125, 0.32
    filter_ = Kalman(q, r, 30.0)
    for _ in range(200):
        filter_.update(20.0)
    predicted = (q + np.sqrt(q * q + 4 * q * r)) / 2
    assert filter_.state() == pytest.approx([20.0, predicted * r / (predicted + r)], rel=1e-12)


@given(st.lists(numbers, min_size=1, max_size=30))
def test_estimates_stay_within_the_readings(readings: list[float]) -> None:
    """An estimate is never outside of what was read, whatever the numbers."""
    filter_ = Kalman(0.125, 0.32, 30.0)
    for reading in readings:
        estimate = filter_.update(reading)
    room = 1e-9 * max(map(abs, readings))
    assert min(readings) - room <= estimate <= max(readings) + room


def test_single_precision_is_javas_bit_for_bit() -> None:
    """The parity filter gives what RIoTBench's float arithmetic gave under OpenJDK."""
    filter_ = Kalman32(0.125, 0.32, 30.0)
    assert [filter_.update(reading) for reading in READINGS] == OF_JAVA


def test_single_precision_is_numpys_bit_for_bit_on_every_prefix(series: list[float]) -> None:
    """The parity filter is the same recursion in numpy.float32."""
    one, q, r = np.float32(1), np.float32(0.125), np.float32(0.32)
    x, error = np.float32(0), np.float32(30)
    filter_ = Kalman32(0.125, 0.32, 30.0)
    for reading in series:
        error = error + q
        gain = error / (error + r)
        x = x + gain * (np.float32(reading) - x)
        error = (one - gain) * error
        assert filter_.update(reading) == float(x)


@given(st.lists(numbers, max_size=20))
def test_single_precision_never_becomes_infinite(readings: list[float]) -> None:
    """Where Java would go on with Infinity and NaN for ever, the filter saturates and recovers."""
    filter_ = Kalman32(0.125, 0.32, 30.0)
    for reading in [*readings, *[20.0] * 300]:
        estimate = filter_.update(reading)
    assert estimate == pytest.approx(20.0, rel=1e-5)
