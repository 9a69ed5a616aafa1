"""RIoTBench's GRID feed: what electricity meters read, half hour by half hour.

The original's data (the Irish CER's trial of smart meters) may not be passed on, and no sample of them is published.
From the paper are the number of meters, the columns, the half hours and the range filter's band; everything else here
is made up: households with a morning and an evening peak, businesses with office hours, winters above summers.
"""

import math
from collections.abc import Iterator
from itertools import cycle, islice
from random import Random
from typing import Final

from riotd.feeds.draws import MASK, exact, table
from riotd.feeds.schema import Column, Reading, Schema

METERS: Final = 6435
"""Meters of the original; more are their replicas, which read other weeks of the same meter."""

HALF_HOUR: Final = 1800
"""Seconds between two readings of a meter."""

_LOW, _HIGH = 1.828, 36.658
GRID: Final = Schema(
    name="grid",
    columns=(
        Column("meterid", "string", conversion="%b", kind="sv"),
        Column(
            "energyconsumed",
            "kwh",
            unit="kWh",  # RFC 8798
            conversion="%.3f",
            band=(_LOW, _HIGH),
            spikes=((0.0, 1.8), (36.7, 250.0)),
        ),
    ),
    time_at=0,
)
"""`timestamp,meterid,energyconsumed`; the unit's label is ours."""

_DAY, _YEAR = 48, 365  # half hours, days
_WEEK = 7 * _DAY
_FIRST_ID = 1000  # the trial's meters have four digits
_BUSINESSES = 15  # in a hundred
_TAU = 2 * math.pi


def _bump(hour: float, peak: float, width: float) -> float:
    return math.exp(-(((hour - peak + 12) % 24 - 12) ** 2) / (2 * width * width))


def _household(hour: float, late: float) -> float:
    return 0.45 + 0.7 * _bump(hour, 7.75 + late, 1.3) + 0.35 * _bump(hour, 13, 2) + 1.5 * _bump(hour, 18.5, 2.4)


def _business(hour: float, open_: float) -> float:
    return 0.6 + 1.3 * open_ / (1 + math.exp(-2 * (hour - 8))) / (1 + math.exp(2 * (hour - 18)))


def _weeks() -> list[list[float]]:
    """Load by the half hour of a week, Monday first: of a household, and of a business."""
    hours = [(half % _DAY / 2, half >= 5 * _DAY) for half in range(_WEEK)]
    return [
        [exact(_household(hour, 1.5 if weekend else 0.0)) for hour, weekend in hours],
        [exact(_business(hour, 0.25 if weekend else 1.0)) for hour, weekend in hours],
    ]


_SEASON = [exact(1 + 0.25 * math.cos((day - 15) * _TAU / _YEAR)) for day in range(_YEAR)]  # highest in mid-January
_LEVEL = table(lambda z: 6.0 * math.exp(0.35 * z))
_NOISE = table(lambda z: math.exp(0.3 * z))


class Meters:
    """All meters, by turns. A meter's k-th reading is of the k-th half hour since the start, however fast they come."""

    def __init__(self, sensors: int, start: float, random: Random) -> None:
        self._sensors = sensors
        self._first = int(start) // HALF_HOUR
        self._bits = random.getrandbits
        self._weeks = _weeks()
        natures = _natures(sensors)
        self._kinds = [self._weeks[_is_business(bits)] for bits in natures]
        self._levels = [_LEVEL[bits & MASK] for bits in natures]

    def __call__(self, turn: int, due: float) -> Reading:
        """A meter's reading, kWh in half an hour, within the range filter's band."""
        reading, meter = divmod(turn, self._sensors)
        replica, stem = divmod(meter, METERS)
        half = self._first + reading + replica * _WEEK
        load = self._kinds[stem][(half + 3 * _DAY) % _WEEK] * _SEASON[half // _DAY % _YEAR]  # 1970 began on a Thursday
        energy = _LOW + self._levels[stem] * load * _NOISE[self._bits(12)]
        return meter_id(meter), int(due * 1000), (min(energy, _HIGH),)


def _natures(sensors: int) -> list[int]:
    """24 random bits for each meter that is no replica; they do not depend on the seed."""
    random = Random("meters")  # noqa: S311 - test data
    return [random.getrandbits(24) for _ in range(min(sensors, METERS))]


def _is_business(bits: int) -> bool:
    return (bits >> 12) % 100 < _BUSINESSES


def businesses(sensors: int) -> Iterator[bool]:
    """Whether each of the meters is a business's; a replica is what its meter is."""
    return islice(cycle([_is_business(bits) for bits in _natures(sensors)]), sensors)


def meter_id(number: int) -> bytes:
    """The id of the number-th meter: four digits, and in a replica its number after them."""
    replica, stem = divmod(number, METERS)
    return b"%d%d" % (_FIRST_ID + stem, replica) if replica else b"%d" % (_FIRST_ID + stem)
