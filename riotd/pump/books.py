"""What the pump decides by, and what is left of an earlier life."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from riotd.batching import Batcher, Limits
from riotd.budget import Budget
from riotd.dataflow import Plan
from riotd.ledger import Ledger
from riotd.messages import Past
from riotd.partitioning import Partitioner
from riotd.ports import Diary
from riotd.stats import Stats


@dataclass(frozen=True)
class Books:
    """What the pump decides by; with `kept`, state outlives the daemon, and `stop` ends with a cut."""

    batcher: Batcher
    partitioner: Partitioner
    stats: Stats
    max_in_flight: int
    passes: int = 1
    diary: Diary | None = None
    ledger: Ledger = field(default_factory=Ledger)
    kept: bool = False
    budget: Budget = field(default_factory=Budget)


class Regime(NamedTuple):
    """What follows from a number of shards.

    Attributes:
        plan: with that number.
        limits: of a batch.
        max_in_flight: bytes in all; 0 for what it was.
        memory: as `Budget.adjust` takes it.
    """

    plan: Plan
    limits: Limits
    max_in_flight: int = 0
    memory: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Before:
    """What is left of the daemon's earlier life.

    Attributes:
        states: snapshots of the shards.
        past: what was done since, in order; read as it is done again.
        settled: results of messages below this id are with the sinks.
        rewound: indexes of the sinks that have forgotten what they got since the snapshots, `REJECTS` among them.
        received: messages below this id were received then.
        doing: told which message is done alone, 0 when it is done, for the case that the daemon does not outlive it.
        convicted: told which messages the engine refuses for what they did to it, and why, so that no later life tries.
    """

    states: Sequence[bytes] = ()
    past: Iterable[Past] = ()
    settled: int = 0
    rewound: frozenset[int] = frozenset()
    received: int = 0
    doing: Callable[[int], None] = lambda _: None
    convicted: Callable[[Mapping[int, str]], None] = lambda _: None
