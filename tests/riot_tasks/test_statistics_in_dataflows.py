"""The statistics tasks as stages: whatever portions their input comes in, and whoever goes on after each."""

from collections import defaultdict
from itertools import pairwise

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from riotd.dataflow import Outlet, Plan, Stage
from riotd.messages import Outcome, Portion
from riotd.shard import Shard

FIELDS = ["temperature", "humidity"]
MODEL = {
    "kind": "linear_regression",
    "format": 1,
    "version": "made-up",
    "features": ["humidity"],
    "target": "temperature",
    "coefficients": {"humidity": -0.5},
    "intercept": 45.0,
}
STAGES = (
    Stage("parse", "senml_parse"),
    Stage("range", "range_filter", {"ranges": {"humidity": [0, 60]}, "on_outlier": "null"}, ("parse",)),
    Stage("fill", "interpolate", {"fields": FIELDS, "on_empty": "drop"}, ("range",)),
    Stage("mean", "average", {"fields": FIELDS, "window": 3}, ("fill",)),
    Stage("smooth", "kalman_filter", {"fields": FIELDS}, ("fill",)),
    Stage("trend", "sliding_regression", {"fields": FIELDS, "window": 2, "horizon": 2}, ("smooth",)),
    Stage("moment", "second_moment", {"tracked": 4}, ("fill",)),
    Stage("count", "distinct_count", {"item": "temperature"}, ("fill",)),
    Stage("predict", "riot_tasks.predict.linear_regression:LinearRegression", {"model": MODEL}, ("fill",)),
    Stage("error", "error_estimate", {"actual": "temperature"}, ("mean", "predict")),
    Stage("gather", "accumulate", {"window": 5, "name_from": "step"}, ("mean", "trend")),
)
PLAN = Plan(STAGES, (Outlet("results", tuple(stage.id for stage in STAGES[2:]), "json"),))
MESSAGES = [
    (
        f"dev{number * 7 % 3}",
        orjson.dumps([
            {"n": "temperature", "v": 20.0 + number * 7 % 5, "u": "Cel", "t": 1.7e9 + number * 13 % 11},
            {"n": "humidity", "v": 40 + number * 11 % 30, "t": 1.7e9 + number * 13 % 11},
        ]),
    )
    for number in range(40)
]


def _portion(first: int, last: int) -> Portion:
    keys, payloads = zip(*MESSAGES[first:last], strict=True) if first < last else ((), ())
    return Portion(first, 1.7e9, list(range(first, last)), list(keys), list(payloads))


def _by_stage(outcomes: list[Outcome]) -> dict[str, list[tuple[int, bytes]]]:
    said = defaultdict(list)
    for outcome in outcomes:
        assert outcome.rejects == []
        for result in outcome.results:
            said[result.stage].append((result.id, result.payload))
    return said


WHOLE = [_portion(0, len(MESSAGES)), _portion(0, 0)]


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(1, len(MESSAGES) - 1)))
def test_any_portions_and_any_restarts_give_the_same_results(cuts: set[int]) -> None:
    """Cut anywhere, each portion run by a shard that took the snapshot of the last, every stage says the same."""
    whole = Shard(PLAN)
    expected = _by_stage([whole.run(portion) for portion in WHOLE])
    assert sorted(expected) == sorted(stage.id for stage in STAGES[2:])
    outcomes, shard = [], Shard(PLAN)
    for first, last in [*pairwise(sorted({0, len(MESSAGES)} | cuts)), (0, 0)]:
        outcomes.append(shard.run(_portion(first, last)))
        state, shard = shard.snapshot(), Shard(PLAN)
        shard.restore(state)
    assert _by_stage(outcomes) == expected
