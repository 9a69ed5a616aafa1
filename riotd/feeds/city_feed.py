"""A city's sensors taking turns, with the faults that real ones have."""

import math
import re
from collections.abc import Iterable, Iterator
from itertools import count, cycle
from random import Random
from typing import Final

import msgspec

from riotd.feeds.city_sensor import DRAWS, Form, Sensor, Values, noises

START: Final = 1422748800.0
"""2015-02-01T00:00:00Z, where RIoTBench's sample begins."""

_RELATIVE = 2.0**28  # RFC 8428 section 4.5.3: a time below it is relative to now
_GAP = 20  # readings that a gap lasts on average
_SPIKES = (  # per field, a range below its band and one above
    ((-60.0, -20.0), (50.0, 120.0)),
    ((0.0, 9.0), (101.0, 140.0)),
    ((0.0, 1300.0), (27000.0, 65535.0)),
    ((-1.0, 180.0), (5300.0, 10427.86)),
    ((0.0, 16.0), (400.0, 1023.0)),
)
_FIRST_VALUE = re.compile(rb'("v":"?)[-0-9.]+')


class _Odds(msgspec.Struct, frozen=True):
    """Below which draw from 0 to 1 a pack is malformed, else has an outlier, else opens a gap."""

    malformed: float
    outlier: float
    gap: float


def city(  # noqa: PLR0913 - one keyword for each property of the feed
    *,
    sensors: int = 90,
    rate: float = 90.0,
    seed: int = 0,
    start: float = START,
    messages: int | None = None,
    outliers: float = 0.01,
    gaps: float = 0.005,
    malformed: float = 0.0,
    form: Form = "rfc",
) -> Iterator[tuple[float, bytes]]:
    """Packs of a city's sensors in the order of their due times; the same arguments give the same bytes.

    Sensors take turns. Light and temperature follow the sun over the sensor, humidity goes against them; each
    sensor has an offset, slow drift and noise of its own.

    Args:
        sensors: devices; their ids and places do not depend on the seed.
        rate: packs a second, all sensors together.
        seed: of everything that is drawn.
        start: Unix seconds before the first pack; at least 2**28, below which SenML times are relative.
        messages: packs in all; without it there is no end.
        outliers: share of packs in which one value is beyond its band.
        gaps: share of packs in which a field is missing; a gap lasts some 20 readings of its sensor.
        malformed: share of packs that are cut short, not JSON, without a name, or hold the number 1e400.
        form: `rfc`, an RFC 8428 pack with the id in its base name `urn:dev:city:<id>:`; or `riotbench`, the
            original's draft pack with the id as entry `source`, and numbers as text.

    Returns:
        Due times in Unix seconds, each with its pack. The time in a pack is the due time cut to milliseconds.

    Raises:
        ValueError: an argument is out of its range.
    """
    if sensors < 1:
        raise ValueError(f"sensors must be at least 1 (is {sensors})")
    if not 0 < rate < math.inf:
        raise ValueError(f"rate must be above 0 (is {rate})")
    if not _RELATIVE <= start < math.inf:
        raise ValueError(f"start must be at least 2**28, below which a SenML time is relative (is {start})")
    if min(outliers, gaps, malformed) < 0 or outliers + gaps + malformed >= 1:
        raise ValueError("outliers, gaps and malformed must each be at least 0, and below 1 together")
    random = Random(seed)  # noqa: S311 - test data
    devices = [Sensor(number, random, form) for number in range(sensors)]
    opening = gaps / (_GAP * (1 - gaps))
    odds = _Odds(malformed, malformed + outliers, malformed + outliers + opening)
    return _packs(devices, random, (start, rate), count() if messages is None else range(messages), odds)


def _packs(
    sensors: list[Sensor], random: Random, timing: tuple[float, float], numbers: Iterable[int], odds: _Odds
) -> Iterator[tuple[float, bytes]]:
    """The hot loop. One call for 72 random bits costs 0.08 µs, six calls for 12 bits 0.3."""
    start, rate = timing
    draw, bits_of = random.random, random.getrandbits
    temperature, humidity, light, dust, air = noises()
    for number, sensor in zip(numbers, cycle(sensors), strict=False):
        bits = bits_of(72)
        due = start + (number + (bits >> 60) / DRAWS) / rate
        if sensor.minute != (minute := int(due // 60)):
            sensor.advance(minute)
        a, b, c, d, e = sensor.levels
        values = (
            a + temperature[bits & 4095],
            b + humidity[bits >> 12 & 4095],
            c + light[bits >> 24 & 4095],
            d + dust[bits >> 36 & 4095],
            e + air[bits >> 48 & 4095],
        )
        fate = draw()
        if fate < odds.gap or sensor.gap:
            yield due, _odd(sensor, int(due * 1000), values, _verdict(fate, odds), random)
        else:
            yield due, sensor.pack(int(due * 1000), values)


def _verdict(fate: float, odds: _Odds) -> str:
    if fate < odds.malformed:
        return "malformed"
    if fate < odds.outlier:
        return "outlier"
    return "gap" if fate < odds.gap else ""


def _odd(sensor: Sensor, stamp: int, values: Values, verdict: str, random: Random) -> bytes:
    """A pack that is out of the ordinary, or of a sensor that has a gap."""
    if verdict == "gap" and not sensor.gap:
        sensor.open_gap(random.randrange(_GAP // 2, _GAP * 3 // 2 + 1), random.randrange(len(values)))
    if verdict == "outlier":
        values = _spiked(values, random.choice([i for i in range(len(values)) if i != sensor.missing]), random)
    pack = sensor.pack(stamp, values)
    sensor.pass_gap()
    return _spoilt(pack, random) if verdict == "malformed" else pack


def _spiked(values: Values, field: int, random: Random) -> Values:
    spike = random.uniform(*random.choice(_SPIKES[field]))
    a, b, c, d, e = (spike if index == field else value for index, value in enumerate(values))
    return a, b, c, d, e


def _spoilt(pack: bytes, random: Random) -> bytes:
    """The pack damaged in one of four ways, each of which a SenML parser has to refuse."""
    return random.choice((_cut, _noise, _nameless, _endless))(pack, random)


def _cut(pack: bytes, random: Random) -> bytes:
    return pack[: random.randrange(1, len(pack))]


def _noise(_pack: bytes, random: Random) -> bytes:
    return b"ERR watchdog reset, cause 0x%04x" % random.randrange(65536)


def _nameless(pack: bytes, _random: Random) -> bytes:
    return pack.replace(b'"n":"longitude",', b"").replace(b',"n":"longitude"', b"").replace(b'"bn":', b'"sn":')


def _endless(pack: bytes, _random: Random) -> bytes:
    return _FIRST_VALUE.sub(rb"\g<1>1e400", pack, count=1)
