"""GRID: meters that read by the hour, the day of the week and the season."""

import json
from collections import defaultdict
from statistics import fmean

import pytest

from riotd.feeds import SCHEMAS, grid
from riotd.feeds.grid_meter import METERS, meter_id

_DAY = 48


def _energies(*, sensors: int, readings: int, start: float = 1247529600.0, seed: int = 0) -> list[list[float]]:
    """By half hour since the start, what all meters say."""
    feed = grid(sensors=sensors, rate=1e4, start=start, seed=seed, messages=sensors * readings, outliers=0, gaps=0)
    values = [json.loads(pack)[0]["v"] for _, pack in feed]
    return [values[at : at + sensors] for at in range(0, len(values), sensors)]


def test_a_meter_reads_every_half_hour_by_default() -> None:
    """6,435 meters take turns within 1,800 seconds."""
    feed = [due for due, _ in grid(seconds=3600, gaps=0)]
    assert len(feed) == 2 * METERS
    assert all(abs(later - due - 1800) < 1 for due, later in zip(feed, feed[METERS:], strict=False))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("start", [1247529600.0, 1262304000.0])
def test_clean_readings_are_within_the_range_filters_band(seed: int, start: float) -> None:
    """In summer and in winter, of every meter."""
    (column,) = (column for column in SCHEMAS["grid"].columns if column.band)
    assert column.band == (1.828, 36.658)
    for energies in _energies(sensors=METERS, readings=3, start=start, seed=seed):
        assert column.band[0] <= min(energies) <= max(energies) <= column.band[1]


def test_evenings_are_above_nights() -> None:
    """The mean of 300 meters has its lowest half hour by night and its highest in the early evening."""
    day = [fmean(energies) for energies in _energies(sensors=300, readings=_DAY)]
    assert day.index(min(day)) / 2 < 6
    assert 16 < day.index(max(day)) / 2 < 21
    assert max(day) > 1.5 * min(day)


def test_winters_are_above_summers() -> None:
    """The first of January needs more than the 14th of July."""
    summer, winter = (
        fmean(map(fmean, _energies(sensors=200, readings=_DAY, start=start))) for start in (1247529600.0, 1262304000.0)
    )
    assert winter > 1.2 * summer


def test_businesses_rest_on_sundays() -> None:
    """At noon, some of the meters read far less on Sunday than on Wednesday, most do not."""
    found = defaultdict(list)
    for week in range(8):
        for name, days in (("wednesday", 1), ("sunday", 5)):  # after Tuesday, 14 July 2009
            at = 1247529600.0 + 86_400 * (7 * week + days) + 43_200
            (energies,) = _energies(sensors=300, readings=1, start=at, seed=week)
            found[name].append(energies)
    means = [[fmean(meter) for meter in zip(*found[name], strict=True)] for name in ("wednesday", "sunday")]
    resting = sum(sunday < 0.72 * wednesday for wednesday, sunday in zip(*means, strict=True))
    assert 20 < resting < 90


def test_another_rate_plays_the_same_half_hours() -> None:
    """Readings depend on how many came before, not on how fast they came."""
    slow, fast = (
        [pack.rpartition(b":")[2] for _, pack in grid(sensors=10, rate=rate, messages=500)] for rate in (0.01, 1e4)
    )
    assert slow == fast


def test_replicas_read_other_weeks_of_the_same_meter() -> None:
    """Noise aside a replica is its meter some weeks later: as high on the whole, and of the same shape."""
    sensors = METERS + 1
    both = [(energies[0], energies[METERS]) for energies in _energies(sensors=sensors, readings=4)]
    assert all(one != other for one, other in both)
    assert 0.5 < fmean(one for one, _ in both) / fmean(other for _, other in both) < 2


def test_ids_are_four_digits_and_replica_numbers() -> None:
    """Of 20 replicas of all meters no two are alike."""
    assert [meter_id(number) for number in (0, METERS - 1, METERS, 3 * METERS + 7)] == [
        b"1000",
        b"7434",
        b"10001",
        b"10073",
    ]
    assert len({meter_id(number) for number in range(20 * METERS)}) == 20 * METERS
