import re
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

from riot_tasks import Record, Task
from riot_tasks.filter.bloom_filter import BloomFilter
from riot_tasks.filter.range_filter import RangeFilter
from riot_tasks.noop import Noop
from riot_tasks.predict.error_estimate import ErrorEstimate
from riot_tasks.predict.interpolate import Interpolate
from riot_tasks.predict.sliding_regression import SlidingRegression
from riot_tasks.statistics.accumulate import Accumulate
from riot_tasks.statistics.average import Average
from riot_tasks.statistics.distinct_count import DistinctCount
from riot_tasks.statistics.kalman_filter import KalmanFilter
from riot_tasks.statistics.second_moment import SecondMoment
from riot_tasks.testing import check_task

TWO = ["temperature", "humidity"]
PARAMS: dict[type[Task], list[dict[str, Any]]] = {
    Noop: [{}],
    RangeFilter: [
        {"ranges": {"temperature": [20, 21.5], "humidity": [42, 47]}},
        {"ranges": {"temperature": [20, 21.5], "humidity": [42, 47]}, "on_outlier": "null"},
        {"ranges": {"temperature": [20, 21.5], "humidity": [42, 47]}, "parity": True},
    ],
    BloomFilter: [{"allow": ["dev1", "dev2"]}, {"allow": ["outdoor"], "field": "kind", "on_miss": "null"}],
    KalmanFilter: [{}, {"fields": TWO}, {"fields": TWO, "parity": True}],
    Average: [{"window": 3}, {"fields": TWO, "window": 4}, {"fields": TWO, "parity": True}],
    DistinctCount: [{}, {"item": "temperature", "trigger": "light", "buckets": 5}, {"item": "kind", "parity": True}],
    Accumulate: [
        {"window": 3},
        {"fields": TWO, "window": 5, "name_from": "bn"},
        {"window": 4, "parity": True},
        {"window": 4, "apart": True, "stagger": True},
    ],
    SecondMoment: [{}, {"fields": TWO, "tracked": 5}, {"fields": TWO, "tracked": 5, "parity": True}],
    Interpolate: [{}, {"on_empty": "zero"}, {"fields": ["light"], "on_empty": "drop"}, {"parity": True}],
    ErrorEstimate: [{"actual": "humidity", "predicted": "temperature", "parity": parity} for parity in (False, True)],
    SlidingRegression: [{"window": 5, "horizon": 3}, {"fields": TWO, "window": 2}, {"give": "mean", "parity": True}],
}


def _record(number: int) -> Record:
    values = {
        "temperature": 20.0 + number * 7 % 5 / 3,
        "humidity": str(40 + number % 9),  # RIoTBench's packs hold numbers as text
        "light": None if number % 5 == 0 else number,
        "kind": ("indoor", "outdoor")[number % 2],
    }
    return Record(number, f"dev{number % 4}", float(number), values, {"temperature": "Cel"}, {"bn": "urn:dev:"})


RECORDS = [
    Record(0, "dev1", 0.0, {"humidity": 45.0}),
    *map(_record, range(1, 41)),
    Record(41, "dev1", 41.0, {"other": "x"}),
    Record(42, "dev1", 42.0, {"temperature": "cold", "humidity": 3.0}),
    Record(43, "dev1", 43.0, {"humidity": 44.0, "temperature": 20}),
]


@pytest.mark.parametrize("cls", PARAMS, ids=lambda cls: cls.__name__)
def test_every_task_keeps_the_contract(cls: type[Task]) -> None:
    """The task passes the public battery, with defaults and with each of its modes."""
    check_task(cls, [(params, RECORDS) for params in PARAMS[cls]])


@pytest.mark.parametrize("entry", entry_points(group="riotd.tasks"), ids=lambda entry: entry.name)
def test_no_task_is_left_out(entry: EntryPoint) -> None:
    """Every registered task stands in a test file that calls the public battery."""
    name = entry.value.rpartition(":")[2]
    files = [file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py")]
    assert any("check_task(" in text and re.search(rf"\b{name}\b", text) for text in files)
