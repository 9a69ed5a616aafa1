"""A process's memory over time, beside what it has got done by then."""

import threading
from collections.abc import Callable
from pathlib import Path

import psutil

_SAMPLE = 0.1


class Resident(threading.Thread):
    """Samples a process's resident memory every tenth of a second; `peak` and `now` in 10^6 bytes.

    Args:
        process: whose.
        results: gives how many there have been.

    Attributes:
        peak: the most.
        aside: whether samples are not meant for the slope, as during a stall.
        samples: results, and bytes of memory that is the process's own (anonymous, so no files), for the slope.
    """

    def __init__(self, process: psutil.Process, results: Callable[[], int]) -> None:
        super().__init__(name="resident", daemon=True)
        self.peak = 0.0
        self.aside = False
        self.samples: list[tuple[int, float]] = []
        self._process, self._results = process, results
        self._over = threading.Event()

    def now(self) -> float:
        """At this instant."""
        return float(self._process.memory_info().rss) / 1e6

    def run(self) -> None:
        """Until `stop`, or the process ends."""
        while not self._over.wait(_SAMPLE):
            try:
                self.peak = max(self.peak, self.now())
                if not self.aside:
                    self.samples.append((self._results(), _own(self._process.pid)))
            except (psutil.Error, OSError):
                return

    def stop(self) -> None:
        """No more samples."""
        self._over.set()
        self.join()


def _own(pid: int) -> float:
    """Bytes of a process's memory that no file backs."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return 1024.0 * int(status.partition("RssAnon:")[2].split()[0])
