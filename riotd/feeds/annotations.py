"""What is known about a feed's devices beside what they say: the ids of RIoTBench's annotation files, and the like.

Who a device is does not depend on the seed, so one file serves all feeds of as many devices, and those of fewer.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from riotd.feeds.arrivals import Dataset
from riotd.feeds.city_sensor import sensor_id
from riotd.feeds.fit_subject import subject_id
from riotd.feeds.grid_meter import businesses, meter_id
from riotd.feeds.taxi_trip import taxi_id

ANNOTATIONS: Final[dict[Dataset, tuple[str, ...]]] = {
    "city": ("location", "type"),
    "taxi": ("taxi_company", "drivername", "taxi_city"),
    "fit": ("age", "gender"),
    "grid": ("code", "tariff", "stimulus", "sme"),
}
"""The fields that the values after an id become, as RIoTBench's schemas have them."""

_CITY = (
    "building1,solar",
    "building2,heat",
    "building3,analog",
    "building4,analog",
    "cds,electronic",
    "ece,digital",
    "nbh,electronic",
    "ngh,ultrasound",
    "sensa,radar",
    "serc,solar",
)
_TAXI = (
    "carpool,dellas,San Jose",
    "drivesafe,miler,San Antonio",
    "escort,tom,Chicago",
    "jam,kelly,San Diego",
    "nyc,john,Los Angeles",
    "taxi,james,Austin",
    "travel,henry,Indianapolis",
    "uber,sam,Houston",
    "uscab,max,NY",
    "wheels,george,Jacksonville",
)
"""All that RIoTBench's files for CITY and TAXI have."""

_HOUSEHOLD, _BUSINESS = 1, 2
_TARIFFS, _STIMULI = "ABCDEW", "1234EW"
"""Of the Irish trial's households; E are those that nothing was changed for. Businesses had groups of their own."""


def annotations(dataset: Dataset, *, sensors: int) -> Iterator[bytes]:
    """A line `id:value,value` for each device of a feed, the values in the order of `ANNOTATIONS`.

    CITY's and TAXI's values are those of RIoTBench's files, FIT's and GRID's are made up after what theirs mean. A
    household of GRID has no `sme`, a business neither tariff nor stimulus: nothing is between the commas.

    Args:
        dataset: whose devices.
        sensors: how many, as the feed was given it.

    Raises:
        ValueError: `sensors` is below 1.
    """
    if sensors < 1:
        raise ValueError(f"sensors must be at least 1 (is {sensors})")
    random = Random(f"annotations {dataset}")  # noqa: S311 - test data
    known = enumerate(_KNOWN[dataset](random, sensors))
    return (b"%b:%b\n" % (_ID[dataset](number), values.encode()) for number, values in known)


def _picked(values: tuple[str, ...]) -> Callable[[Random, int], Iterator[str]]:
    def pick(random: Random, sensors: int) -> Iterator[str]:
        return (values[random.randrange(len(values))] for _ in range(sensors))

    return pick


def _people(random: Random, sensors: int) -> Iterator[str]:
    return (f"{random.randint(18, 64)},{random.choice('FM')}" for _ in range(sensors))


def _meters(random: Random, sensors: int) -> Iterator[str]:
    for business in businesses(sensors):
        tariff, stimulus, group = random.choice(_TARIFFS), random.choice(_STIMULI), random.randint(1, 4)
        yield f"{_BUSINESS},,,{group}" if business else f"{_HOUSEHOLD},{tariff},{stimulus},"


_KNOWN: Final[dict[Dataset, Callable[[Random, int], Iterator[str]]]] = {
    "city": _picked(_CITY),
    "taxi": _picked(_TAXI),
    "fit": _people,
    "grid": _meters,
}
_ID: Final[dict[Dataset, Callable[[int], bytes]]] = {
    "city": lambda number: sensor_id(number).encode(),
    "taxi": taxi_id,
    "fit": subject_id,
    "grid": meter_id,
}
