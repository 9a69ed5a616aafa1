"""A shard that gives a key-group's state, and one that takes it; and which key-group an instance is of."""

import json
from typing import Any

import msgspec
import pytest

from riotd.dataflow import Outlet, Plan, Stage
from riotd.errors import EngineError
from riotd.messages import Outcome, Portion
from riotd.partitioning import key_group
from riotd.placement import EVERYWHERE
from riotd.shard import Shard

FIELDS, TRACE, SLEEPER, MODEL = (f"tests.exchange_tasks:{name}" for name in ("Fields", "Trace", "Sleeper", "Model"))
OWN = (Stage("parse", FIELDS), Stage("own", TRACE, {}, ("parse",)))
A, B = key_group("a"), key_group("b")


def shard(*stages: Stage, shards: int = 2) -> Shard:
    return Shard(Plan(stages, (Outlet("out", (stages[-1].id,), "json"),), shards=shards))


def portion(*pairs: tuple[str, str], first: int = 0, now: float = 1.0, **more: Any) -> Portion:
    ids = list(range(first, first + len(pairs)))
    return Portion(0, now, ids, [key for key, _ in pairs], [payload.encode() for _, payload in pairs], **more)


def traces(outcome: Outcome) -> list[str]:
    """How many records each result's instance had seen."""
    return [json.loads(result.payload)["meta"]["trace"].split()[0] for result in outcome.results]


def groups(state: bytes, stage: str) -> dict[str, int]:
    """The key-group of each instance in a snapshot."""
    rows = msgspec.msgpack.decode(state)["stages"][stage]["keys"]
    return {key: row[3] for key, row in rows.items()}


class TestTransfers:
    def test_carry_the_state_and_leave_nothing(self) -> None:
        """What is taken goes on where it was; where it was given, the key would begin anew; others stay."""
        one, other = shard(*OWN), shard(*OWN)
        one.run(portion(("a", "x=1"), ("b", "x=1"), ("a", "x=2")))
        given = one.run(portion(gives=A))
        assert (given.keys, given.results) == (1, [])
        assert other.run(portion(takes=given.state)).keys == 1
        assert traces(other.run(portion(("a", "x=3"), first=9))) == ["3"]
        assert traces(one.run(portion(("a", "x=3"), ("b", "x=3"), first=9))) == ["1", "2"]

    def test_of_a_group_that_nobody_has(self) -> None:
        """Nothing given and nothing taken is no harm."""
        one, other = shard(*OWN), shard(*OWN)
        assert other.run(portion(takes=one.run(portion(gives=7)).state)).keys == 0

    def test_take_along_what_waits_for_time(self) -> None:
        """An instance that waits to be told the time waits in its new shard, and no longer in the old one."""
        stages = (Stage("parse", FIELDS), Stage("sleep", SLEEPER, {"idle_timeout": 5.0}, ("parse",)))
        one, other = shard(*stages), shard(*stages)
        one.run(portion(("a", "x=1"), now=100.0))
        given = one.run(portion(gives=A, now=101.0))
        assert (given.timed, other.run(portion(takes=given.state)).timed) == (0, 1)
        late = portion(now=106.0, tick=True)
        assert (len(one.run(late).results), len(other.run(late).results)) == (0, 1)

    def test_copy_what_every_shard_has(self) -> None:
        """The one instance of all keys is given without being lost, and only to whom `EVERYWHERE` is meant."""
        stages = (Stage("parse", FIELDS), Stage("model", MODEL, {}, ("parse",)))
        one, other = shard(*stages), shard(*stages)
        one.run(portion(("m", "model=3")))
        other.run(portion(takes=one.run(portion(gives=key_group("m"))).state))
        before = other.run(portion(("a", "x=2")))
        other.run(portion(takes=one.run(portion(gives=EVERYWHERE)).state))
        values = [json.loads(each.run(portion(("a", "x=2"))).results[0].payload)["values"] for each in (one, other)]
        assert json.loads(before.results[0].payload)["values"] == {"x": 2.0}
        assert values == [{"x": 6.0}, {"x": 6.0}]

    def test_are_of_one_level(self) -> None:
        """A shard gives what is at the level that is asked for, the rest when it is asked at its own."""
        stages = (*OWN, Stage("one", TRACE, {}, ("own",), ("one",)))
        alone = shard(*stages, shards=1)
        alone.run(portion(("a", "x=1")))
        assert set(groups(alone.run(portion(gives=A)).state, "own")) == {"a"}
        several = shard(*stages)
        several.run(portion(("a", "x=1")))
        assert "one" not in msgspec.msgpack.decode(several.run(portion(gives=A)).state)["stages"]

    def test_of_another_version_are_refused(self) -> None:
        """State in a form that is not ours is an error, not taken for something else."""
        state = msgspec.msgpack.encode({"version": 99, "stages": {}})
        with pytest.raises(EngineError, match="version 99"):
            shard(*OWN).run(portion(takes=state))


class TestGroups:
    def test_of_what_comes_later_than_its_message(self) -> None:
        """A record given at a tick, whose message is long gone, makes an instance in the giver's key-group."""
        stages = (
            Stage("parse", FIELDS),
            Stage("sleep", SLEEPER, {"idle_timeout": 5.0}, ("parse",)),
            Stage("after", TRACE, {}, ("sleep",)),
            Stage("pair", TRACE, {}, ("sleep",), ("source", "name")),
        )
        one = shard(*stages)
        one.run(portion(("a", "x=1"), ("b", "x=1"), now=100.0))
        one.run(portion(now=106.0, tick=True))
        state = one.snapshot()
        assert groups(state, "after") == {"a": A, "b": B}
        assert groups(state, "pair") == {"a\x1fasleep": A, "b\x1fasleep": B}


class TestNumbers:
    def test_are_what_the_portion_says(self) -> None:
        """The same shard runs all stages in one pass where it is alone, and sends on by the table where it is not."""
        one = shard(Stage("parse", FIELDS), Stage("one", TRACE, {}, ("parse",), ("one",)), shards=1)
        assert len(one.run(portion(("a", "x=1"))).results) == 1
        table = bytes([2] * 128)
        (crossing,) = one.run(portion(("a", "x=1"), first=1, shards=3, table=table)).onward
        assert (crossing.shard, crossing.level, crossing.count) == (2, 1, 1)
        assert one.run(portion(("a", "x=1"), first=2, shards=3)).onward[0].shard == key_group("") % 3
