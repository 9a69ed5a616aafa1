"""The session's Ray, and who looks on."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from riotd.engines.cluster import Cluster
from riotd.training.trials import Trial


@pytest.fixture(scope="session")
def session_ray() -> Iterator[None]:
    """A local Ray, that of other tests if there is one: jobs of this process use it as it is."""
    pytest.importorskip("pandas")
    pytest.importorskip("ray")
    cluster = Cluster(None, shards=2)
    asyncio.run(cluster.start(lambda: None))
    yield
    asyncio.run(cluster.stop())


class Notes:
    """An onlooker that takes notes, and asks for an end after so many folds.

    Args:
        folds: that are enough.
    """

    def __init__(self, folds: float = float("inf")) -> None:
        self.rows = self.done = 0
        self.made = False
        self._enough = folds

    def reading(self, rows: int) -> None:
        """As `Onlooker`."""
        self.rows = rows

    def trying(self, trials: Sequence[Trial], folds: int, figure: str) -> None:
        """As `Onlooker`."""
        assert figure in {"accuracy", "rmse"}
        assert all(trial.folds <= folds for trial in trials)
        self.done = sum(trial.folds for trial in trials)

    def making(self) -> None:
        """As `Onlooker`."""
        self.made = True

    def stop(self) -> bool:
        """Whether it is enough."""
        return self.done >= self._enough


@pytest.fixture
def notes() -> Notes:
    """Of one that does not ask for an end."""
    return Notes()
