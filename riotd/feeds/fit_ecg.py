"""A heart as two leads see it: P wave, QRS complex and T wave, at a rate that follows the effort."""

import math
from random import Random
from typing import Final

from riotd.feeds.draws import MASK, exact, normals

_STEP: Final = 0.02  # seconds between two samples
_GRID = 250  # entries of the waves a second
_QRS_END = 0.26  # seconds into a beat; what comes after is squeezed when the heart beats fast
_REST = 0.8  # seconds of a beat that the waves are drawn for
_WAVES = (  # height in mV by lead, seconds into the beat, width in seconds: P, Q, R, S, T
    ((0.12, 0.10), 0.10, 0.022),
    ((-0.12, -0.10), 0.172, 0.009),
    ((1.40, 1.90), 0.20, 0.014),
    ((-0.35, -0.50), 0.232, 0.010),
    ((0.30, 0.35), 0.45, 0.045),
)
_NOISE = [exact(0.02 * z) for z in normals()]
_VARIATION = [exact(1 + 0.04 * z) for z in normals()]  # from beat to beat


def _lead(number: int) -> list[float]:
    """Two seconds of a lead's wave; a beat is never longer."""
    times = [entry / _GRID for entry in range(2 * _GRID)]
    return [
        exact(sum(heights[number] * math.exp(-(((time - at) / width) ** 2) / 2) for heights, at, width in _WAVES))
        for time in times
    ]


_LEADS = (_lead(0), _lead(1))


class Heart:
    """A subject's heart, sampled 50 times a second."""

    __slots__ = ("_bits", "_gain", "_period", "_rate", "_time")

    def __init__(self, random: Random) -> None:
        self._bits = random.getrandbits
        self._rate = 75.0
        self._period = _REST
        self._time = random.random() * _REST
        self._gain = 0.7 + 0.6 * random.random()

    def sample(self, target: float) -> tuple[float, float]:
        """Both leads in mV, 20 ms after the last ones.

        Args:
            target: beats a minute that the present effort leads to; the heart gets there beat by beat.
        """
        bits = self._bits(36)
        self._time += _STEP
        if self._time >= self._period:
            self._time -= self._period
            self._rate += (target - self._rate) * 0.06
            self._period = 60 / self._rate * _VARIATION[bits >> 24]
        time = self._time
        if time > _QRS_END and self._period < _REST:
            time = _QRS_END + (time - _QRS_END) * (_REST - _QRS_END) / (self._period - _QRS_END)
        at = min(int(time * _GRID), 2 * _GRID - 1)
        return (
            _LEADS[0][at] * self._gain + _NOISE[bits & MASK],
            _LEADS[1][at] * self._gain + _NOISE[bits >> 12 & MASK],
        )
