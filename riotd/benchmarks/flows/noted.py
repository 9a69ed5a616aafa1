"""What load, listener, daemon and machine have noted of a run, and which result belongs to which message."""

from array import array
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from riotd.benchmarks.flows.usage import Sample


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was noted in a run. Instants are monotonic seconds of the machine.

    Attributes:
        began: when due times begin to count.
        since, until: the measured time, seconds from there.
        first: number of the first message.
        dues: when each was due, seconds from `began`.
        sent: pairs: how many had been sent, seconds from `began`.
        heard: pairs: number of the message, -1 for none; when its result came.
        reports: the daemon's statistics.
        wall: Unix seconds at the monotonic instant 0.
        samples: of the machine.
        waiting: stages that wait for something outside.
    """

    began: float
    since: float
    until: float
    first: int
    dues: "array[float]"
    sent: "array[float]"
    heard: "array[float]"
    reports: Sequence[Mapping[str, Any]]
    wall: float
    samples: Sequence[Sample]
    waiting: Collection[str] = ()


class Answers:
    """Results brought together with the messages they follow from."""

    def __init__(self, noted: Noted) -> None:
        total = len(noted.dues)
        sums, self._last, self._counts = array("d", bytes(8 * total)), array("d", bytes(8 * total)), [0] * total
        self.strange = 0
        for number, came in zip(noted.heard[::2], noted.heard[1::2], strict=True):
            index = int(number) - noted.first
            if not 0 <= index < total:
                self.strange += 1
                continue
            sums[index] += came
            self._last[index] = came
            self._counts[index] += 1
        self._measured = [at for at, due in enumerate(noted.dues) if noted.since <= due < noted.until]
        self._sums, self._noted = sums, noted

    def latencies(self) -> list[float]:
        """Of the measured messages that anything followed from, in the order of their last results."""
        began, dues = self._noted.began, self._noted.dues
        answered = [at for at in self._measured if self._counts[at]]
        answered.sort(key=self._last.__getitem__)
        return [self._sums[at] / self._counts[at] - began - dues[at] for at in answered]

    @property
    def selectivity(self) -> float:
        """Results to a measured message."""
        return sum([self._counts[at] for at in self._measured]) / max(len(self._measured), 1)

    @property
    def silent(self) -> float:
        """Share of the measured messages from which nothing followed."""
        return sum([not self._counts[at] for at in self._measured]) / max(len(self._measured), 1)
