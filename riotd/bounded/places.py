"""Where the portions of a run go: what a place is, and the one right here.

To a run all of them are the same: cuts in, outcomes out, as many cuts ahead as keep the shards busy.
"""

from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple, Protocol

from riotd.bounded.cutting import Cut, Cutter
from riotd.dataflow import Plan
from riotd.engines.worker import build
from riotd.messages import Outcome, Reject, Result

_by_id, _by_id_and_source = attrgetter("id"), attrgetter("id", "source")


class Done(NamedTuple):
    """Outcomes that belong together, each with its shard (None where nobody can tell).

    Attributes:
        cut: they follow from it; None for what comes at the end of the input, or in the engine's own order.
        outcomes: in the order of the shards.
    """

    cut: Cut | None
    outcomes: list[tuple[int | None, Outcome]]

    def results(self) -> list[Result]:
        """The results in the order of their messages, the same for any number of shards."""
        results = [result for _, outcome in self.outcomes for result in outcome.results]
        if self.cut is None or self.cut.mixed:
            results.sort(key=_by_id_and_source)
        elif len(self.outcomes) > 1:
            results.sort(key=_by_id)
        return results

    def rejects(self) -> list[Reject]:
        """The refusals in the order of their messages."""
        return sorted((reject for _, outcome in self.outcomes for reject in outcome.rejects), key=_by_id)


class Place(Protocol):
    """Where tasks run.

    Attributes:
        name: of the engine.
        width: how many parts the keys are divided into, by whomever.
        shards: how many of them the caller divides the messages into.
        lanes: how many inputs can be run at once to advantage.
    """

    name: str
    width: int
    shards: int
    lanes: int

    def prepare(self, plan: Plan) -> None:
        """Be ready to run inputs through a plan, from a fresh state.

        Raises:
            ConfigError: the engine is not installed.
            EngineError: a task can't be made, or the engine can't be started.
        """

    def run(self, cuts: Iterator[Cut], cutter: Cutter) -> Iterator[Done]:
        """The outcomes of an input, in its order where `Done.cut` is not None; then of the end, which flushes.

        Takes as many cuts ahead as it needs to keep its shards busy. Closed early, it leaves them a state that
        only `prepare` makes good.

        Raises:
            EngineError: the engine gave up.
        """

    def close(self) -> None:
        """Release it; safe to call twice."""


class Here:
    """Shards in the caller's own thread; each has the tasks of its keys, as a worker would."""

    name = "inline"
    lanes = 1

    def __init__(self, shards: int) -> None:
        self.width = self.shards = shards
        self._plan = Plan(())

    def prepare(self, plan: Plan) -> None:
        """As `Place.prepare`."""
        self._plan = plan

    def run(self, cuts: Iterator[Cut], cutter: Cutter) -> Iterator[Done]:
        """As `Place.run`; takes nothing ahead."""
        shards = [build(self._plan) for _ in range(self.shards)]
        for cut in cuts:
            yield Done(cut, [(number, shards[number].run(portion)) for number, portion in cut.portions])
        yield Done(None, [(number, shards[number].run(portion)) for number, portion in cutter.end()])

    def close(self) -> None:
        """Nothing to release."""
