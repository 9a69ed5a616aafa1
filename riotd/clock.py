"""Time as the daemon sees it: monotonic for durations, wall clock only as data."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where `now` comes from; below the pump it is always an argument."""

    def monotonic(self) -> float:
        """Seconds that never step back; for durations and deadlines."""

    def wall(self) -> float:
        """Unix seconds; as data only."""


class SystemClock:
    """The machine's clocks."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
