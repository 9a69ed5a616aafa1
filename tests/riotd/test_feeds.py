"""CITY data made up from a seed: the same again, within its bands, shaped by the day, faulty as asked for."""

import hashlib
import json
from collections import defaultdict
from itertools import groupby, islice, pairwise
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riot_tasks import senml
from riot_tasks.errors import BadRecord
from riotd.feeds import BANDS, START, city, sensor_id
from riotd.feeds.city_sensor import Form

_SAMPLE = Path(__file__).resolve().parents[2].parent / "shared" / "riotbench-data" / "SYS_sample_data_senml.csv"
_DAY = 86400.0


def _values(pack: bytes) -> dict[str, float]:
    return {entry["n"]: entry["v"] for entry in json.loads(pack)}


def _device(pack: bytes) -> str:
    base: str = json.loads(pack)[0]["bn"]
    return base.split(":")[-2]


def _outside(pack: bytes) -> list[str]:
    values = _values(pack)
    return [name for name, (low, high) in BANDS.items() if name in values and not low <= values[name] <= high]


def _by_hour(field: str) -> dict[int, float]:
    """Means over two days of 30 sensors by the hour of the sun."""
    found = defaultdict(list)
    for due, pack in city(sensors=30, rate=0.05, messages=8640, outliers=0, gaps=0):
        values = _values(pack)
        found[int((due + values["longitude"] * 240) % _DAY // 3600)].append(values[field])
    return {hour: fmean(values) for hour, values in found.items()}


@pytest.mark.parametrize("form", ["rfc", "riotbench"])
def test_the_same_seed_gives_the_same_bytes(form: Form) -> None:
    """Two runs with equal arguments are equal, faults included."""
    once, again = (list(city(seed=7, malformed=0.1, gaps=0.1, form=form, messages=2000)) for _ in range(2))
    assert once == again


def test_the_first_packs_are_known() -> None:
    """On any machine the first 20,000 packs have this digest."""
    digest = hashlib.sha256()
    for due, pack in city(messages=20_000):
        digest.update(b"%r,%b\n" % (due, pack))
    assert digest.hexdigest() == "4c450bb631cdf38c090f9c5ec2d57be2a4e02c281b94d01e64ef6ed2f4d12542"


def test_another_seed_gives_other_values_of_the_same_sensors() -> None:
    """The seed decides what is measured, not who measures where."""
    one, other = (list(city(seed=seed, messages=90, outliers=0, gaps=0)) for seed in (1, 2))
    assert [_device(pack) for _, pack in one] == [_device(pack) for _, pack in other]
    assert [_values(pack)["longitude"] for _, pack in one] == [_values(pack)["longitude"] for _, pack in other]
    assert all(pack != twin for (_, pack), (_, twin) in zip(one, other, strict=True))


def test_an_end_only_cuts_the_endless_feed() -> None:
    """`messages` gives the first ones of what comes without it."""
    assert list(city(messages=500)) == list(islice(city(), 500))


def test_due_times_ascend_at_the_rate_and_are_in_the_pack() -> None:
    """The n-th pack comes in the n-th 64th of a second; each pack's time is its due time cut to milliseconds."""
    feed = list(city(rate=64, messages=3000, start=2.0**30))
    assert all(earlier <= later for (earlier, _), (later, _) in pairwise(feed))
    assert [int((due - 2.0**30) * 64) for due, _ in feed] == list(range(3000))
    assert all(round(json.loads(pack)[0]["bt"] * 1000) == int(due * 1000) for due, pack in feed)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), start=st.floats(2**28, 4e9), sensors=st.integers(1, 300))
def test_clean_values_are_within_the_bands(seed: int, start: float, sensors: int) -> None:
    """Whatever the seed, the time and the sensor: no value is outside of the range filter's band."""
    feed = city(seed=seed, start=start, sensors=sensors, rate=0.01, messages=400, outliers=0, gaps=0)
    assert [pack for _, pack in feed if _outside(pack)] == []


def test_each_outlier_is_one_value_beyond_its_band() -> None:
    """A share of 5 % in 20,000 packs is 1,000 of them, give or take, in all fields."""
    outside = [names for _, pack in city(messages=20_000, outliers=0.05, gaps=0) if (names := _outside(pack))]
    assert 900 < len(outside) < 1100
    assert {len(names) for names in outside} == {1}
    assert {name for (name,) in outside} == set(BANDS)


def test_a_gap_is_one_field_missing_for_a_while() -> None:
    """Gaps take their share of the packs, and last 10 to 30 readings of one sensor and field."""
    missing = defaultdict(list)
    for _, pack in city(sensors=20, messages=40_000, gaps=0.1, outliers=0):
        missing[_device(pack)].append(tuple(set(BANDS) - set(_values(pack))))
    runs = [
        run
        for history in missing.values()
        for run in [(names, len(list(same))) for names, same in groupby(history)][:-1]  # the last one is cut by the end
    ]
    gaps = [length for names, length in runs if names]
    assert 0.08 < sum(gaps) / 40_000 < 0.12
    assert {len(names) for names, _ in runs} == {0, 1}
    assert all(10 <= length <= 60 for length in gaps)  # one gap may run into the next, hardly into a third
    assert 15 < fmean(gaps) < 25


@pytest.mark.parametrize("form", ["rfc", "riotbench"])
def test_malformed_packs_are_refused_and_no_others(form: Form) -> None:
    """A share of 20 % is what our own SenML parser refuses, for all four reasons."""
    refused = []
    for _, pack in city(messages=5000, malformed=0.2, form=form):
        try:
            senml.decode(pack, now=0.0)
        except BadRecord:
            refused.append(pack)
    assert 900 < len(refused) < 1100
    assert any(pack.startswith(b"ERR") for pack in refused)
    assert any(b"1e400" in pack for pack in refused)
    whole = [pack for pack in refused if pack[-1:] in b"]}"]
    assert any(b'"longitude"' not in pack for pack in whole)
    assert any(pack[-1:] not in b"]}" and pack[:1] in b"[{" for pack in refused)


def test_an_rfc_pack_resolves_to_the_citys_fields_and_units() -> None:
    """RFC 8428 makes of it one record of the device with seven fields in units of its registry."""
    due, pack = next(city(outliers=0, gaps=0))
    (record,) = senml.records(pack, id=0, source="", now=0.0)
    assert record.meta["bn"] == f"urn:dev:city:{sensor_id(0)}:"
    assert record.time == pytest.approx(due, abs=1e-3)
    assert list(record.values) == ["longitude", "latitude", *BANDS]
    units = {
        "longitude": "lon",
        "latitude": "lat",
        "temperature": "Cel",
        "humidity": "%RH",
        "light": "lx",
        "dust": "ug/m3",
    }
    assert record.units == units


@pytest.mark.skipif(not _SAMPLE.exists(), reason="RIoTBench's sample data is not here")
def test_the_riotbench_form_has_the_samples_labels_and_order() -> None:
    """But for ids and numbers a pack is written as RIoTBench's own are."""

    def skeleton(pack: str) -> object:
        document = json.loads(pack)
        entries = [
            [key if key in ("v", "sv") else (key, value) for key, value in entry.items()] for entry in document["e"]
        ]
        kinds = [type(entry.get("v", entry.get("sv"))) for entry in document["e"]]
        return list(document), entries, kinds, type(document["bt"])

    with _SAMPLE.open() as file:
        _, _, sample = file.readline().partition(",")
    _, pack = next(city(form="riotbench", outliers=0, gaps=0))
    assert skeleton(pack.decode()) == skeleton(sample)


def test_it_is_light_at_noon_and_dark_at_midnight() -> None:
    """By the sun over each sensor, noon is at least twice as light as midnight, and midnight flat."""
    light = _by_hour("light")
    assert light[12] > 2 * light[0]
    assert max(light[hour] for hour in (22, 23, 0, 1, 2)) - min(light[hour] for hour in (22, 23, 0, 1, 2)) < 30


def test_the_afternoon_is_warmer_and_drier_than_the_night() -> None:
    """Temperature is highest in the afternoon, humidity goes against it."""
    temperature, humidity = _by_hour("temperature"), _by_hour("humidity")
    assert temperature[15] > temperature[3] + 3
    assert humidity[15] < humidity[3] - 5


def test_levels_drift_from_day_to_day_beyond_the_noise() -> None:
    """One sensor at one hour of different days varies by more than its noise."""
    noon = [
        fmean(
            _values(pack)["temperature"] for _, pack in city(sensors=1, rate=1, start=START + day * _DAY, messages=60)
        )
        for day in range(7)
    ]
    assert pstdev(noon) > 3 * 0.15 / 60**0.5


def test_replicas_share_the_place_but_not_the_values() -> None:
    """The 89th sensor is a replica of the first: same stem and place, an offset of its own."""
    feed = [pack for _, pack in islice(city(sensors=89, rate=89, outliers=0, gaps=0), 89 * 20)]
    first, replica = feed[0::89], feed[88::89]
    assert _values(first[0])["longitude"] == _values(replica[0])["longitude"]
    mean, other = (fmean(_values(pack)["temperature"] for pack in packs) for packs in (first, replica))
    assert abs(mean - other) > 0.15


def test_ids_are_stems_and_replica_numbers() -> None:
    """88 stems of 25 characters, then the replica's number, and never two alike."""
    ids = [sensor_id(number) for number in range(880)]
    assert len(set(ids)) == 880
    assert len({name[:25] for name in ids}) == 88
    assert [name[25:] for name in ids[::88]] == [str(replica) for replica in range(10)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sensors": 0}, "sensors"),
        ({"rate": 0.0}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"start": 0.0}, "start"),
        ({"outliers": -0.1}, "outliers"),
        ({"outliers": 0.5, "gaps": 0.5}, "below 1 together"),
    ],
)
def test_an_argument_out_of_range_is_refused_at_once(arguments: dict[str, Any], words: str) -> None:
    """The error comes with the call, not with the first pack, and names the argument."""
    with pytest.raises(ValueError, match=words):
        city(**arguments)
