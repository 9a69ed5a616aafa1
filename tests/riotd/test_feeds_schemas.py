"""TAXI, FIT and GRID made up from a seed: the same again, written as the originals are, faulty as asked for."""

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import groupby, islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from riot_tasks import senml
from riot_tasks.errors import BadRecord
from riotd.feeds import SCHEMAS, city, fit, grid, taxi

_SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "riotbench-data"
_real = pytest.mark.skipif(not _SAMPLES.exists(), reason="RIoTBench's sample data are not here")

Make = Callable[..., Iterator[tuple[float, bytes]]]
_ALL = [taxi, fit, grid]
_GOLDEN = {
    "taxi": "0ea35e39ea2a5225e6517ce11c548f0e3b753e0197cdcb9d73f7180aa77702b6",
    "fit": "24c2e14f25272697ba7dff04d329f4d518148e273a456015f2c26b54a10d3963",
    "grid": "15454fcee8a04fe68d258b35abc1b83eb761e7fcf726f7f31204b5c935cb3254",
}


def _name(make: Make) -> str:
    return make.__name__


def _draft(pack: bytes) -> dict[str, str]:
    return {entry["n"]: entry.get("v", entry.get("sv")) for entry in json.loads(pack)["e"]}


def _fields(pack: bytes) -> dict[str, Any]:
    (record,) = senml.records(pack, id=0, source="", now=0.0)
    return dict(record.values)


def _beyond(make: Make, pack: bytes) -> list[str]:
    """Fields in which there may be outliers and whose value is not where clean ones are."""
    values = _fields(pack)
    columns = [column for column in SCHEMAS[_name(make)].columns if column.spikes and column.name in values]
    return [column.name for column in columns if any(low <= values[column.name] <= high for low, high in column.spikes)]


@pytest.mark.parametrize("make", _ALL, ids=_name)
def test_the_first_packs_are_known(make: Make) -> None:
    """On any machine the first 2,000 packs, faults included, have this digest."""
    digest = hashlib.sha256()
    for form in ("rfc", "riotbench", "csv"):
        for due, pack in make(messages=2000, seed=11, malformed=0.02, gaps=0.05, arrivals="paper", form=form):
            digest.update(b"%d,%b\n" % (due * 1000, pack))
    assert digest.hexdigest() == _GOLDEN[_name(make)]


_OTHER_MACHINE = """
import math
def off(function):
    return lambda *values: math.nextafter(function(*values), math.inf)
for name in ("exp", "sin", "cos", "log"):
    setattr(math, name, off(getattr(math, name)))
import hashlib
from riotd import feeds
for make in (feeds.city, feeds.taxi, feeds.fit, feeds.grid):
    print(hashlib.sha256(b"".join(pack for _, pack in make(messages=5000))).hexdigest())
"""


def test_a_mathematical_library_off_by_a_bit_changes_nothing() -> None:
    """On a machine whose sine, cosine, exponential and logarithm differ in the last bit, the bytes are the same."""
    program = [sys.executable, "-c", _OTHER_MACHINE]
    there = subprocess.run(program, capture_output=True, check=True, text=True, timeout=60).stdout.split()
    here = [
        hashlib.sha256(b"".join(pack for _, pack in make(messages=5000))).hexdigest()
        for make in (city, taxi, fit, grid)
    ]
    assert there == here


@pytest.mark.parametrize("make", _ALL, ids=_name)
def test_a_feed_taken_in_parts_is_the_feed_taken_at_once(make: Make) -> None:
    """However many packs are taken at a time, and whether there is an end, the bytes are the same."""
    feed = make(gaps=0.05)
    parts = [list(islice(feed, size)) for size in (1, 7, 300, 192)]
    assert [pack for part in parts for pack in part] == list(make(gaps=0.05, messages=500))


@pytest.mark.parametrize("make", _ALL, ids=_name)
def test_another_seed_gives_the_same_devices_other_values(make: Make) -> None:
    """The seed decides what is measured, not who measures."""
    one, other = (list(make(seed=seed, messages=50, outliers=0, gaps=0)) for seed in (1, 2))
    assert [pack.split(b":")[4] for _, pack in one] == [pack.split(b":")[4] for _, pack in other]
    assert all(pack != twin for (_, pack), (_, twin) in zip(one, other, strict=True))


@_real
@pytest.mark.parametrize(
    ("make", "file"), [(taxi, "taxi-schema-without-annotation.csv"), (fit, "mhealth_schema.csv")], ids=["taxi", "fit"]
)
def test_columns_and_labels_are_the_originals(make: Make, file: str) -> None:
    """Names, their order, and units, right or wrong, are those of RIoTBench's schema files."""
    names, labels, _ = (line.split(",") for line in (_SAMPLES / file).read_text().split("\n")[:3])
    schema = SCHEMAS[_name(make)]
    assert schema.header.decode().split(",") == names
    units = {column.name: column.label for column in schema.columns}
    assert [units.get(name) for name in names if name != "timestamp"] == [
        label for name, label in zip(names, labels, strict=True) if name != "timestamp"
    ]


@_real
@pytest.mark.parametrize(
    ("make", "file"),
    [(taxi, "TAXI_sample_data_senml.csv"), (fit, "FIT_sample_data_senml.csv")],
    ids=["taxi", "fit"],
)
def test_the_riotbench_form_is_the_samples(make: Make, file: str) -> None:
    """But for what the values are, a pack is byte by byte written as RIoTBench's own; and it is as long, within 1 %."""

    def skeleton(pack: str) -> str:
        for entry in (document := json.loads(pack))["e"]:
            value = entry.get("v", entry.get("sv"))
            pack = pack.replace(f'v":"{value}"', 'v":""', 1)
        return pack.replace(str(document["bt"]), "")

    with (_SAMPLES / file).open() as lines:
        samples = [line.rstrip("\n").partition(",")[2] for line in lines]
    packs = [pack.decode() for _, pack in make(form="riotbench", messages=1000, outliers=0, gaps=0)]
    assert {skeleton(pack) for pack in packs} == {skeleton(sample) for sample in samples}
    mean, original = (sum(map(len, each)) / len(each) for each in (packs, samples))
    assert mean == pytest.approx(original, rel=0.01)


@pytest.mark.parametrize("make", _ALL, ids=_name)
def test_forms_say_the_same(make: Make) -> None:
    """The RFC's pack, the draft's and the CSV row of a reading agree in every value that is a number."""
    rfc, draft, rows = (
        [pack for _, pack in make(form=form, messages=200, gaps=0)] for form in ("rfc", "riotbench", "csv")
    )
    header = SCHEMAS[_name(make)].header.decode()
    table = csv.DictReader(io.StringIO("\n".join([header, *(row.decode() for row in rows)])))
    for pack, old, row in zip(rfc, draft, table, strict=True):
        for name, value in _fields(pack).items():
            if isinstance(value, str):
                continue
            assert value == pytest.approx(float(_draft(old)[name]))
            assert value == pytest.approx(float(row[name]))


@pytest.mark.parametrize(
    ("make", "base", "units"),
    [
        (
            taxi,
            "urn:dev:taxi:",
            {"trip_time_in_secs": "s", "pickup_longitude": "lon", "pickup_latitude": "lat"}
            | {"dropoff_longitude": "lon", "dropoff_latitude": "lat"},
        ),
        (
            fit,
            "urn:dev:fit:",
            {f"acc_{limb}_{axis}": "m/s2" for limb in ("chest", "ankle", "arm") for axis in "xyz"}
            | {"ecg_lead_1": "mV", "ecg_lead_2": "mV"},
        ),
        (grid, "urn:dev:grid:", {"energyconsumed": "kWh"}),
    ],
    ids=["taxi", "fit", "grid"],
)
def test_an_rfc_pack_has_the_fields_in_registered_units(make: Make, base: str, units: dict[str, str]) -> None:
    """RFC 8428 makes of it one record of all columns; only units of its registry are there."""
    _, pack = next(make(outliers=0, gaps=0))
    (record,) = senml.records(pack, id=0, source="", now=0.0)
    assert record.meta["bn"].startswith(base)
    assert list(record.values) == [column.name for column in SCHEMAS[_name(make)].columns[1:]]
    assert record.units == units


@pytest.mark.parametrize("form", ["rfc", "riotbench"])
@pytest.mark.parametrize("make", _ALL, ids=_name)
def test_malformed_packs_are_refused_and_no_others(make: Make, form: str) -> None:
    """A share of 20 % is what our own SenML parser refuses."""
    refused = 0
    for _, pack in make(messages=3000, malformed=0.2, form=form, gaps=0.02):
        try:
            senml.decode(pack, now=0.0)
        except BadRecord:
            refused += 1
    assert 500 < refused < 700


@pytest.mark.parametrize("make", _ALL, ids=_name)
def test_malformed_rows_have_too_few_columns(make: Make) -> None:
    """A share of 20 % of the CSV rows lacks columns, and no other does."""
    columns = len(SCHEMAS[_name(make)].columns) + 1
    rows = [row for _, row in make(messages=3000, malformed=0.2, form="csv", gaps=0.02)]
    short = [row for row in rows if row.count(b",") + 1 < columns]
    assert 500 < len(short) < 700
    assert all(row.count(b",") + 1 == columns for row in rows if row not in set(short))


@pytest.mark.parametrize("make", _ALL, ids=_name)
def test_each_outlier_is_one_value_beyond_its_band(make: Make) -> None:
    """A share of 10 % in 5,000 packs is 500 of them, give or take, in all fields that have a band; else none is."""
    outside = [names for _, pack in make(messages=5000, outliers=0.1, gaps=0) if (names := _beyond(make, pack))]
    assert 430 < len(outside) < 570
    assert {len(names) for names in outside} == {1}
    bands = {column.name: column.band for column in SCHEMAS[_name(make)].columns if column.band}
    assert {name for (name,) in outside} == set(bands)
    assert not any(_beyond(make, pack) for _, pack in make(messages=5000, outliers=0, gaps=0))


@pytest.mark.parametrize("make", [taxi, fit], ids=_name)
def test_a_gap_is_one_field_missing_for_a_while(make: Make) -> None:
    """Gaps take their share of the packs; each lasts 10 readings or more of one device and field."""
    fields = {column.name for column in SCHEMAS[_name(make)].columns[1:]}
    missing = defaultdict(list)
    for turn, (_, pack) in enumerate(make(sensors=10, messages=20_000, gaps=0.1, outliers=0)):
        missing[turn % 10].append(tuple(fields - set(_fields(pack))))
    runs = [
        run
        for history in missing.values()
        for run in [(names, len(list(same))) for names, same in groupby(history)][:-1]  # the last one is cut by the end
    ]
    gaps = [length for names, length in runs if names]
    assert 0.06 < sum(gaps) / 20_000 < 0.14
    assert {len(names) for names, _ in runs} == {0, 1}
    assert all(10 <= length <= 60 for length in gaps)  # one gap may run into the next, hardly into a third


def test_a_meter_in_a_gap_is_silent() -> None:
    """A pack of GRID without its one value would say nothing: there is none, and the others keep their times."""
    feed = grid(sensors=1, rate=1, seconds=20_000, outliers=0, gaps=0.1)
    seconds = [int(due - 1247529600) for due, _ in feed]
    assert 0.86 < len(seconds) / 20_000 < 0.94
    silences = [later - earlier - 1 for earlier, later in pairwise(seconds) if later > earlier + 1]
    assert all(10 <= silence <= 60 for silence in silences)


@pytest.mark.parametrize(
    ("make", "arguments", "words"),
    [
        (taxi, {"sensors": 0}, "sensors"),
        (fit, {"rate": 0.0}, "rate"),
        (grid, {"start": 0.0}, "start"),
        (taxi, {"outliers": 0.5, "gaps": 0.5}, "below 1 together"),
        (fit, {"seconds": -1.0}, "seconds"),
    ],
)
def test_wrong_arguments_are_refused_at_once(make: Make, arguments: dict[str, Any], words: str) -> None:
    """The error comes with the call, not with the first pack, and names the argument."""
    with pytest.raises(ValueError, match=words):
        make(**arguments)
