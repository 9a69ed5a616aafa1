"""Readings of a schema's devices, one after the other, with the faults that real ones have."""

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Protocol

from riotd.feeds.faults import gap_length, spoilt, spoilt_row
from riotd.feeds.request import Request
from riotd.feeds.schema import Reading, Schema, Writer

_HAIR = 2.0**-12  # seconds: keeps a time that is meant to be on a millisecond from being cut to the one before


class Reader(Protocol):
    """Reads devices, who take turns."""

    def __call__(self, turn: int, due: float, /) -> Reading:
        """What device `turn % sensors` says at its turn, which comes at `due` (Unix seconds)."""


def packs(schema: Schema, request: Request, reader: Reader, random: Random) -> Iterator[tuple[float, bytes]]:
    """The feed asked for: due times in Unix seconds, each with its pack.

    Args:
        schema: what is read, and where faults occur.
        request: how much of it, how fast and how faulty.
        reader: reads it.
        random: what all is drawn from, by the reader too.
    """
    return islice(_packs(schema, request, reader, random), request.messages)


def _packs(schema: Schema, request: Request, reader: Reader, random: Random) -> Iterator[tuple[float, bytes]]:
    """The hot loop."""
    writer = Writer(schema, request.form)
    faults = _Faults(schema, request, writer, random)
    odds, draw, write = request.odds, random.random, writer.write
    for turn, due in enumerate(_dues(schema, request, random)):
        reading = reader(turn, due)
        fate = draw()
        if fate >= odds.gap and not faults.gaps:
            yield due, write(reading)
        elif (pack := faults.pack(turn % request.sensors, reading, odds.verdict(fate))) is not None:
            yield due, pack


def _dues(schema: Schema, request: Request, random: Random) -> Iterator[float]:
    """When packs come: on the clock, or each at a time drawn from its share."""
    draw, clocked = random.random, schema.clocked
    for start, rate, numbers in request.spans(schema.name):
        for number in numbers:
            yield start + number / rate + _HAIR if clocked else start + (number + draw()) / rate


class _Faults:
    """Writes packs that are out of the ordinary.

    Attributes:
        gaps: of the devices that have one, by number: how many readings it still lasts, and the column missing.
    """

    def __init__(self, schema: Schema, request: Request, writer: Writer, random: Random) -> None:
        self._schema = schema
        self._csv = request.form == "csv"
        self._write = writer.write
        self._random = random
        self.gaps: dict[int, tuple[int, int]] = {}

    def pack(self, device: int, reading: Reading, verdict: str) -> bytes | None:
        """The pack of a device's reading, or None where it has nothing to say."""
        if verdict == "gap" and device not in self.gaps:
            self.gaps[device] = gap_length(self._random), self._random.choice(self._schema.faulty)
        missing = self._pass_gap(device)
        if verdict == "malformed":
            return self._spoilt(self._write(reading))
        if missing is not None and len(self._schema.columns) == 2:  # the id, and what is missing
            return None
        if verdict == "outlier":
            reading = self._spiked(reading, missing)
        return self._write(reading, missing)

    def _pass_gap(self, device: int) -> int | None:
        """The column that this device's reading lacks; after the last of the gap it is back."""
        if device not in self.gaps:
            return None
        left, missing = self.gaps.pop(device)
        if left > 1:
            self.gaps[device] = left - 1, missing
        return missing

    def _spiked(self, reading: Reading, missing: int | None) -> Reading:
        name, stamp, values = reading
        at = self._random.choice([at for at in self._schema.faulty if at != missing])
        low, high = self._random.choice(self._schema.columns[at + 1].spikes)
        return name, stamp, (*values[:at], self._random.uniform(low, high), *values[at + 1 :])

    def _spoilt(self, pack: bytes) -> bytes:
        if self._csv:
            return spoilt_row(pack, self._random)
        return spoilt(pack, self._random, self._schema.columns[1].name.encode())
