"""What ETL and STATS give, worked out plainly: one loop over a file's messages, nothing of riotd's stages."""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from math import fsum
from typing import Any, NamedTuple
from zlib import crc32

from riot_tasks.algorithms.bloom import BloomFilter
from riot_tasks.algorithms.kalman import Kalman
from riot_tasks.algorithms.loglog import LogLog
from riot_tasks.algorithms.regression import SlidingRegression
from tests.contracts.flows.datasets import DATASETS, Dataset

Values = dict[str, Any]


class Reading(NamedTuple):
    """A message: whose, when in Unix seconds, and its entries in order, numbers as such."""

    source: str
    time: float
    values: Values


def readings(dataset: str, lines: Iterable[bytes]) -> Iterator[Reading]:
    """The messages of a file in RIoTBench's form, `<epoch ms>,<draft SenML>`."""
    of = DATASETS[dataset]
    for line in lines:
        pack = json.loads(line.partition(b",")[2])
        values = {entry["n"]: float(entry["v"]) if "v" in entry else entry["sv"] for entry in pack["e"]}
        yield Reading(values.pop(of.id), int(pack["bt"]) / 1000, values)


def etl(dataset: str, lines: Iterable[bytes], known: Mapping[str, list[str]]) -> Iterator[Reading]:
    """ETL's rows: of known devices, outliers replaced, annotated; messages that lack a field are none.

    Args:
        dataset: whose.
        lines: of the file.
        known: annotations by device; the Bloom filter of them takes one stranger in a hundred for a device of ours.
    """
    of, history = DATASETS[dataset], defaultdict[tuple[str, str], deque[float]](lambda: deque(maxlen=5))
    devices = BloomFilter.sized(len(known), 0.01)
    for who in known:
        devices.add(who)
    fields = [*of.others, *of.measured]
    for source, time, values in readings(dataset, lines):
        if of.gated and source not in devices:
            continue
        row: Values = {}
        for name, value in values.items():
            lowest, highest = of.ranges.get(name, (float("-inf"), float("inf")))
            row[name] = value if isinstance(value, str) or lowest <= value <= highest else None
            past = history[source, name]
            if name in of.filled and row[name] is None:
                row[name] = fsum(past) / len(past) if past else None
            elif name in of.filled:
                past.append(value)
        if all(name in row for name in fields):
            noted = (
                zip(of.annotations, (value or None for value in known[source]), strict=True) if source in known else ()
            )
            yield Reading(source, time, {**{name: row[name] for name in fields}, **dict(noted)})


def table(dataset: str, rows: list[Reading]) -> list[tuple[str, float, dict[str, Any]]]:
    """What a table has of rows: one for a device's instant, or for a taxi's trip; what comes again changes it."""
    kept: dict[str, tuple[str, float, dict[str, Any]]] = {}
    for source, time, values in rows:
        trip = f"{values.get('hack_license')}-{values.get('pickup_datetime')}"
        key = f"{source}-{trip}" if dataset == "taxi" else f"{source}-{round(time * 1000)}"
        said = {name: value for name, value in values.items() if value is not None}
        kept[key] = source, time, {**(kept[key][2] if key in kept else {}), **said}
    return [kept[key] for key in sorted(kept)]


class Stats(NamedTuple):
    """STATS's results, each list in the order of the messages.

    Attributes:
        averages: device, quantity, time, mean.
        forecasts: device, quantity, time, mean of the forecasts.
        counts: device, time, devices so far.
        charts: by device and quantity, what each chart has: series by name, of times and values.
    """

    averages: list[tuple[str, str, float, float]]
    forecasts: list[tuple[str, str, float, float]]
    counts: list[tuple[str, float, int]]
    charts: dict[tuple[str, str], list[dict[str, list[list[float]]]]]


def stats(dataset: str, lines: Iterable[bytes]) -> Stats:
    """STATS's results for a file that ends: what is gathered then comes too."""
    of, found = DATASETS[dataset], Stats([], [], [], defaultdict(list))
    series, devices = dict[tuple[str, str], _Series](), LogLog(10)
    for source, time, values in readings(dataset, lines):
        for name in (name for name in values if name in of.measured):
            series.setdefault((source, name), _Series(of, f"{source}\x1f{name}")).take(time, values[name])
        if of.counted in values:
            devices.add(source.encode())
            found.counts.append((source, time, round(devices.estimate())))
    for (source, name), each in series.items():
        each.end()
        found.averages.extend((source, name, *point) for point in each.averages)
        found.forecasts.extend((source, name, *point) for point in each.forecasts)
        found.charts[source, name] = [_chart(points, name, of.steps) for points in each.charts if points]
    return found


class _Series:
    """One quantity of one device.

    Attributes:
        averages: time and mean of each ten readings.
        forecasts: time of the reading they follow from, and their mean.
        charts: what each chart has, as it came: whether it is a forecast, time, value; the first one is shorter, by the
            name of the series.
    """

    def __init__(self, of: Dataset, name: str) -> None:
        self.averages: list[tuple[float, float]] = []
        self.forecasts: list[tuple[float, float]] = []
        self.charts: list[list[tuple[bool, float, float]]] = [[]]
        self._of, self._room = of, 1 + crc32(name.encode()) % of.charted
        self._block: list[float] = []
        self._kalman, self._line = Kalman(0.125, 0.32, 30.0), SlidingRegression(10, of.steps, mean=True)
        self._last = 0.0

    def take(self, time: float, value: float) -> None:
        """The next reading."""
        self._last = time
        self._block.append(value)
        if len(self._block) == 10:
            self._average()
        if ahead := self._line.update(self._kalman.update(value)):
            self.forecasts.append((time, *ahead))
            self._draw(True, self.forecasts[-1])  # noqa: FBT003 - private

    def end(self) -> None:
        """The file ends: what is left of the last ten has a mean too."""
        if self._block:
            self._average()

    def _average(self) -> None:
        self.averages.append((self._last, sum(self._block) / len(self._block)))
        self._block = []
        self._draw(False, self.averages[-1])  # noqa: FBT003 - private

    def _draw(self, ahead: bool, point: tuple[float, float]) -> None:  # noqa: FBT001 - private
        if len(self.charts[-1]) == self._room:
            self.charts.append([])
            self._room = self._of.charted
        self.charts[-1].append((ahead, *point))


def _chart(points: list[tuple[bool, float, float]], name: str, steps: int) -> dict[str, list[list[float]]]:
    """Both lines, each in the order of its times, under their names, which are those of what came first."""
    chart: dict[str, list[list[float]]] = {}
    for ahead, time, value in points:
        chart.setdefault(f"{name} step 1-{steps}" if ahead else name, []).append([time, value])
    return {line: sorted(each, key=lambda point: point[0]) for line, each in chart.items()}
