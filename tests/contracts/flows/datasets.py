"""RIoTBench's data sets, restated from the paper (arXiv 1701.08530, tables 4 to 6) and its property files.

Apart from the configs, so that these are held against something.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Dataset(NamedTuple):
    """One of RIoTBench's data sets.

    Attributes:
        id: the entry with the device.
        others: entries that are joined but not measured.
        ranges: valid values of measured entries.
        filled: entries whose gaps are interpolated.
        annotations: names of the values that a device's line has.
        measured: entries that STATS looks at.
        counted: the entry whose devices are counted, or "".
        features: entries that a number is foretold by.
        target: which is that; its class is told by all of them.
        gated: whether only known devices are let in.
        steps: readings forecast.
        charted: records in a chart.
    """

    id: str
    others: tuple[str, ...]
    measured: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]
    filled: tuple[str, ...]
    annotations: tuple[str, ...]
    counted: str
    features: tuple[str, ...] = ()
    target: str = ""
    gated: bool = True
    steps: int = 10
    charted: int = 110


def _xyz(*places: str) -> tuple[str, ...]:
    return tuple(f"{place}_{axis}" for place in places for axis in "xyz")


_CITY = {
    "temperature": (-12.5, 43.1),
    "humidity": (10.7, 95.2),
    "light": (1345.0, 26282.0),
    "dust": (186.61, 5188.21),
    "airquality_raw": (17.0, 363.0),
}
_TAXI = {
    "trip_time_in_secs": (140.0, 3155.0),
    "trip_distance": (1.37, 29.86),
    "fare_amount": (6.0, 201.0),
    "tip_amount": (0.65, 38.55),
    "tolls_amount": (2.5, 18.0),
}
_FIT = {
    "acc_chest_x": (-13.931, 4.123),
    "acc_chest_y": (-4.6376, 5.2361),
    "acc_chest_z": (-8.1881, 7.8786),
    "ecg_lead_1": (-4.9314, 6.1371),
    "ecg_lead_2": (-6.786, 6.6604),
    "acc_ankle_x": (-5.0006, 8.1472),
    "acc_ankle_y": (-14.303, 1.5909),
    "acc_ankle_z": (-8.6234, 8.6958),
    "acc_arm_x": (-9.824, 5.5778),
    "acc_arm_y": (-10.059, 8.506),
    "acc_arm_z": (-6.6739, 9.5725),
}

DATASETS = {
    "city": Dataset(
        "source",
        ("longitude", "latitude"),
        tuple(_CITY),
        _CITY,
        tuple(_CITY),
        ("location", "type"),
        "temperature",
        ("temperature", "humidity", "light"),
        "airquality_raw",
    ),
    "taxi": Dataset(
        "taxi_identifier",
        (
            "hack_license",
            "pickup_datetime",
            "pickup_longitude",
            "pickup_latitude",
            "dropoff_longitude",
            "dropoff_latitude",
            "payment_type",
        ),
        (
            "trip_time_in_secs",
            "trip_distance",
            "fare_amount",
            "surcharge",
            "mta_tax",
            "tip_amount",
            "tolls_amount",
            "total_amount",
        ),
        _TAXI,
        (),
        ("taxi_company", "drivername", "taxi_city"),
        "",
        ("trip_time_in_secs", "trip_distance"),
        "fare_amount",
    ),
    "fit": Dataset(
        "subjectId",
        (*_xyz("gyro_ankle", "magnetometer_ankle", "gyro_arm", "magnetometer_arm"), "label"),
        tuple(_FIT),
        _FIT,
        tuple(_FIT),
        ("age", "gender"),
        "ecg_lead_1",
        _xyz("acc_ankle", "acc_arm", "acc_chest"),
        "ecg_lead_1",
        gated=False,
        charted=5500,
    ),
    "grid": Dataset(
        "meterid",
        (),
        ("energyconsumed",),
        {"energyconsumed": (1.828, 36.658)},
        ("energyconsumed",),
        ("code", "tariff", "stimulus", "sme"),
        "energyconsumed",
        steps=2,
    ),
}

ASKED_BY_TREES = {
    "city": ("temperature", "humidity", "light", "dust", "airquality_raw"),
    "taxi": ("trip_time_in_secs", "trip_distance", "fare_amount"),
    "fit": (*_xyz("acc_ankle", "acc_arm", "acc_chest"), "ecg_lead_1"),
}
"""Entries that a class is told by."""

CLASSES = ("BAD", "GOOD", "VERYGOOD", "EXCELLENT")
