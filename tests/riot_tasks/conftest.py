"""Series to measure the algorithms on."""

import json
from math import pi, sin
from pathlib import Path
from random import Random

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "../shared/riotbench-data/SYS_sample_data_senml.csv"


def _of_the_sample() -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"temperature": [], "humidity": [], "light": [], "dust": [], "airquality_raw": []}
    for line in SAMPLE.read_text().splitlines():
        for entry in json.loads(line.partition(",")[2])["e"]:
            if entry["n"] in found:
                found[entry["n"]].append(float(entry["v"]))
    return found


def _made_up() -> dict[str, list[float]]:
    dice = Random(7)  # a day of one city sensor every two minutes, with an outlier now and then
    days = [sin(2 * pi * step / 720) for step in range(720)]
    return {
        "temperature": [15.0 + 8.0 * day + dice.gauss(0.0, 0.5) for day in days],
        "dust": [dice.choice([dice.gauss(1200.0, 300.0), 10427.86]) for _ in days],
    }


@pytest.fixture(scope="session", params=["temperature", "dust"])
def series(request: pytest.FixtureRequest) -> list[float]:
    """A real series of RIoTBench's city sample if it is there, else one made up."""
    return (_of_the_sample() if SAMPLE.exists() else _made_up())[request.param]
