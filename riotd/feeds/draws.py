"""Tables that random bits pick from: equally likely draws, alike on every machine.

The functions of a machine's mathematical library may differ in the last bit, so whatever comes from one is rounded
before it is used. What is left is the arithmetic of IEEE 754 and Python's Mersenne twister, the same anywhere.
"""

from collections.abc import Callable
from statistics import NormalDist
from typing import Final

DRAWS: Final = 4096
"""Entries of a table: 12 random bits pick one."""

MASK: Final = DRAWS - 1

_DIGITS = 9


def exact(value: float) -> float:
    """The value without the digits in which machines may differ."""
    return round(value, _DIGITS)


def normals() -> list[float]:
    """Equally likely draws of the standard normal distribution, ascending; none is beyond 3.7."""
    return [exact(NormalDist().inv_cdf((draw + 0.5) / DRAWS)) for draw in range(DRAWS)]


def table(function: Callable[[float], float]) -> list[float]:
    """A function's value at each of the equally likely normal draws."""
    return [exact(function(z)) for z in normals()]
