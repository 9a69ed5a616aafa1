"""Each statistics task with `parity` beside RIoTBench's arithmetic, written again in NumPy's single precision.

Bit for bit, after every record of a real and of a made-up series; forecasts, which the original takes in doubles, to
the last bit of a float.
"""

from collections.abc import Iterator
from hashlib import sha1

import numpy as np

from riot_tasks import Record, Task, Value
from riot_tasks.filter.range_filter import RangeFilter
from riot_tasks.predict.error_estimate import ErrorEstimate
from riot_tasks.predict.interpolate import Interpolate
from riot_tasks.predict.sliding_regression import SlidingRegression
from riot_tasks.statistics.average import Average
from riot_tasks.statistics.distinct_count import DistinctCount
from riot_tasks.statistics.kalman_filter import KalmanFilter
from riot_tasks.statistics.second_moment import SecondMoment

F = np.float32


def _said(task: Task, readings: Iterator[Value] | list[float], field: str = "x") -> Iterator[list[Value]]:
    """What the task gave for each reading."""
    for number, reading in enumerate(readings):
        record = Record(number, "dev7", 0.0, {"x": reading})
        yield [result.values[field] for result in task.process(record)]


def test_kalman(series: list[float]) -> None:
    """From an estimate of 0 and the error of the settings, each step in floats."""
    estimate, error = F(0), F(30)
    for reading, said in zip(series, _said(KalmanFilter(["x"], parity=True), series), strict=True):
        predicted = error + F(0.125)
        gain = predicted / (predicted + F(0.32))
        estimate += gain * (F(reading) - estimate)
        error = (F(1) - gain) * predicted
        assert said == [float(estimate)]


def test_average(series: list[float]) -> None:
    """A float sum and a count, divided and begun again at the tenth."""
    total, count = F(0), 0
    for reading, said in zip(series, _said(Average(["x"], parity=True), series), strict=True):
        total, count = total + F(reading), count + 1
        assert said == ([float(total / F(10))] if count == 10 else [])
        if count == 10:
            total, count = F(0), 0


def test_sliding_regression(series: list[float]) -> None:
    """The line by doubles about the means, which are what the original's library keeps; the forecasts as floats."""
    xs, ys = np.arange(1.0, len(series) + 1), np.array(series)
    for end, said in enumerate(_said(SlidingRegression(["x"], horizon=3, parity=True), series), start=1):
        if end <= 10:
            assert said == []
            continue
        x, y = xs[end - 10 : end], ys[end - 10 : end]
        slope = np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2)
        line = [F(y.mean() + slope * (ahead - x.mean())) for ahead in (end + 1, end + 2, end + 3)]
        assert [F(value) for value in said] == said
        np.testing.assert_array_max_ulp(np.array(said, dtype=F), np.array(line), maxulp=1)


def test_second_moment(series: list[float]) -> None:
    """n(2c - 1) over an array of counts, empty ones included, by the number of values."""
    size = len(series)
    counts, slots = np.zeros(size, dtype=np.int64), dict[np.float32, int]()
    readings = [round(reading, 0) for reading in series]  # so that values come again
    task = SecondMoment(["x"], tracked=size, parity=True)
    for seen, (reading, said) in enumerate(zip(readings[:150], _said(task, readings[:150]), strict=True), start=1):
        counts[slots.setdefault(F(reading), seen - 1)] += 1
        terms = (seen * (2 * counts - 1)).astype(F)
        total = np.add.accumulate(terms, dtype=F)[-1]
        assert said == [float(total / F(len(slots)))]


def test_distinct_count(series: list[float]) -> None:
    """Trailing zeros by bucket, of Guava's SHA-1 of the text read as a little-endian int; the estimate, floored."""
    ranks = np.zeros(1024, dtype=np.int64)
    texts: list[Value] = [f"{reading}" for reading in series]
    task = DistinctCount("x", parity=True)
    for item, said in zip(texts, _said(task, iter(texts), "distinct_count"), strict=True):
        hashed = np.frombuffer(sha1(str(item).encode()).digest(), dtype="<i4")[0]
        rest = int(hashed >> 10)
        zeros = 31 if rest == 0 else len(bin(rest)) - len(bin(rest).rstrip("0"))
        bucket = int(hashed & 1023)
        ranks[bucket] = max(ranks[bucket], zeros)
        assert said == [float(F(np.floor(0.79402 * 1024 * 2 ** ranks.mean())))]


def test_interpolate(series: list[float]) -> None:
    """Readings as floats, a gap as their float sum by their number, 0 while there are none."""
    readings: list[Value] = [None if at % 4 in {0, 3} else reading for at, reading in enumerate(series)]
    last = list[np.float32]()
    for reading, said in zip(readings, _said(Interpolate(["x"], parity=True), iter(readings)), strict=True):
        if isinstance(reading, float):
            last = [*last, F(reading)][-5:]
            assert said == [float(F(reading))]
            continue
        total = F(0)
        for each in last:
            total += each
        assert said == [float(total / F(len(last))) if last else 0.0]


def test_error_estimate(series: list[float]) -> None:
    """The difference of floats by a float, whatever the last average was."""
    task = ErrorEstimate("x", predicted="y", parity=True)
    for number, reading in enumerate(series[1:], start=1):
        average, predicted = series[number - 1], series[number // 2]
        assert list(task.process(Record(number, "dev7", 0.0, {"x": average}))) == []
        (result,) = task.process(Record(number, "dev7", 0.0, {"x": reading, "y": predicted}))
        assert result.values["error"] == float((F(reading) - F(predicted)) / F(average))


def test_range_filter(series: list[float]) -> None:
    """Bounds and readings as floats, both bounds within."""
    low, high = (float(bound) for bound in np.quantile(series, [0.25, 0.75]))
    task = RangeFilter({"x": [low, high]}, parity=True)
    for reading, said in zip(series, _said(task, series), strict=True):
        assert bool(said) == bool(F(low) <= F(reading) <= F(high))
