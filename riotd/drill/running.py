"""A drill of a daemon that is in use: a fault that was asked for, and what its own books say afterwards.

Nobody feeds it and nobody judges its results: it has its own feed, and its users hear the results. What is looked at is
what it says of itself: whether it is back, how soon, whether its books are closed, what it does again.
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import sleep
from typing import Any, Final

import msgspec

from riotd.clock import Clock
from riotd.control import Asker, NotRunningError
from riotd.drill import processes

SAFE: Final = {
    "drain-daemon": "SIGTERM: it finishes what it has; whoever runs it must start it again",
    "kill-daemon": "SIGKILL: whoever runs it must start it again; its state comes from snapshot and journal",
    "kill-actor": "SIGKILL of one worker (Ray only): a spare takes over",
    "stop-daemon": "SIGSTOP for a while, then SIGCONT: its broker may have dropped it",
}
"""Faults that a daemon in use may be asked to bear, and what they are; a daemon that keeps nothing is not killed."""
_LOOK: Final = 0.1
"""Seconds between two looks."""
_ANSWERS: Final = 2.0
"""Seconds for an answer."""


class Shock(msgspec.Struct, frozen=True):
    """A fault, and what came of it.

    Attributes:
        fault: its name.
        pids: of the daemon, before and after.
        back: seconds until it answered again; None if it did not in time.
        closed: seconds until it ran and its books were closed; None if they were not in time.
        replayed: messages that it did again.
        alarms: what does not add up, in its words.
    """

    fault: str
    pids: tuple[int, int | None]
    back: float | None
    closed: float | None
    replayed: int
    alarms: Sequence[str]

    @property
    def complaint(self) -> str:
        """Why it is not well; "" if it is."""
        if self.back is None:
            return "it is not back: nobody has started it again"
        if self.closed is None:
            return "; ".join(self.alarms) or "it is back, and does not run"
        return ""


class Running:
    """Somebody's daemon, known by its control socket.

    Args:
        places: of the socket.
        within: seconds that it may take to be back, and to have its books closed.
        clock: the machine's.

    Raises:
        NotRunningError: from any method, it does not run.
        PermissionError: the same, it is another user's.
    """

    def __init__(self, places: Sequence[Path], *, within: float, clock: Clock) -> None:
        self._places, self._within, self._clock = places, within, clock

    def look(self) -> Mapping[str, Any]:
        """What it says now."""
        with Asker(self._places, patience=_ANSWERS) as asker:
            answer: Mapping[str, Any] = asker.ask("status")
            return answer

    def strike(self, fault: str, *, lasts: float = 4.0) -> Shock:
        """Hurt it once, and wait until it is well, or has had its time.

        Args:
            fault: of `SAFE`.
            lasts: seconds, of a stop.
        """
        before = int(self.look()["pid"])
        begun = self._clock.monotonic()
        self._hurt(fault, before, lasts)
        replaced = fault in {"kill-daemon", "drain-daemon"}
        there = self._until(lambda answer: not replaced or answer["pid"] != before)
        if there is None:
            return Shock(fault, (before, None), None, None, 0, ())
        back = self._clock.monotonic() - begun
        well = self._until(lambda answer: answer["phase"] == "running" and not answer["report"]["alarms"])
        closed = None if well is None else self._clock.monotonic() - begun
        last = well or self.look()
        report, pid = last["report"], int(last["pid"])
        replayed = report["ledger"]["replayed"] if pid != before else 0
        return Shock(fault, (before, pid), round(back, 3), closed and round(closed, 3), replayed, report["alarms"])

    def _hurt(self, fault: str, pid: int, lasts: float) -> None:
        if fault == "stop-daemon":
            os.kill(pid, signal.SIGSTOP)
            try:
                sleep(lasts)
            finally:
                os.kill(pid, signal.SIGCONT)
        elif fault == "kill-actor":
            processes.end(processes.workers(pid)[:1])
        else:
            os.kill(pid, signal.SIGTERM if fault == "drain-daemon" else signal.SIGKILL)

    def _until(self, fulfilled: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any] | None:
        """The first answer that is so; None if there is none in time."""
        deadline = self._clock.monotonic() + self._within
        while self._clock.monotonic() < deadline:
            try:
                if fulfilled(answer := self.look()):
                    return answer
            except NotRunningError:
                pass  # it is on its way
            sleep(_LOOK)
        return None
