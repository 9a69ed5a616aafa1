"""RIoTBench's FIT feed: people who go through twelve activities, with sensors on chest, ankle and arm."""

from random import Random
from typing import Final

from riotd.feeds.fit_ecg import Heart
from riotd.feeds.fit_motion import ACTIVITIES, BANDS, CHANNELS, OFFSET, PHASES, noises, waves
from riotd.feeds.schema import Column, Reading, Schema

SUBJECTS: Final = 10
"""People in the original; more are their replicas."""

HERTZ: Final = 50
"""Samples a second of one subject."""

_ECG = {"ecg_lead_1": (-4.9314, 6.1371), "ecg_lead_2": (-6.786, 6.6604)}
_LABELS = {"acc": "m/s2", "gyro": "deg/s", "magnetometer": "tesla"}
_UNITS = {"acc": "m/s2", "gyro": "", "magnetometer": ""}  # no deg/s in the registry; the field is not in tesla
_ROWS = 1024  # of noise


def _spikes(low: float, high: float) -> tuple[tuple[float, float], ...]:
    return (low - 30, low - 1), (high + 1, high + 30)


def _moved(name: str) -> Column:
    quantity = name.partition("_")[0]
    band = BANDS.get(name)
    spikes = _spikes(*band) if band else ()
    return Column(name, _LABELS[quantity], unit=_UNITS[quantity], conversion="%.5g", band=band, spikes=spikes)


def _lead(name: str) -> Column:
    band = _ECG[name]
    return Column(name, "mV", unit="mV", conversion="%.5g", band=band, spikes=_spikes(*band))  # RFC 8798


FIT: Final = Schema(
    name="fit",
    columns=(
        Column("subjectId", "string", conversion="%b", kind="sv"),
        *(_moved(name) for name in CHANNELS[:3]),
        *(_lead(name) for name in _ECG),
        *(_moved(name) for name in CHANNELS[3:]),
        Column("label", "number "),
    ),
    time_at=1,
    clocked=True,
    time_as_text=True,
)
"""RIoTBench's 26 columns; the blank in the label's unit is the original's."""


class Subject:
    """One person, who does a minute of each activity and rests half a minute in between."""

    __slots__ = ("_bits", "_done", "_heart", "_label", "_left", "_offsets", "_pace", "_phase", "_random")

    def __init__(self, random: Random) -> None:
        self._random = random
        self._bits = random.getrandbits
        self._heart = Heart(random)
        self._pace = 0.9 + 0.2 * random.random()
        self._offsets = [OFFSET * (2 * random.random() - 1) for _ in CHANNELS]
        self._done = random.getrandbits(16) % (len(ACTIVITIES) - 1)
        self._label = 0
        self._left = self._bits(16) % (30 * HERTZ)
        self._phase = random.random()

    def sample(self, moves: list[list[list[float]]], noise: list[list[float]]) -> tuple[float, ...]:
        """The 24 values after the id and the time, 20 ms after the last ones."""
        if not self._left:
            self._change()
        self._left -= 1
        activity = ACTIVITIES[self._label]
        self._phase = (self._phase + activity.pace * self._pace / HERTZ) % 1.0
        wave = moves[self._label][int(self._phase * PHASES)]
        row = noise[self._bits(10)]
        chest_x, chest_y, chest_z, *limbs = [
            level + offset + jitter for level, offset, jitter in zip(wave, self._offsets, row, strict=True)
        ]
        return (chest_x, chest_y, chest_z, *self._heart.sample(activity.pulse), *limbs, self._label)

    def _change(self) -> None:
        """From rest to the next of the twelve activities, from there to rest; a tenth longer or shorter."""
        if self._label:
            self._label, seconds = 0, 30
        else:
            self._done = self._done % (len(ACTIVITIES) - 1) + 1
            self._label, seconds = self._done, 20 if self._done == len(ACTIVITIES) - 1 else 60
        self._left = int(seconds * HERTZ * (0.9 + 0.2 * self._random.random()))


class Subjects:
    """All subjects, by turns. Samples of one are 20 ms of their life apart, however fast they come."""

    def __init__(self, sensors: int, random: Random) -> None:
        self._names = [subject_id(number) for number in range(sensors)]
        self._subjects = [Subject(random) for _ in range(sensors)]
        self._moves = waves()
        self._noise = noises(_ROWS)

    def __call__(self, turn: int, due: float) -> Reading:
        """A subject's next sample."""
        number = turn % len(self._subjects)
        return self._names[number], int(due * 1000), self._subjects[number].sample(self._moves, self._noise)


def subject_id(number: int) -> bytes:
    """The id of the number-th subject: `subject1` to `subject10`, and in a replica its number after that."""
    replica, stem = divmod(number, SUBJECTS)
    return b"subject%d%d" % (stem + 1, replica) if replica else b"subject%d" % (stem + 1)
