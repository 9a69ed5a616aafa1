"""Portions and plans for the engines, and what a single-threaded shard makes of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

import msgspec

from riotd.dataflow import Outlet, Plan, Stage
from riotd.messages import Outcome, Portion
from riotd.shard import Shard

ROOT = str(Path(__file__).resolve().parents[2])
FOLD, DEADLY, EXITING = (f"tests.contracts.engine_tasks:{name}" for name in ("Fold", "Deadly", "Exiting"))


def plan(*stages: Stage) -> Plan:
    """These stages, the last of them to one sink; the tests' folder on the path."""
    return Plan(stages, (Outlet("out", (stages[-1].id,), "json"),), path=(ROOT,))


def chain() -> Plan:
    """Two stages that depend on order and state."""
    return plan(Stage("first", FOLD), Stage("second", FOLD, {"seed": 7}, ("first",)))


def portion(
    batch: int, payloads: Sequence[bytes], *, keys: Sequence[str] = ("a",), first: int | None = None
) -> Portion:
    """A portion with the keys in turn; ids go on from `first`, default so that equally long batches follow on."""
    start = batch * len(payloads) if first is None else first
    ids = list(range(start, start + len(payloads)))
    return Portion(batch, 1000.0 + batch, ids, [keys[index % len(keys)] for index in range(len(ids))], list(payloads))


def feed(batches: int, *, size: int = 5, seed: int = 1, bad: float = 0.1) -> list[Portion]:
    """Random payloads of four devices, some of them bad."""
    random = Random(seed)
    return [
        portion(
            batch,
            [b"bad" if random.random() < bad else random.randbytes(8) for _ in range(size)],
            keys=random.sample(["a", "b", "c", "d"], k=4),
        )
        for batch in range(batches)
    ]


def direct(of: Plan, portions: Iterable[Portion]) -> list[Outcome]:
    """The outcomes of one shard, without an engine."""
    shard = Shard(of)
    return [plain(shard.run(each)) for each in portions]


def plain(outcome: Outcome) -> Outcome:
    """Without the time it took, which is the only thing that differs from run to run."""
    tallies = [msgspec.structs.replace(tally, busy=0.0) for tally in outcome.tallies]
    return msgspec.structs.replace(outcome, tallies=tallies)
