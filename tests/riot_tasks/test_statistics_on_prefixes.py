"""Each statistics task beside NumPy or SciPy, after every record of a real and of a made-up series."""

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.linalg import solve_banded
from scipy.stats import linregress

from riot_tasks import Record, Task, Value
from riot_tasks.predict.interpolate import Interpolate
from riot_tasks.predict.sliding_regression import SlidingRegression
from riot_tasks.statistics.accumulate import Accumulate
from riot_tasks.statistics.average import Average
from riot_tasks.statistics.distinct_count import DistinctCount
from riot_tasks.statistics.kalman_filter import KalmanFilter
from riot_tasks.statistics.second_moment import SecondMoment


def _record(number: int, value: Value) -> Record:
    return Record(number, "dev7", float(number), {"x": value})


def _prefixes(task: Task, series: list[float], field: str = "x") -> Iterator[tuple[list[float], list[Value]]]:
    """Each prefix, from one reading to all, and what the task gave for its last reading."""
    for end, reading in enumerate(series, start=1):
        yield series[:end], [result.values[field] for result in task.process(_record(end, reading))]


def test_kalman_estimates_are_those_of_least_squares(series: list[float]) -> None:
    """Each estimate ends the path that fits all readings so far best, solved by SciPy at one go.

    That is what the filter computes step by step: the path of least squared steps (by the process noise) and
    distances to the readings (by the sensor noise), starting near the first reading (by the estimated error).
    """
    process, sensor, error = 0.125, 0.32, 30.0
    for readings, said in _prefixes(KalmanFilter(["x"]), series):
        size = len(readings)
        bands = np.full((3, size), -1 / process)  # above the diagonal, on it, and below
        bands[1] = 1 / sensor + 2 / process
        bands[1, -1] -= 1 / process
        bands[1, 0] += 1 / (error + process) - 1 / process
        wanted = np.array(readings) / sensor
        wanted[0] += readings[0] / (error + process)
        assert said == [pytest.approx(solve_banded((1, 1), bands, wanted)[-1], rel=1e-10)]


def test_averages_are_those_of_blocks(series: list[float]) -> None:
    """After each reading the means so far, and the partial one that a flush gives, are NumPy's of blocks of ten."""
    means = list[Value]()
    task = Average(["x"])
    for readings, said in _prefixes(task, series):
        means += said
        whole = len(readings) - len(readings) % 10
        assert means == pytest.approx(np.reshape(readings[:whole], (-1, 10)).mean(axis=1), rel=1e-13)
        ended = Average(["x"])
        ended.restore(task.snapshot())
        rest = [result.values["x"] for result in ended.flush()]
        assert rest == ([pytest.approx(np.mean(readings[whole:]), rel=1e-13)] if readings[whole:] else [])


def test_forecasts_are_those_of_the_line(series: list[float]) -> None:
    """After each reading from the eleventh on the forecasts are on SciPy's line through the last ten."""
    for readings, said in _prefixes(SlidingRegression(["x"], horizon=3), series):
        if len(readings) <= 10:
            assert said == []
            continue
        line = linregress(range(10), readings[-10:])
        scale = max(map(abs, readings[-10:]))
        assert said == pytest.approx([line.intercept + line.slope * at for at in (10, 11, 12)], abs=1e-12 * scale)


def test_moments_are_those_of_the_counts(series: list[float]) -> None:
    """After each reading the second moment is the sum of NumPy's counts, squared, while all readings are tracked."""
    for readings, said in _prefixes(SecondMoment(["x"], tracked=len(series)), series):
        _, counts = np.unique(readings, return_counts=True)
        assert said == [float(np.sum(counts.astype(np.int64) ** 2))]


def test_moments_from_a_sample_are_near(series: list[float]) -> None:
    """Past what is tracked the mean over 50 seeds stays within 4 standard errors, at each hundredth reading."""
    runs = [[said[0] for _, said in _prefixes(SecondMoment(["x"], seed=seed), series)] for seed in range(50)]
    for end in range(100, len(series) + 1, 100):
        estimates = np.array([run[end - 1] for run in runs], dtype=float)
        _, counts = np.unique(series[:end], return_counts=True)
        assert estimates.mean() == pytest.approx(np.sum(counts**2), abs=4 * estimates.std() / np.sqrt(50))


def test_distinct_counts_are_near_the_true_ones(series: list[float]) -> None:
    """After each reading the count is NumPy's to within 3 of the published standard errors, or to one."""
    for readings, said in _prefixes(DistinctCount("x"), series, "distinct_count"):
        distinct = len(np.unique(readings))
        assert said == [pytest.approx(distinct, abs=max(1, 3 * 1.30 / np.sqrt(1024) * distinct))]


@pytest.mark.parametrize("window", [1, 5, 40])
def test_gaps_are_filled_with_the_means_of_readings(series: list[float], window: int) -> None:
    """After each reading a gap would be filled with NumPy's mean of the last ones."""
    task = Interpolate(["x"], window=window)
    for readings, said in _prefixes(task, series):
        assert said == readings[-1:]
        (filled,) = task.process(_record(0, None))
        assert filled.values["x"] == pytest.approx(np.mean(readings[-window:]), rel=1e-14)


def test_series_are_all_the_readings(series: list[float]) -> None:
    """After each reading what a flush would give are the readings since the last full window."""
    task = Accumulate(["x"])
    for readings, said in _prefixes(task, series, "series"):
        ended = Accumulate(["x"])
        ended.restore(task.snapshot())
        late = [result.values["series"] for result in ended.flush()]
        first = (len(readings) - 1) // 20 * 20
        points = ",".join(f"[{at + 1.0!r},{readings[at]!r}]" for at in range(first, len(readings)))
        assert said + late == [f'{{"x":[{points}]}}']
