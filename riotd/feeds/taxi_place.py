"""Where taxi trips begin and end: along Manhattan, at JFK airport, and as far apart as they are long."""

import math
from typing import Final

from riotd.feeds.draws import DRAWS, exact, table

Place = tuple[float, float]
"""Longitude and latitude in degrees."""

NOWHERE: Final[Place] = (0.0, 0.0)
"""What the original says when there was no satellite."""

_SOUTH, _NORTH = (-74.010, 40.708), (-73.950, 40.790)
_AIRPORT = (-73.7822, 40.6440)
_EAST_MILE, _NORTH_MILE = 1 / 52.3, 1 / 69.0  # degrees at New York's latitude
_DETOUR = 1.41  # miles driven for one as the crow flies: the median of RIoTBench's sample
_LONG = 500  # hundredths of a mile: a trip this long leads away from the Hudson
_SCATTER = table(lambda z: 0.004 * z)
_BEARINGS = [
    (exact(math.sin(turn * 2 * math.pi / DRAWS)), exact(math.cos(turn * 2 * math.pi / DRAWS))) for turn in range(DRAWS)
]


def manhattan(bits: int) -> Place:
    """A place near the line from the Battery to Harlem, by 36 random bits."""
    along = (bits & 4095) / DRAWS
    return (
        _SOUTH[0] + along * (_NORTH[0] - _SOUTH[0]) + _SCATTER[bits >> 12 & 4095],
        _SOUTH[1] + along * (_NORTH[1] - _SOUTH[1]) + _SCATTER[bits >> 24 & 4095],
    )


def airport(bits: int) -> Place:
    """A place at JFK, by 24 random bits."""
    return _AIRPORT[0] + _SCATTER[bits & 4095] / 2, _AIRPORT[1] + _SCATTER[bits >> 12 & 4095] / 2


def away(place: Place, miles: int, bits: int) -> Place:
    """Where one is after so many hundredths of a mile of streets, by 12 random bits."""
    east, north = _BEARINGS[bits >> 1 if miles > _LONG else bits]
    crow = miles / (100 * _DETOUR)
    return place[0] + east * crow * _EAST_MILE, place[1] + north * crow * _NORTH_MILE
