"""One sensor of RIoTBench's CITY feed: where it is, what it measures in a given minute, how its packs look.

Levels stay within RIoTBench's range filter for CITY and, but for light at night, within what its 1,000 sample rows
show. Only outliers leave the filter's bands, so that filter catches them, all of them and nothing else.
"""

import math
from random import Random
from typing import Final, Literal

import msgspec

from riotd.feeds.draws import exact, normals

Form = Literal["rfc", "riotbench"]
Values = tuple[float, float, float, float, float]

BANDS: Final = {
    "temperature": (-12.5, 43.1),
    "humidity": (10.7, 95.2),
    "light": (1345.0, 26282.0),
    "dust": (186.61, 5188.21),
    "airquality_raw": (17.0, 363.0),
}
"""FILTER.RANGE_FILTER.VALID_RANGE of RIoTBench's CITY: `field: (lowest, highest)`, both still valid."""

_STEMS = 88  # devices of the original; the number after the stem of an id tells its replicas apart
_DAY, _WEEK = 1440, 10080  # minutes
_TAU = 2 * math.pi
_SIGMAS = (0.15, 0.6, 40.0, 25.0, 1.2)
_LIMITS = tuple(  # of a level: no noise is beyond 3.7 sigma, so the sum of both stays within the band
    (low + 4 * sigma, high - 4 * sigma) for (low, high), sigma in zip(BANDS.values(), _SIGMAS, strict=True)
)
_FORMATS = ("%.1f", "%.1f", "%d", "%.2f", "%d")
_PLACE = {"longitude": "lon", "latitude": "lat"}
_UNITS: dict[Form, dict[str, str]] = {
    "rfc": _PLACE | {"temperature": "Cel", "humidity": "%RH", "light": "lx", "dust": "ug/m3"},  # RFC 8428, RFC 8798
    "riotbench": _PLACE | dict.fromkeys(BANDS, "per") | {"temperature": "far"},  # as its files have it: it is Celsius
}


class _Climate(msgspec.Struct, frozen=True):
    """A city of the original: where it is; degrees Celsius, their swing over a day, and %RH in early February."""

    longitude: float
    latitude: float
    temperature: float
    swing: float
    humidity: float


_CITIES = (
    _Climate(6.14, 46.20, 4.0, 3.0, 70.0),
    _Climate(-43.18, -22.92, 28.0, 4.0, 66.0),
    _Climate(-122.42, 37.77, 13.0, 4.0, 65.0),
    _Climate(121.47, 31.23, 6.0, 3.5, 66.0),
    _Climate(77.59, 12.97, 23.0, 5.5, 50.0),
    _Climate(103.85, 1.29, 28.0, 2.5, 74.0),
    _Climate(-71.06, 42.36, -1.0, 3.5, 60.0),
)


def _shape(minute: int) -> tuple[float, float, float]:
    """Warmth (-1 to 1, highest at 15 h), sun (0 to 1, up from 6 to 18 h), traffic (0 to 1, highest at 8 and 18 h)."""
    hour = minute / 60
    traffic = max(math.exp(-((hour - peak) ** 2) / 4.5) for peak in (8, 18))
    sun = max(0.0, math.sin((hour - 6) * _TAU / 24))
    return exact(math.cos((hour - 15) * _TAU / 24)), exact(sun), exact(traffic)


def _sway(minute: int) -> float:
    """Slow drift, -1 to 1, that closes after a week: periods of 3.5, 1.4 and 0.6 days."""
    week = minute * _TAU / _WEEK
    return exact(0.5 * math.sin(2 * week) + 0.3 * math.sin(5 * week + 1) + 0.2 * math.sin(11 * week + 2))


_SHAPES = [_shape(minute) for minute in range(_DAY)]
_SWAYS = [_sway(minute) for minute in range(_WEEK)]


def noises() -> tuple[list[float], ...]:
    """Per field, as many equally likely normal noises as there are `DRAWS`; looking one up costs 0.03 µs."""
    normal = normals()
    return tuple([exact(sigma * z) for z in normal] for sigma in _SIGMAS)


def sensor_id(number: int) -> str:
    """The id of the number-th sensor: one of 88 stems of 25 characters, and the replica's number."""
    letters = Random(f"stem {number % _STEMS}").choices("abcdefghijklmnopqrstuvwxyz0123456789", k=22)  # noqa: S311 - test data
    return f"ci4{''.join(letters)}{number // _STEMS}"


class Sensor:
    """A device. Who and where it is depends on its number only, what it measures on what is drawn from `random`.

    Attributes:
        minute: since 1970, the one `levels` are of.
        levels: of the fields in the order of `BANDS`, before noise.
        gap: readings for which a field is still missing.
        missing: its index, or None.
    """

    __slots__ = (
        "_base",
        "_ends",
        "_form",
        "_lag",
        "_phases",
        "_swing",
        "_template",
        "gap",
        "levels",
        "minute",
        "missing",
    )

    def __init__(self, number: int, random: Random, form: Form) -> None:
        place = Random(f"place {number % _STEMS}")  # noqa: S311 - test data; replicas share the place, as in the original
        climate = _CITIES[number % _STEMS % len(_CITIES)]
        longitude = climate.longitude + place.uniform(-0.1, 0.1)
        latitude = climate.latitude + place.uniform(-0.1, 0.1)
        self._form: Form = form
        self._ends = _ends(sensor_id(number), longitude, latitude, form)
        self._lag = round(longitude * 4)  # minutes: the sun goes 15 degrees an hour
        self._swing = climate.swing
        self._phases = (random.randrange(_WEEK), random.randrange(_WEEK))
        self._base = _base(climate, random)
        self.minute = -1
        self.levels: Values = self._base
        self.gap = 0
        self.missing: int | None = None
        self._template = self._pattern()

    def advance(self, minute: int) -> None:
        """Take the levels of this minute: offset, shape of the day, and drift."""
        warmth, sun, traffic = _SHAPES[(minute + self._lag) % _DAY]
        weather, drift = (_SWAYS[(minute + phase) % _WEEK] for phase in self._phases)
        temperature, humidity, light, dust, air = self._base
        warm = self._swing * warmth
        self.minute = minute
        self.levels = (
            _within(0, temperature + warm + 2.0 * weather),
            _within(1, humidity - 2.0 * warm - 4.0 * weather + 2.0 * drift),
            _within(2, light * sun * (1.0 + 0.3 * weather) + 1500.0),
            _within(3, dust * (1.0 + 0.6 * traffic) * (1.0 + 0.4 * drift)),
            _within(4, air * (1.0 + 0.5 * traffic) * (1.0 + 0.2 * drift)),
        )

    def pack(self, stamp: int, values: Values) -> bytes:
        """The pack of a reading.

        Args:
            stamp: epoch milliseconds.
            values: in the order of `BANDS`.
        """
        if self._form == "rfc":
            return self._template % (stamp / 1000, *values)
        return self._template % (*values, stamp)

    def open_gap(self, readings: int, missing: int) -> None:
        """Leave the field with this index out of the next readings."""
        self.gap, self.missing = readings, missing
        self._template = self._pattern()

    def pass_gap(self) -> None:
        """Take note of one reading; after the last of the gap the field is back."""
        self.gap = max(0, self.gap - 1)
        if self.missing is not None and not self.gap:
            self.missing = None
            self._template = self._pattern()

    def _pattern(self) -> bytes:
        """The pack with a conversion for the time and for each value; `%.0a` swallows the missing one."""
        entries = "".join(
            "%.0a" if index == self.missing else _entry(name, conversion, self._form)
            for index, (name, conversion) in enumerate(zip(BANDS, _FORMATS, strict=True))
        )
        head, tail = self._ends
        return f"{head}{entries}{tail}".encode()


def _base(climate: _Climate, random: Random) -> Values:
    """What a sensor measures on the average, but for light: there it is what the sun adds at noon."""
    return (
        exact(climate.temperature + random.gauss(0, 1.0)),
        exact(climate.humidity + random.gauss(0, 3.0)),
        random.uniform(3000, 6000),
        exact(random.lognormvariate(6.5, 0.5)),
        exact(22 + random.lognormvariate(2.3, 0.6)),
    )


def _within(field: int, level: float) -> float:
    low, high = _LIMITS[field]
    return low if level < low else min(level, high)


def _ends(source: str, longitude: float, latitude: float, form: Form) -> tuple[str, str]:
    """What comes before and after the measured entries, with a conversion for the time."""
    place = _entry("longitude", f"{longitude:.6f}", form) + _entry("latitude", f"{latitude:.6f}", form)
    if form == "rfc":
        return f'[{{"bn":"urn:dev:city:{source}:","bt":%.3f,{place.removeprefix(",{")}', "]"
    return f'{{"e":[{{"u":"string","n":"source","sv":"{source}"}}{place}', '],"bt":%d}'


def _entry(name: str, value: str, form: Form) -> str:
    """One SenML entry, after a comma; percent signs doubled for the pattern it becomes part of."""
    unit = _UNITS[form].get(name, "").replace("%", "%%")
    if form == "riotbench":
        return f',{{"v":"{value}","u":"{unit}","n":"{name}"}}'
    return f',{{"n":"{name}",' + (f'"u":"{unit}",' if unit else "") + f'"v":{value}}}'
