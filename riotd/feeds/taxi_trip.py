"""RIoTBench's TAXI feed: trips of New York's taxis in January 2013, each told when it ends.

Distances, paces, tips, tolls and lost positions are distributed as in RIoTBench's 700 sample rows and 4,090 training
triples; time, distance, fare, surcharge, tax, tip, tolls and total of a trip agree with each other. Licences and
vehicles are made up.
"""

import hashlib
import math
from datetime import UTC, datetime
from random import Random
from typing import Final

from riotd.feeds.draws import MASK, exact, table
from riotd.feeds.request import Form
from riotd.feeds.schema import Column, Reading, Schema
from riotd.feeds.taxi_fare import FLAT, TAX, metered, surcharge, tip, tolls
from riotd.feeds.taxi_place import NOWHERE, Place, airport, away, manhattan

TAXIS: Final = 20_355
"""Taxis of the original; more are their replicas."""

INDIA: Final = 19_800
"""Seconds that the original's times are off: New York's clock was read as if it stood in India, 5.5 hours ahead."""

NEW_YORK: Final = -18_000
"""Seconds that New York's clock is ahead of UTC in winter; there is no summer in these feeds."""

_DAY = 86_400


def _clock(stamp: int) -> bytes:
    """Time of day and date as a CSV row has them, by epoch milliseconds as RIoTBench has them."""
    return datetime.fromtimestamp(stamp // 1000 + INDIA, UTC).strftime("%Y-%m-%d %H:%M:%S").encode()


def _money(name: str, label: str = "dollar", beyond: float | None = None, low: float = 0.0) -> Column:
    band = None if beyond is None else (low, beyond)
    spikes = () if beyond is None else ((beyond + 1, beyond * 10),)
    return Column(name, label, conversion="%.2f", band=band, spikes=spikes)


def _place(name: str, axis: str) -> Column:
    return Column(name, axis, unit=axis, conversion="%.6f", kind="sv")


TAXI: Final = Schema(
    name="taxi",
    columns=(
        Column("taxi_identifier", "string", conversion="%b", kind="sv"),
        Column("hack_license", "string", conversion="%b", kind="sv"),
        Column("pickup_datetime", "time", conversion="%b", kind="sv"),
        Column("trip_time_in_secs", "second", unit="s", band=(140, 3155), spikes=((3200, 90_000),)),
        Column("trip_distance", "meter", conversion="%.2f", band=(1.37, 29.86), spikes=((30, 500),)),  # it is miles
        _place("pickup_longitude", "lon"),
        _place("pickup_latitude", "lat"),
        _place("dropoff_longitude", "lon"),
        _place("dropoff_latitude", "lat"),
        Column("payment_type", "string", conversion="%b", kind="sv"),
        _money("fare_amount", beyond=201, low=6),
        _money("surcharge", "percentage"),
        _money("mta_tax", "percentage"),
        _money("tip_amount", beyond=38.55, low=0.65),
        _money("tolls_amount", beyond=18, low=2.5),
        _money("total_amount"),
    ),
    time_at=3,
    csv_time=_clock,
)
"""RIoTBench's 17 columns, its labels for what they are worth: distances are in miles, taxes in dollars."""

_MILES = [round(100 * miles) for miles in table(lambda z: min(max(math.exp(0.498 + 0.933 * z), 0.1), 22.3))]
_MINUTES = table(lambda z: 453 / 60 * math.exp(0.415 * z))  # for one mile, in the traffic of an average hour
_LONGER = [exact((miles / 100) ** 0.604) for miles in range(2231)]  # how much longer more miles take
_TRAFFIC = [exact(0.68 + 0.46 * max(0.0, math.sin((hour - 6) * math.pi / 15))) for hour in range(24)]
_MOST_MINUTES = 51  # 3,060 s, the longest in the original's 1,000 rows
_AIRPORT, _LOST = 107, 76  # of 4096 trips: to or from JFK; without a position
_CARDS = 2130  # of 4096 trips are paid by card


class Trips:
    """All taxis, by turns. Each tells of a trip that ends as it does so, on whole seconds."""

    def __init__(self, sensors: int, form: Form, random: Random) -> None:
        self._sensors = sensors
        self._bits = random.getrandbits
        self._ahead, self._shown = (NEW_YORK, b"%b-05:00") if form == "rfc" else (INDIA, b"%b")
        self._separator = "T" if form == "rfc" else " "
        self._dates: dict[int, bytes] = {}

    def __call__(self, turn: int, due: float) -> Reading:
        """A trip's record."""
        number, bits, end = turn % self._sensors, self._bits(160), int(due)
        at_airport = bits & MASK < _AIRPORT
        hour = (end + self._ahead) % _DAY // 3600
        miles = 1500 + (bits >> 12 & 511) if at_airport else _MILES[bits >> 12 & MASK]
        minutes = round(_MINUTES[bits >> 24 & MASK] * _LONGER[miles] * _TRAFFIC[hour])
        minutes = min(max(minutes, 1 + miles // 100), _MOST_MINUTES)  # no faster than 60 miles an hour
        picked = end + self._ahead - 60 * minutes
        card = bits >> 36 & MASK < _CARDS
        fare, extra = _charge(miles, minutes, picked, at_airport)
        tipped = tip(fare + extra, bits >> 48 & 0xFFFF) if card else 0
        tolled = tolls(miles, bits >> 64 & 0xFFFF)
        total = fare + extra + TAX + tipped + tolled
        (lon, lat), (lon_off, lat_off) = _ends(miles, at_airport, bits >> 80)
        values = (
            _licence(number, hour),
            self._time(picked),
            60 * minutes,
            miles / 100,
            lon,
            lat,
            lon_off,
            lat_off,
            b"CRD" if card else b"CSH",
            fare / 100,
            extra / 100,
            TAX / 100,
            tipped / 100,
            tolled / 100,
            total / 100,
        )
        return taxi_id(number), end * 1000, values

    def _time(self, local: int) -> bytes:
        day, seconds = divmod(local, _DAY)
        if day not in self._dates:
            self._dates = {day: str(datetime.fromtimestamp(day * _DAY, UTC).date()).encode()}
        minutes, second = divmod(seconds, 60)
        clock = b"%02d:%02d:%02d" % (*divmod(minutes, 60), second)
        return self._shown % (self._dates[day] + self._separator.encode() + clock)


def _charge(miles: int, minutes: int, picked: int, flat: bool) -> tuple[int, int]:  # noqa: FBT001 - private
    """Fare and surcharge in cents."""
    if flat:
        return FLAT, 0
    return metered(miles, minutes), surcharge(picked % _DAY // 3600, (picked // _DAY + 3) % 7)  # 1970: a Thursday


def _ends(miles: int, at_airport: bool, bits: int) -> tuple[Place, Place]:  # noqa: FBT001 - private
    """Where the trip began and ended, by 80 random bits."""
    if bits & MASK < _LOST:
        return NOWHERE, NOWHERE
    here = manhattan(bits >> 12 & 0xFFFFFFFFF)
    there = airport(bits >> 48) if at_airport else away(here, miles, bits >> 48 & MASK)
    return (there, here) if bits >> 79 else (here, there)


def _hex(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).hexdigest().upper().encode()


def _licence(number: int, hour: int) -> bytes:
    """The licence of who drives: each taxi has a driver for the day and another for the night."""
    return _hex(b"hack %d %d" % (number, 5 <= hour < 17))


def taxi_id(number: int) -> bytes:
    """The id of the number-th taxi: 32 hexadecimal digits, and in a replica its number after them."""
    replica, stem = divmod(number, TAXIS)
    name = _hex(b"taxi %d" % stem)
    return name + b"%d" % replica if replica else name
