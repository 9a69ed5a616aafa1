"""The state folder's disk: what a kill leaves, what a power cut leaves, and times at which it refuses."""

from pathlib import Path
from random import Random

from tests.riotd.journal.fake_disk import FakeDisk
from tests.simulation.loop import Fibers


class SimulatedDisk(FakeDisk):
    """The tests' disk, which now and then refuses for a while.

    Attributes:
        refusing: share of the operations that fail at present.
    """

    def __init__(self, random: Random) -> None:
        super().__init__(seed=random.getrandbits(32))
        self.refusing = 0.0
        self._chance = random

    def read(self, name: str) -> bytes:
        """As `Disk.read`."""
        if name not in self._identity:
            raise FileNotFoundError(name)
        return super().read(name)

    def perhaps_refuse(self) -> None:
        """Have the next operation fail, if it is such a time."""
        if self.refusing and self._chance.random() < self.refusing:
            self.fail_at = self.operations + 1

    def begin(self) -> None:
        """A new life finds it willing."""
        self.refusing, self.fail_at = 0.0, None


class SimulatedFolder:
    """Keeps `riotd.journal.Folder` over the disk; a thread may be held up at each operation, or in the midst of one."""

    def __init__(self, disk: SimulatedDisk, fibers: Fibers, path: Path) -> None:
        self.path = path
        self._disk, self._fibers = disk, fibers
        self._closed = False

    def lock(self) -> None:
        """As `Folder.lock`."""

    def close(self) -> None:
        """As `Folder.close`."""
        self._closed = True

    def names(self) -> list[str]:
        """As `Disk.names`."""
        return self._disk.names()

    def read(self, name: str) -> bytes:
        """As `Disk.read`."""
        self._fibers.point()
        return self._disk.read(name)

    def append(self, name: str, data: bytes) -> None:
        """As `Disk.append`."""
        self._point()
        half = len(data) // 2
        self._disk.append(name, data[:half])
        self._fibers.point()  # killed here, it leaves half
        self._disk.append(name, data[half:])

    def cut(self, name: str, size: int) -> None:
        """As `Disk.cut`."""
        self._point()
        self._disk.cut(name, size)

    def sync(self, name: str) -> None:
        """As `Disk.sync`."""
        self._point()
        self._disk.sync(name)

    def rename(self, old: str, new: str) -> None:
        """As `Disk.rename`."""
        self._point()
        self._disk.rename(old, new)

    def remove(self, name: str) -> None:
        """As `Disk.remove`."""
        self._point()
        self._disk.remove(name)

    def sync_names(self) -> None:
        """As `Disk.sync_names`."""
        self._point()
        self._disk.sync_names()

    def _point(self) -> None:
        """Held up, perhaps for ever; then perhaps refused."""
        self._fibers.point()
        self._disk.perhaps_refuse()
