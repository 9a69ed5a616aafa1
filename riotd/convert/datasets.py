"""RIoTBench's four data sets: the columns that its property files leave to schema files and to the paper."""

import msgspec


class Dataset(msgspec.Struct, frozen=True):
    """What is known of a feed beside the settings.

    Attributes:
        name: what the paper calls it, lower case.
        id: the column that says which device it is.
        meta: columns that are no numbers measured, without time and id.
        observed: the measured columns, in the schema's order.
        annotations: the columns that `annotate` adds.
        distinct: the column whose messages the distinct count counts (paper, table 5).
        features: the columns that a model predicts by (table 6, and what TRAIN really reads).
        target: the column that it predicts, and that labels come from.
    """

    name: str
    id: str
    meta: tuple[str, ...]
    observed: tuple[str, ...]
    annotations: tuple[str, ...]
    distinct: str = ""
    features: tuple[str, ...] = ()
    target: str = ""


def _xyz(*places: str) -> tuple[str, ...]:
    return tuple(f"{place}_{axis}" for place in places for axis in "xyz")


CITY = Dataset(
    name="city",
    id="source",
    meta=("longitude", "latitude"),
    observed=("temperature", "humidity", "light", "dust", "airquality_raw"),
    annotations=("location", "type"),
    distinct="temperature",
    features=("temperature", "humidity", "light", "dust"),
    target="airquality_raw",
)
TAXI = Dataset(
    name="taxi",
    id="taxi_identifier",
    meta=(
        "hack_license",
        "pickup_datetime",
        "pickup_longitude",
        "pickup_latitude",
        "dropoff_longitude",
        "dropoff_latitude",
        "payment_type",
    ),
    observed=(
        "trip_time_in_secs",
        "trip_distance",
        "fare_amount",
        "surcharge",
        "mta_tax",
        "tip_amount",
        "tolls_amount",
        "total_amount",
    ),
    annotations=("taxi_company", "drivername", "taxi_city"),
    features=("trip_time_in_secs", "trip_distance"),
    target="fare_amount",
)
FIT = Dataset(
    name="fit",
    id="subjectId",
    meta=(*_xyz("gyro_ankle", "magnetometer_ankle", "gyro_arm", "magnetometer_arm"), "label"),
    observed=(*_xyz("acc_chest"), "ecg_lead_1", "ecg_lead_2", *_xyz("acc_ankle", "acc_arm")),
    annotations=("age", "gender"),
    distinct="ecg_lead_1",
    features=_xyz("acc_ankle", "acc_arm", "acc_chest"),
    target="ecg_lead_1",
)
GRID = Dataset(
    name="grid",
    id="meterid",
    meta=(),
    observed=("energyconsumed",),
    annotations=("code", "tariff", "stimulus", "sme"),
    distinct="energyconsumed",
)
"""TRAIN and PRED were not run for it."""

DATASETS = {each.id: each for each in (CITY, TAXI, FIT, GRID)}
"""By the column of the id, which tells them apart."""
