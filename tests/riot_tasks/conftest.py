"""Series to measure the algorithms on."""

import json
from functools import cache
from math import pi, sin
from pathlib import Path
from random import Random

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "../shared/riotbench-data/SYS_sample_data_senml.csv"


@cache
def _of_the_sample() -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"temperature": [], "humidity": [], "light": [], "dust": [], "airquality_raw": []}
    for line in SAMPLE.read_text().splitlines():
        for entry in json.loads(line.partition(",")[2])["e"]:
            if entry["n"] in found:
                found[entry["n"]].append(float(entry["v"]))
    return found


def _made_up() -> dict[str, list[float]]:
    dice = Random(7)  # a day of one city sensor every two minutes, dust with an outlier now and then
    days = [sin(2 * pi * step / 720) for step in range(720)]
    return {
        "temperature": [round(15.0 + 8.0 * day + dice.gauss(0.0, 0.5), 1) for day in days],
        "dust": [10427.86 if dice.random() < 0.05 else dice.gauss(1200.0, 300.0) for _ in days],
    }


@pytest.fixture(scope="session", params=["city temperature", "city dust", "made-up temperature", "made-up dust"])
def series(request: pytest.FixtureRequest) -> list[float]:
    """A real series of RIoTBench's city sample, where it is there, and one made up, which always is."""
    origin, name = request.param.split()
    if origin == "made-up":
        return _made_up()[name]
    if not SAMPLE.exists():
        pytest.skip("RIoTBench's city sample is not here")
    return _of_the_sample()[name]
