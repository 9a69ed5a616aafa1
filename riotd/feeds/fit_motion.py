"""How a body moves in each of the activities of the MHEALTH data set, as sensors at chest, ankle and arm feel it.

From the paper and its sample are the channels, the activities' numbers, the range filter's bands and the posture
standing still; how strongly and how fast each activity moves which limb is made up.
"""

import math
from random import Random
from typing import Final

import msgspec

from riotd.feeds.draws import DRAWS, exact, normals

BANDS: Final = {
    "acc_chest_x": (-13.931, 4.123),
    "acc_chest_y": (-4.6376, 5.2361),
    "acc_chest_z": (-8.1881, 7.8786),
    "acc_ankle_x": (-5.0006, 8.1472),
    "acc_ankle_y": (-14.303, 1.5909),
    "acc_ankle_z": (-8.6234, 8.6958),
    "acc_arm_x": (-9.824, 5.5778),
    "acc_arm_y": (-10.059, 8.506),
    "acc_arm_z": (-6.6739, 9.5725),
}
"""The accelerations, m/s2, with FILTER.RANGE_FILTER.VALID_RANGE of RIoTBench's FIT."""

CHANNELS: Final = tuple(
    f"{quantity}_{limb}_{axis}"
    for limb, quantities in (
        ("chest", ("acc",)),
        ("ankle", ("acc", "gyro", "magnetometer")),
        ("arm", ("acc", "gyro", "magnetometer")),
    )
    for quantity in quantities
    for axis in "xyz"
)
"""The 21 channels of movement in RIoTBench's order."""

PHASES: Final = 64
"""Steps in which one repetition of a movement is tabulated."""

OFFSET: Final = 0.4
"""By how much a subject's channel may be off at most."""

_UPRIGHT = {"chest": (-9.3, -0.7, 2.2), "ankle": (-0.5, -9.7, -1.5), "arm": (-2.2, -8.6, -0.6)}
_SITTING = {"chest": (-8.9, -0.5, 3.4), "ankle": (1.5, -9.4, -2.0), "arm": (-4.5, -7.5, 2.5)}
_LYING = {"chest": (-1.5, 0.5, 6.2), "ankle": (3.0, -1.5, -6.5), "arm": (-6.5, -3.0, 4.5)}


class Activity(msgspec.Struct, frozen=True):
    """An activity.

    Attributes:
        posture: gravity as the sensors feel it, m/s2, by limb.
        strength: of the movement of chest, ankle and arm, m/s2.
        pace: repetitions a second.
        pulse: beats a minute.
    """

    posture: dict[str, tuple[float, float, float]]
    strength: tuple[float, float, float]
    pace: float
    pulse: float


ACTIVITIES: Final = (
    Activity(_UPRIGHT, (0.4, 0.6, 0.8), 0.4, 80),  # 0, none of the others
    Activity(_UPRIGHT, (0.05, 0.05, 0.1), 0.25, 75),  # 1, standing still
    Activity(_SITTING, (0.05, 0.05, 0.1), 0.25, 70),  # 2, sitting and relaxing
    Activity(_LYING, (0.1, 0.03, 0.05), 0.25, 62),  # 3, lying down
    Activity(_UPRIGHT, (1.5, 4.0, 2.0), 0.9, 95),  # 4, walking
    Activity(_UPRIGHT, (1.6, 4.5, 2.0), 0.8, 120),  # 5, climbing stairs
    Activity(_UPRIGHT, (4.0, 0.4, 3.0), 0.4, 100),  # 6, waist bends forward
    Activity(_UPRIGHT, (0.5, 0.2, 6.0), 0.5, 95),  # 7, frontal elevation of arms
    Activity(_UPRIGHT, (2.0, 2.0, 2.0), 0.5, 115),  # 8, knees bending
    Activity(_SITTING, (0.8, 4.0, 0.8), 1.1, 115),  # 9, cycling
    Activity(_UPRIGHT, (4.0, 6.0, 5.0), 1.3, 140),  # 10, jogging
    Activity(_UPRIGHT, (5.0, 7.0, 6.0), 1.45, 155),  # 11, running
    Activity(_UPRIGHT, (5.0, 6.5, 5.0), 1.2, 150),  # 12, jumping front and back
)
"""By label, with what the label means."""

_LIMBS = ("chest", "ankle", "arm")
_SIGMAS = {"acc": 0.12, "gyro": 0.015, "magnetometer": 0.25}
_GAINS = {"acc": 1.0, "gyro": 0.12, "magnetometer": 3.0}  # of a movement of 1 m/s2, and of gravity but for `acc`
_SHIFTS = {"x": 0.0, "y": 0.27, "z": 0.55}  # of a repetition


def waves() -> list[list[list[float]]]:
    """By label and phase, what the channels say but for noise and the subject's own offsets."""
    return [[_channels(activity, phase / PHASES) for phase in range(PHASES)] for activity in ACTIVITIES]


def noises(rows: int) -> list[list[float]]:
    """Rows of one noise for each channel; none is beyond 3.7 sigma."""
    random = Random("noise of movement")  # noqa: S311 - test data
    normal = normals()
    sigmas = [_SIGMAS[channel.partition("_")[0]] for channel in CHANNELS]
    return [[exact(sigma * normal[random.getrandbits(12) % DRAWS]) for sigma in sigmas] for _ in range(rows)]


def _channels(activity: Activity, phase: float) -> list[float]:
    return [exact(_channel(activity, channel, phase)) for channel in CHANNELS]


def _channel(activity: Activity, name: str, phase: float) -> float:
    quantity, limb, axis = name.split("_")
    posture = activity.posture[limb]["xyz".index(axis)]
    rest = posture if quantity == "acc" else posture * _GAINS[quantity] / 3
    turn = 2 * math.pi * (phase + _SHIFTS[axis])
    swing = math.sin(turn) + 0.35 * math.sin(2 * turn + 1)
    level = rest + activity.strength[_LIMBS.index(limb)] * _GAINS[quantity] * swing
    if name not in BANDS:
        return level
    low, high = BANDS[name]
    margin = 4 * _SIGMAS[quantity] + OFFSET  # with the noise and the subject's offset it is still within the band
    return min(max(level, low + margin), high - margin)
