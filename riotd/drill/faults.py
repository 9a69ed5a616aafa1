"""Which faults there are, and when each strikes: all of it from a seed, so that a drill can be had again."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

import msgspec

FAULTS: Final = {
    "kill-daemon": "kill -9 of the daemon, started again at once; now and then again before it has caught up",
    "kill-actor": "kill -9 of one worker (Ray only)",
    "cut-broker": "the daemon's connections to the broker are reset, and refused for a moment",
    "half-open": "the connections stay, and nothing comes through any more, past keep-alive",
    "slice-network": "what the broker and the daemon say arrives byte by byte",
    "slow-network": "every byte takes 200 ms each way",
    "restart-broker": "the broker ends in good order and starts again; it keeps its sessions",
    "stop-daemon": "SIGSTOP, past keep-alive, then SIGCONT",
    "drain-daemon": "SIGTERM, awaited, started again",
    "fill-quota": "results can't leave, past the quota of the journal",
    "full-disk": "no file of the daemon may grow (RLIMIT_FSIZE)",
    "slow-disk": "another process writes and syncs to the same disk as fast as it goes",
    "skew-clock": "the daemon's wall clock steps: an hour ahead or back, or to 1970",
}
"""Name to what happens."""
_LASTS: Final = {
    "cut-broker": (0.0, 1.0),
    "half-open": (3.0, 5.0),
    "slice-network": (0.5, 1.5),
    "slow-network": (1.0, 2.0),
    "stop-daemon": (3.5, 5.0),
    "fill-quota": (6.0, 9.0),
    "full-disk": (1.0, 3.0),
    "slow-disk": (1.0, 2.0),
    "skew-clock": (1.0, 2.0),
}
"""Seconds, from and to; what is not here is over at once."""
_IMPATIENT = 0.25
"""Share of the kills that are followed by another before the daemon has caught up."""


class Planned(msgspec.Struct, frozen=True):
    """A fault to come.

    Attributes:
        fault: its name.
        pause: seconds after the one before has been recovered from.
        lasts: seconds.
        chance: 0 to 1, for what is left to choose: which worker, which step of the clock.
        patient: whether the next one waits until the daemon has caught up.
    """

    fault: str
    pause: float
    lasts: float
    chance: float
    patient: bool = True


def schedule(faults: Sequence[str], *, every: float, seed: int) -> Iterator[Planned]:
    """Faults without end, each of them once a round, the rounds in random order.

    Args:
        faults: names of `FAULTS`.
        every: seconds of quiet before each, on the average.
        seed: the same one gives the same schedule.
    """
    random = Random(seed)  # noqa: S311 - to be had again, not to be secret
    while faults:
        for fault in random.sample(list(faults), len(faults)):
            lasts = random.uniform(*_LASTS.get(fault, (0.0, 0.0)))
            pause, chance = every * random.uniform(0.5, 1.5), random.random()
            patient = fault != "kill-daemon" or random.random() >= _IMPATIENT
            yield Planned(fault, round(pause, 3), round(lasts, 3), round(chance, 3), patient)
