"""What every stateful task is shown on every platform, and how runs are compared."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from riotd import catalog
from riotd.dataflow import Outlet, Plan, Stage
from riotd.messages import Batch, Message, Outcome, Portion, Tally, added
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.shard import Shard
from tests.contracts.feeds import ROOT

WHOLE, PARTS, TRIALS = "whole", "parts", "trials"
"""The stages that make records of the messages: one each, one for each field, two predictions for each."""

TWO = ["temperature", "humidity"]
PLACES = ["indoor", "outdoor", "roof"]


EXAMPLES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "accumulate": [(WHOLE, {"fields": TWO, "window": 5}), (WHOLE, {"window": 4, "name_from": "bn", "parity": True})],
    "average": [(WHOLE, {"fields": TWO, "window": 3}), (WHOLE, {"parity": True})],
    "bloom_train": [(WHOLE, {"field": "kind", "window": 7, "expected": 50})],
    "decision_tree_train": [(WHOLE, {"features": TWO, "target": "kind", "classes": PLACES, "window": 16})],
    "distinct_count": [(WHOLE, {"item": "humidity", "buckets": 5}), (WHOLE, {"item": "kind", "parity": True})],
    "error_estimate": [(WHOLE, {"actual": "humidity", "predicted": "light"})],
    "interpolate": [(WHOLE, {"fields": ["light"]}), (WHOLE, {"parity": True})],
    "join": [(PARTS, {"fields": [*TWO, "light"], "on_expiry": "partial", "timeout": 30.0})],
    "kalman_filter": [(WHOLE, {}), (WHOLE, {"fields": TWO, "parity": True})],
    "label_quantiles": [(WHOLE, {"field": "humidity", "window": 9})],
    "linear_regression_train": [(WHOLE, {"features": ["temperature", "light"], "target": "humidity", "window": 12})],
    "model_compare": [(TRIALS, {"actual": "light", "window": 3})],
    "local_zip": [(WHOLE, {"folder": "{folder}/local", "field": "kind", "count": 7})],
    "remote_zip": [(WHOLE, {"store": "file://{folder}/remote", "field": "kind", "count": 7})],
    "second_moment": [(WHOLE, {"fields": TWO, "tracked": 5}), (WHOLE, {"parity": True})],
    "sliding_regression": [(WHOLE, {"window": 5, "horizon": 3}), (WHOLE, {"fields": TWO, "parity": True})],
    "window": [
        (WHOLE, {"size": "1m", "aggregates": ["mean", "p95", "count"]}),
        (WHOLE, {"kind": "sliding", "size": 90, "every": 30, "delay": 5, "lateness": 60}),
        (WHOLE, {"kind": "session", "gap": 12, "fields": TWO, "aggregates": ["max"]}),
    ],
}
"""Registered name to where its records come from and its parameters, with `{folder}` for a folder; every stateful task
has at least one."""

_UNPACK = "tests.contracts.platform_tasks:Unpack"


class View(NamedTuple):
    """What a stage did, however the platform cut it up."""

    results: dict[str, list[tuple[int, bytes]]]
    rejects: list[tuple[int, str]]
    tally: Tally


def stateful() -> list[str]:
    """Every registered task that keeps a state of a key's own; what all keys share comes by messages to all shards."""
    tasks = {name: catalog.find(name) for name in catalog.names()}
    return [name for name, task in tasks.items() if task.stateful and not task.shared]


def plan(folder: Path) -> Plan:
    """All examples side by side, each a stage `name.number`; by class, so that other environments need no names."""
    sources = [
        Stage(WHOLE, _UNPACK),
        Stage(PARTS, _UNPACK, {"explode": True}),
        Stage(TRIALS, "tests.contracts.platform_tasks:Tried", {}, (WHOLE,)),
    ]
    stages = [
        Stage(f"{name}.{number}", catalog.origin(name), _placed(params, folder), (after,))
        for name, examples in EXAMPLES.items()
        for number, (after, params) in enumerate(examples)
    ]
    outlet = Outlet("out", tuple(stage.id for stage in stages), "json", topics=True)
    return Plan((*sources, *stages), (outlet,), path=(ROOT,))


END = Portion(12, 2000.0, [], [], [])
"""What tells an engine's shard that nothing follows; platforms see to it themselves."""


def portions(shards: int = 1) -> list[dict[int, Portion]]:
    """Interleaved messages of a dozen devices, a few of them odd, cut by shard."""
    random = Random(7)
    messages = [Message(f"feed/dev{random.randrange(12)}", _payload(random, number), 0.0) for number in range(600)]
    partitioner = Partitioner(Keying(by_topic_level(1)), shards=shards, topics=True)
    return [
        partitioner.split(Batch(batch, batch * 50, tuple(messages[batch * 50 : batch * 50 + 50])), 1000.0 + batch)
        for batch in range(12)
    ]


def one_thread(of: Plan) -> dict[str, View]:
    """What one shard in this thread makes of them."""
    shard = Shard(of)
    return views([shard.run(portion) for portion in [*together(), END]], of)


def together() -> list[Portion]:
    """The portions before they are cut by shard, as platforms are given them."""
    return [cut[0] for cut in portions()]


def views(outcomes: Iterable[Outcome], of: Plan) -> dict[str, View]:
    """What each stage gave per key in order, refused, and counted."""
    results: dict[str, dict[str, list[tuple[int, bytes]]]] = defaultdict(lambda: defaultdict(list))
    rejects = defaultdict(list)
    tallies = [Tally() for _ in of.stages]
    for outcome in outcomes:
        for result in outcome.results:
            results[result.stage][result.source].append((result.id, result.payload + result.topic.encode()))
        for reject in outcome.rejects:
            rejects[reject.stage].append((reject.id, reject.reason))
        tallies = [added(*pair) for pair in zip(tallies, outcome.tallies, strict=True)]
    return {
        stage.id: View(dict(results[stage.id]), sorted(rejects[stage.id]), _timeless(tally))
        for stage, tally in zip(of.stages, tallies, strict=True)
    }


def _placed(params: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {
        name: value.replace("{folder}", str(folder)) if isinstance(value, str) else value
        for name, value in params.items()
    }


def _timeless(tally: Tally) -> Tally:
    """Without the time it took."""
    return msgspec.structs.replace(tally, busy=0.0)


def _payload(random: Random, number: int) -> bytes:
    values = {
        "temperature": "warm" if random.random() < 0.02 else random.gauss(21, 3),
        "humidity": str(random.randint(30, 60)),
        "light": None if random.random() < 0.2 else random.randrange(900),
        "kind": random.choice(PLACES),
    }
    if random.random() < 0.1:
        del values["light"]
    return msgspec.msgpack.encode([float(number), values])
