"""TAXI: trips whose time, distance and money agree with each other."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from statistics import correlation, median
from typing import Any

import pytest

from riotd.feeds import taxi
from riotd.feeds.taxi_fare import metered, surcharge, tip, tolls
from riotd.feeds.taxi_trip import TAXIS, taxi_id

_TRIPLES = Path(__file__).resolve().parents[2].parent / "shared" / "riotbench-data" / "taxi_train_triples.csv"


def _rows(**arguments: Any) -> list[dict[str, Any]]:
    """Trips as RIoTBench tells of them, all values text, with its `bt`."""
    found = []
    usual: dict[str, Any] = {"messages": 4000, "outliers": 0, "gaps": 0, "form": "riotbench"}
    for _, pack in taxi(**(usual | arguments)):
        document = json.loads(pack)
        found.append({entry["n"]: entry.get("v", entry.get("sv")) for entry in document["e"]} | {"bt": document["bt"]})
    return found


def _cents(text: str) -> int:
    return round(float(text) * 100)


@pytest.mark.parametrize(
    ("miles", "minutes", "cents"),
    [
        (0, 0, 250),  # the start
        (100, 1, 500),  # five fifths of a mile, fast
        (19, 1, 300),  # not a whole fifth, but most of its minute slow
        (100, 10, 750),  # five fifths, and 7 - 1.2 minutes in slow traffic
        (908, 24, 2800),  # 45.4 fifths and 5.9 minutes
    ],
)
def test_the_meter_counts_fifths_of_a_mile_and_slow_minutes(miles: int, minutes: int, cents: int) -> None:
    """2.50 dollars at the start and 0.50 a unit, whole units only."""
    assert metered(miles, minutes) == cents


@pytest.mark.skipif(not _TRIPLES.exists(), reason="RIoTBench's training data are not here")
def test_the_meter_agrees_with_the_originals_fares() -> None:
    """Over RIoTBench's training triples, flat fares and broken records aside, it is off by less than 45 cents."""
    with _TRIPLES.open() as file:
        rows = [[float(cell) for cell in line.split(",")] for line in file if line[0].isdigit()]
    errors = [
        abs(metered(round(100 * miles), round(seconds / 60)) / 100 - fare)
        for seconds, miles, fare in rows
        if seconds > 60 and miles > 0.1 and fare != 52.0 and fare < 100
    ]
    assert len(errors) > 3500
    assert sum(errors) / len(errors) < 0.45


@pytest.mark.parametrize(
    ("hour", "weekday", "cents"),
    [(0, 0, 50), (5, 6, 50), (6, 0, 0), (16, 4, 100), (16, 5, 0), (19, 0, 100), (20, 0, 50)],
)
def test_surcharges_are_by_the_hour(hour: int, weekday: int, cents: int) -> None:
    """By night 50 cents, in the weekdays' rush hour a dollar."""
    assert surcharge(hour, weekday) == cents


def test_fares_follow_from_distance_and_time() -> None:
    """Every fare is the meter's or the flat one of the airport; both occur."""
    flat = 0
    for row in _rows(rate=0.02):
        fare = metered(_cents(row["trip_distance"]), int(row["trip_time_in_secs"]) // 60)
        if _cents(row["fare_amount"]) != fare:
            assert row["fare_amount"] == "52.00"
            assert row["surcharge"] == "0.00"
            flat += 1
    assert 50 < flat < 180  # of 4,000


def test_the_total_is_the_sum() -> None:
    """To the cent, in every trip."""
    parts = ("fare_amount", "surcharge", "mta_tax", "tip_amount", "tolls_amount")
    assert all(_cents(row["total_amount"]) == sum(_cents(row[part]) for part in parts) for row in _rows())


def test_only_cards_tip() -> None:
    """As in the original: tips in cash are not recorded, some cards tip nothing, most of them a fifth."""
    rows = _rows()
    assert {row["tip_amount"] for row in rows if row["payment_type"] == "CSH"} == {"0.00"}
    cards = [row for row in rows if row["payment_type"] == "CRD"]
    assert 0.48 < len(cards) / len(rows) < 0.56
    shares = [
        round(_cents(row["tip_amount"]) / (_cents(row["fare_amount"]) + _cents(row["surcharge"])), 2) for row in cards
    ]
    assert median(shares) == 0.2
    assert 0 < sum(share == 0 for share in shares) / len(cards) < 0.1


def test_clean_values_are_where_the_originals_are() -> None:
    """Ranges of section 5.1's 1,000 rows, a rush hour's surcharge aside; upper bounds are the filter's."""
    rows = _rows(rate=0.02)
    ranges = {
        "trip_time_in_secs": (60, 3060),
        "trip_distance": (0.1, 22.3),
        "fare_amount": (2.5, 201),
        "surcharge": (0, 1),
        "mta_tax": (0.5, 0.5),
        "tip_amount": (0, 38.55),
        "tolls_amount": (0, 18),
    }
    for name, (low, high) in ranges.items():
        values = [float(row[name]) for row in rows]
        assert low <= min(values) <= max(values) <= high, name
    assert all(float(row["trip_distance"]) * 3600 <= 60 * int(row["trip_time_in_secs"]) for row in rows)


def test_distance_time_and_fare_hang_together() -> None:
    """Correlations are the training triples': 0.81 of time and distance, and more of either and the fare."""
    rows = _rows(rate=0.02)
    time, miles, fare = (
        [float(row[name]) for row in rows] for name in ("trip_time_in_secs", "trip_distance", "fare_amount")
    )
    assert 0.7 < correlation(time, miles) < 0.9
    assert correlation(time, fare) > 0.8
    assert correlation(miles, fare) > 0.9


def test_base_times_are_indian() -> None:
    """In RIoTBench's form the base time is pickup plus trip, read in India: 5.5 hours earlier; all on whole seconds."""
    for row in _rows(messages=500):
        picked = datetime.fromisoformat(row["pickup_datetime"]).replace(tzinfo=UTC).timestamp()
        assert row["bt"] == (picked + int(row["trip_time_in_secs"]) - 19_800) * 1000
        assert int(row["trip_time_in_secs"]) % 60 == 0


def test_rfc_times_are_new_yorks() -> None:
    """In the RFC's form the pickup says its zone, and its instant plus the trip's time is the base time."""
    for _, pack in taxi(messages=500, outliers=0, gaps=0):
        base, *_ = entries = json.loads(pack)
        values = {entry["n"]: entry.get("v", entry.get("vs")) for entry in entries}
        picked = datetime.fromisoformat(values["pickup_datetime"])
        assert picked.utcoffset() is not None
        assert base["bt"] == picked.timestamp() + values["trip_time_in_secs"]


def test_ids_and_licences_are_32_hexadecimal_digits() -> None:
    """Of all taxis, no two alike; a taxi has one licence by day and another by night; replicas have a number more."""
    form = re.compile(r"[0-9A-F]{32}")
    rows = _rows(sensors=5, rate=5 / 3600, messages=240)
    assert all(form.fullmatch(row["taxi_identifier"]) and form.fullmatch(row["hack_license"]) for row in rows)
    assert len({row["taxi_identifier"] for row in rows}) == 5
    assert len({row["hack_license"] for row in rows}) == 10
    assert len({taxi_id(number) for number in range(2 * TAXIS)}) == 2 * TAXIS
    assert taxi_id(TAXIS + 3) == taxi_id(3) + b"1"


def test_some_positions_are_lost() -> None:
    """As in 13 of 700 sample rows both ends are 0; all others are in and around New York."""
    rows = _rows()
    lost = [row for row in rows if row["pickup_longitude"] == "0.000000"]
    assert 0.01 < len(lost) / len(rows) < 0.03
    assert all(float(row["dropoff_latitude"]) == 0 for row in lost)
    for row in rows:
        if row not in lost:
            assert -74.5 < float(row["pickup_longitude"]) < -73.4
            assert 40.4 < float(row["dropoff_latitude"]) < 41.1


def test_longer_trips_meet_more_tolls() -> None:
    """Bridges and tunnels are hardly on the way of short trips, and on that of most trips of 9 to 12 miles."""
    paid = {miles: sum(tolls(miles, bits) > 0 for bits in range(4096)) for miles in (100, 700, 1000)}
    assert paid == {100: 10, 700: 920, 1000: 2540}


def test_a_tip_is_a_share_of_the_cost() -> None:
    """Between nothing and 30 percent, whatever is drawn."""
    shares = {tip(10_000, bits) for bits in range(65_536)}
    assert (min(shares), max(shares)) == (0, 3000)
