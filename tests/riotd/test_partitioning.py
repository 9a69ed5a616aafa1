"""Where messages go: keys, key-groups, shards."""

import subprocess
import sys

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.messages import Batch, Message
from riotd.partitioning import (
    GROUPS,
    Keying,
    Partitioner,
    by_field,
    by_topic_level,
    by_topic_regex,
    key_group,
    one_key,
)


def message(topic: str = "", payload: bytes = b"") -> Message:
    return Message(topic, payload, 0.0)


class TestKeys:
    @pytest.mark.parametrize(("level", "key"), [(0, "sensors"), (1, "dev7"), (2, "senml"), (3, "")])
    def test_topic_level(self, level: int, key: str) -> None:
        """A level of the topic, counted from 0; "" past the end."""
        assert by_topic_level(level)(message("sensors/dev7/senml")) == key

    @pytest.mark.parametrize(
        ("pattern", "key"), [(r"dev\d+", "dev7"), (r"dev(\d+)", "7"), ("nothing", ""), ("(x)?dev", "")]
    )
    def test_topic_regex(self, pattern: str, key: str) -> None:
        """The first group, or all that matched; "" for no match or an empty group."""
        assert by_topic_regex(pattern)(message("sensors/dev7/senml")) == key

    @pytest.mark.parametrize(
        ("payload", "key"),
        [
            (b'[{"n":"t","v":1},{"n":"source","vs":"a"}]', "a"),
            (b'{"e":[{"n":"t","v":"1"},{"n":"source","sv":"b"}],"bt":1}', "b"),
            (b'[{"n":"source","v":7}]', "7"),
            (b'[{"n":"t","v":1}]', ""),
            (b"not json", ""),
            (b"\xff", ""),
            (b"[" * 100_000, ""),
            (cbor2.dumps([{0: "t", 2: 1}, {0: "source", 3: "c"}]), "c"),
            (cbor2.dumps([{0: "source", 2: 7}]), "7"),
            (cbor2.dumps([{0: "t", 2: 1}]), ""),
            (cbor2.dumps([{0: "source", 3: "c"}])[:-1], ""),
            (b"\x81" * 100_000, ""),
        ],
    )
    def test_field(self, payload: bytes, key: str) -> None:
        """An entry's value in all forms of SenML; "" where there is none or the pack is broken."""
        assert by_field("source")(message(payload=payload)) == key


class TestGroups:
    @given(st.text())
    def test_in_range(self, key: str) -> None:
        """Every key has a group below 128."""
        assert 0 <= key_group(key) < GROUPS

    def test_the_same_in_every_process(self) -> None:
        """Groups do not depend on the interpreter's hash seed: state would be lost at a restart."""
        program = "from riotd.partitioning import key_group; print([key_group(f'dev{i}') for i in range(50)])"
        seen = {
            subprocess.run(
                [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
            ).stdout
            for seed in ("1", "2")
        }
        assert seen == {f"{[key_group(f'dev{i}') for i in range(50)]}\n".encode()}

    def test_devices_spread(self) -> None:
        """A thousand devices put between 40 % and 60 % on each of two shards."""
        partitioner = Partitioner(Keying(one_key), shards=2)
        share = sum(partitioner.shard_of(f"dev{number}") for number in range(1000))
        assert 400 < share < 600


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=1), st.integers(1, 8), st.booleans())
def test_split_loses_nothing_and_keeps_order(devices: list[str], shards: int, topics: bool) -> None:  # noqa: FBT001
    """Every message is in exactly one portion, in order, with all of a key in one shard."""
    batch = Batch(3, 100, tuple(message(f"x/{device}", bytes([n % 256])) for n, device in enumerate(devices)))
    portions = Partitioner(Keying(by_topic_level(1)), shards=shards, topics=topics).split(batch, 5.0)
    seen = sorted(number for portion in portions.values() for number in portion.ids)
    assert seen == list(range(100, 100 + len(devices)))
    homes: dict[str, int] = {}
    for shard, portion in portions.items():
        assert portion.ids == sorted(portion.ids)
        assert len(portion.topics) == (len(portion.ids) if topics else 0)
        for number, key, payload in zip(portion.ids, portion.keys, portion.payloads, strict=True):
            assert (key, payload) == (devices[number - 100], bytes([(number - 100) % 256]))
            assert homes.setdefault(key, shard) == shard


def test_the_memory_of_topics_is_bounded() -> None:
    """A feed with endless new topics does not grow the partitioner."""
    partitioner = Partitioner(Keying(by_topic_level(0)), shards=2)
    partitioner.split(Batch(0, 0, tuple(message(f"t{number}") for number in range(200_000))), 0.0)
    assert len(partitioner._known) <= 65_536
