"""What is told of a run in the end."""

from typing import Any

import msgspec

from riotd.errors import RiotdError
from riotd.messages import Reject

SCHEMA = 1
"""Version of the report's shape; a member is never renamed or removed within one."""


class InputRefused(RiotdError):  # noqa: N818 - it names what happened
    """A line, or an item, was refused in a strict run.

    Attributes:
        number: of the line or item, from 1.
        stage: which stage refused it.
        reason: why.
    """

    def __init__(self, what: str, reject: Reject) -> None:
        super().__init__(f"{what} {reject.id}: {reject.stage}: {reject.reason}")
        self.number, self.stage, self.reason = reject.id, reject.stage, reject.reason


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from when a line had been read until its results were there; 0 where nothing was counted."""

    count: int = 0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0


class ShardFigures(msgspec.Struct, frozen=True):
    """One shard's part.

    Attributes:
        shard: its number; -1 where the engine does not tell.
        records: lines it was given.
        results: records it gave.
        errors: refusals.
        filtered: records that gave nothing, in any stage.
        devices: task instances alive at the end.
        busy_s: seconds of work in the tasks.
        throughput: lines per second of work.
        latency_ms: of its lines.
    """

    shard: int
    records: int
    results: int
    errors: int
    filtered: int
    devices: int
    busy_s: float
    throughput: float
    latency_ms: Latency


class StageFigures(msgspec.Struct, frozen=True):
    """One stage's part: `received = passed + filtered + errors`, and how many records it emitted."""

    id: str
    received: int
    passed: int
    filtered: int
    errors: int
    emitted: int
    busy_s: float


class About(msgspec.Struct, frozen=True):
    """Which run it is.

    Attributes:
        task: what was run: a task, or a configuration's name.
        input: path of what was read.
        output: path of what was written.
        form: of the input.
        engine: where it ran.
        shards: on how many.
    """

    task: str
    input: str
    output: str
    form: str
    engine: str
    shards: int


class Report(msgspec.Struct, frozen=True):
    """What became of one input.

    Attributes:
        about: which run it is.
        records: lines that were not blank.
        results: records written.
        errors: refusals; a line that is several records may have several.
        filtered: records that gave nothing, in any stage.
        unnamed: lines that did not say which device they are of, and so share one state; refused ones left out.
        bytes: of the lines.
        seconds: from the first line read until the last result was written.
        throughput: lines per second.
        latency_ms: of all lines.
        stages: in the order of the flow.
        per_shard: in their order.
        refused: the first few refusals, by line.
        failure: why it came to no end, or "".
    """

    about: About
    records: int
    results: int
    errors: int
    filtered: int
    unnamed: int
    bytes: int
    seconds: float
    throughput: float
    latency_ms: Latency
    stages: list[StageFigures]
    per_shard: list[ShardFigures]
    refused: list[Reject]
    failure: str = ""

    def plain(self) -> dict[str, Any]:
        """The same as plain data, for JSON: flat, but for what there are several of."""
        refused = [{"line": each.id, "stage": each.stage, "reason": each.reason} for each in self.refused]
        plain = msgspec.to_builtins(self)
        return {"schema": SCHEMA, **plain.pop("about"), **plain, "refused": refused}
