"""Runs on Beam and Flink: the platform regroups the messages by key and calls the same shards."""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module

from riotd.bounded.cutting import Cut, Cutter
from riotd.bounded.places import Done
from riotd.dataflow import Plan
from riotd.errors import EngineError
from riotd.messages import Outcome, Portion


class Platform:
    """A place on a stream-processing system; keeps `riotd.bounded.places.Place`.

    Outcomes come in the platform's order, which is the input's for each key, and after the last of them the tasks have
    been flushed.

    Args:
        name: `beam` or `flink`.
        shards: its parallelism.
    """

    shards = lanes = 1  # it divides the messages itself

    def __init__(self, name: str, shards: int) -> None:
        self.name, self.width = name, shards
        self._plan = Plan(())

    def prepare(self, plan: Plan) -> None:
        """As `Place.prepare`."""
        self._plan = plan

    def run(self, cuts: Iterator[Cut], cutter: Cutter) -> Iterator[Done]:  # noqa: ARG002 - the platform flushes
        """As `Place.run`."""
        run: Callable[..., Iterable[Outcome]] = import_module(f"riotd.platforms.{self.name}").run
        try:
            for outcome in run(self._plan, _portions(cuts), shards=self.width):
                yield Done(None, [(None, outcome)])
        except OSError as error:
            raise EngineError(f"{self.name}: {error}") from error

    def close(self) -> None:
        """Nothing to release."""


def _portions(cuts: Iterable[Cut]) -> Iterator[Portion]:
    for cut in cuts:
        for _, portion in cut.portions:
            yield portion
