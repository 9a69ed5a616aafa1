"""What the daemon's own classes take from the machine, as the simulation has it: threads, pauses, the disk's folder.

Only names of the standard library's and the file system's are put in the place of others; every class of ours is real.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from unittest.mock import patch

from tests.simulation.disk import SimulatedDisk, SimulatedFolder
from tests.simulation.loop import Fiber, SimulatedLoop


class SimulatedClock:
    """Keeps `riotd.clock.Clock`; its wall clock may be wrong."""

    def __init__(self, loop: SimulatedLoop, wall: float) -> None:
        self._loop, self._wall = loop, wall

    def monotonic(self) -> float:
        """The loop's."""
        return self._loop.time()

    def wall(self) -> float:
        """As far ahead of it as this life believes."""
        return self._loop.time() + self._wall


class Boot:
    """In the place of the file that names this start of the machine."""

    def __init__(self, number: int) -> None:
        self._number = number

    def read_text(self) -> str:
        """It."""
        return f"boot {self._number}"


@contextmanager
def outside(loop: SimulatedLoop, disk: SimulatedDisk, boot: int) -> Iterator[None]:
    """The simulated machine in the place of the real one, for one life."""
    fibers = loop.fibers

    class SimulatedThread:
        """As `threading.Thread`."""

        def __init__(self, *, target: Callable[[], None], name: str, daemon: bool) -> None:
            del name, daemon
            self._fiber = fibers.start(target)

        def start(self) -> None:
            loop.call_later(loop.delay(), self._fiber.resume)

    class SimulatedCondition:
        """As `threading.Condition`, for one thread that waits; nobody else runs meanwhile, so there is no lock."""

        def __init__(self) -> None:
            self._waiter: Fiber | None = None

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_error: object) -> None:
            """Nothing to give back."""

        def wait(self) -> None:
            self._waiter = fibers.current
            assert self._waiter is not None
            self._waiter.pause()

        def notify(self) -> None:
            if self._waiter is not None:
                loop.call_later(loop.delay(), self._waiter.resume)
                self._waiter = None

    def folder(path: Path) -> SimulatedFolder:
        return SimulatedFolder(disk, fibers, path)

    with (
        patch("riotd.journal.writer.Thread", SimulatedThread),
        patch("riotd.journal.writer.Condition", SimulatedCondition),
        patch("riotd.journal.writer.sleep", fibers.sleep),
        patch("riotd.keeping.Folder", folder),
        patch("riotd.journal.suspects._BOOT", Boot(boot)),
    ):
        yield
