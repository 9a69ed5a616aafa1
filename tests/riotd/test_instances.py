"""Task instances whose state waits: as if they had been there all the time."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riot_tasks import Record
from riotd.dataflow import Outlet, Plan, Stage
from riotd.errors import EngineError
from riotd.instances import Instances, Row
from riotd.messages import Portion
from riotd.shard import Shard
from tests.sample_tasks import Counter

PLAN = Plan((Stage("n", "tests.sample_tasks:Counter"),), (Outlet("out", ("n",), "json"),))


def portion(*keys: str, now: float = 1.0) -> Portion:
    return Portion(0, now, list(range(len(keys))), list(keys), [b""] * len(keys))


def counted(*keys: str) -> Instances:
    """An instance for each of these, which has counted one record."""
    instances = Instances(Counter)
    for number, key in enumerate(keys):
        slot = instances.begun(key, number % 128)
        slot.seen = float(number)
        list(slot.process(Record(number, key, 0.0, {})))
    return instances


def unpacked(data: bytes) -> dict[str, Row]:
    return msgspec.msgpack.decode(data, type=dict[str, Row])


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([0, 1, 15, 16, 63, 64, 65, 79, 80, 128, 200]))
def test_any_number_of_instances_is_packed(count: int) -> None:
    """However many there are, the packed ones are one well-formed map of them in their order."""
    keys = [f"k{number}" for number in range(count)]
    assert list(unpacked(counted(*keys).packed())) == keys


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), max_size=12))
def test_waiting_or_at_work_the_snapshot_is_the_same(used: list[str]) -> None:
    """A restored shard and one that never ended give the same snapshot, and the same at the end, in the same order."""
    first, second = Shard(PLAN), Shard(PLAN)
    first.run(portion("c", "a", "h", "b", "e"))
    second.restore(first.snapshot())
    for shard in (first, second):
        shard.run(portion(*used, now=2.0))
    assert second.snapshot() == first.snapshot()
    assert second.run(Portion(-1, 3.0, [], [], [])).results == first.run(Portion(-1, 3.0, [], [], [])).results


def test_what_waits_counts_among_the_keys() -> None:
    """An instance that nobody has asked for since the start is counted, and dropped when it is the longest unused."""
    kept = Shard(PLAN)
    kept.run(portion("old", now=1.0))
    kept.run(portion("new", now=2.0))
    shard = Shard(msgspec.structs.replace(PLAN, max_keys=2))
    shard.restore(kept.snapshot())
    outcome = shard.run(portion("third", now=3.0))
    assert (outcome.keys, outcome.evicted) == (2, 1)
    assert list(msgspec.msgpack.decode(shard.snapshot())["stages"]["n"]["keys"]) == ["new", "third"]


def test_a_state_the_task_cannot_take_is_an_error_at_the_start() -> None:
    """A snapshot that the task refuses is said when it is restored, not at some later message."""
    rows = {"a": Row(0.0, msgspec.Raw(msgspec.msgpack.encode({"m": 1})), armed=False, group=0)}
    with pytest.raises(EngineError, match="Counter can't go on from its snapshot: KeyError: 'n'"):
        Instances(Counter).restore(rows)


def test_the_state_is_laid_out_as_before() -> None:
    """A snapshot has of each stage what it is, and by key the last use, the state, the arming, the group, in clear."""
    shard = Shard(PLAN)
    shard.run(portion("a"))
    (stage,) = msgspec.msgpack.decode(shard.snapshot())["stages"].values()
    assert stage == {"of": ["tests.sample_tasks:Counter", {}, ["source"]], "keys": {"a": [1.0, {"n": 1}, False, 67]}}


WAITING = Plan((Stage("j", "join", {"fields": ["payload", "never"], "idle_timeout": 2.0, "timeout": None}),), ())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["records", "tick"]), st.lists(st.sampled_from("abc"), max_size=4)), max_size=8)
)
def test_a_snapshot_is_of_now_whatever_was_packed_before(steps: list[tuple[str, list[str]]]) -> None:
    """A shard that was asked for its state after each step has the same at the end as one that was asked only then."""
    often, once = Shard(WAITING), Shard(WAITING)
    for number, (kind, keys) in enumerate(steps):
        for shard in (often, once):
            now = 1.5 * number
            tick = Portion(-1, now, [], [], [], tick=True)
            ids = [10 * number + index for index in range(len(keys))]
            shard.run(tick if kind == "tick" else Portion(number, now, ids, keys, [b"x"] * len(keys)))
        often.snapshot()
    assert often.snapshot() == once.snapshot()
