"""What outcomes come to: results by sink, dead letters with their message, the places where everything is."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from riotd.messages import REJECTS, Batch, Cut, DeadLetter, Outcome, Reject, Result
from riotd.ports import Engine, RejectSink, Resumable, Rewindable, Sink, Source


@dataclass(frozen=True)
class Ends:
    """What the pump is connected to; `sinks` in the order of the plan's outlets."""

    source: Source
    engine: Engine
    sinks: Sequence[Sink]
    rejects: RejectSink

    def cut(self, sequence: int, states: list[bytes]) -> Cut:
        """The state of everything, with where sinks and source are at this moment.

        Args:
            sequence: id of the first message that is not in it.
            states: snapshots of the shards.
        """
        ends = {**dict(enumerate(self.sinks)), REJECTS: self.rejects}
        places = {index: sink.position() for index, sink in ends.items() if isinstance(sink, Rewindable)}
        source = self.source.position() if isinstance(self.source, Resumable) else None
        return Cut(sequence, states, places, source)

    def by_sink(self, outcomes: Sequence[Outcome]) -> list[tuple[Sink, list[Result]]]:
        """Each sink with its results, in the order of the outcomes."""
        if len(self.sinks) == 1:
            return [(self.sinks[0], [result for outcome in outcomes for result in outcome.results])]
        shares: list[list[Result]] = [[] for _ in self.sinks]
        for outcome in outcomes:
            for result in outcome.results:
                shares[result.outlet].append(result)
        return list(zip(self.sinks, shares, strict=True))


def letters(batch: Batch, rejects: Sequence[Reject], now: float) -> list[DeadLetter]:
    """Refusals with the messages they are of; a flush may refuse what is of older ones."""
    found = []
    for reject in rejects:
        message = batch.message(reject.id) if reject.id in batch else None
        topic, payload = (message.topic, message.payload) if message else ("", b"")
        found.append(DeadLetter(now, reject.stage, reject.reason, reject.id, topic, payload))
    return found


def with_topics(batch: Batch, outcome: Outcome) -> Outcome:
    """Results of later passes know their message's id only; here with its topic."""
    results = [
        result
        if result.topic or result.id not in batch
        else msgspec.structs.replace(result, topic=batch.message(result.id).topic)
        for result in outcome.results
    ]
    return msgspec.structs.replace(outcome, results=results)
