"""The folder between the driver and a platform's workers."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from riotd.errors import EngineError
from riotd.messages import Portion
from riotd.partitioning import Keying, Partitioner, one_key
from riotd.platforms import spool
from riotd.platforms.spool import Slice, Spool
from riotd.platforms.work import Work
from tests.contracts.feeds import chain, direct, feed, plain, portion

SHARDS = 4
KEYS = ("a", "b", "c", "d")


def filled(folder: Path, portions: list[Portion]) -> tuple[Spool, dict[int, list[Slice]]]:
    """A spool with these portions, and each shard's slices."""
    full = Spool(folder, shards=SHARDS)
    slices: dict[int, list[Slice]] = {shard: [] for shard in range(SHARDS)}
    for shard, piece in full.fill(portions):
        slices[shard].append(piece)
    return full, slices


def read(full: Spool, slices: list[Slice]) -> list[Portion]:
    """All portions of these slices."""
    return [portion for piece in slices for portion in full.portions(piece)]


def work_all(full: Spool, slices: dict[int, list[Slice]]) -> None:
    """Run every shard to its end."""
    for shard in range(SHARDS):
        with closing(Work(full, shard, chain())) as work:
            assert [work.do(piece) for piece in slices[shard]][-1]


def rows(portions: list[Portion]) -> list[tuple[Any, ...]]:
    """Batch, time, and the columns of each message."""
    return [
        (each.batch, each.now, *message)
        for each in portions
        for message in zip(each.ids, each.keys, each.payloads, each.topics, strict=True)
    ]


class TestSlices:
    def test_hold_what_came_in(self, tmp_path: Path) -> None:
        """A message is in its key's shard, as the daemon would place it, with its batch, time, key, bytes and topic."""
        portions = [
            msgspec.structs.replace(each, topics=[f"feed/{number}" for number in each.ids]) for each in feed(30)
        ]
        full, slices = filled(tmp_path, portions)
        place = Partitioner(Keying(one_key), shards=SHARDS).shard_of
        found = [rows(read(full, slices[shard])) for shard in range(SHARDS)]
        assert found == [[row for row in rows(portions) if place(row[3]) == shard] for shard in range(SHARDS)]
        assert [len(each) > 0 for each in found] == [True, True, False, True], "and one shard has nothing to do"

    def test_end_with_the_end_of_the_stream(self, tmp_path: Path) -> None:
        """Each shard's last portion, and no other, is empty, and comes after all batches."""
        full, slices = filled(tmp_path, feed(5))
        for shard in range(SHARDS):
            *before, last = read(full, slices[shard])
            assert all(portion.ids for portion in before)
            assert last == Portion(5, 1004.0, [], [], [])

    def test_are_there_for_no_input(self, tmp_path: Path) -> None:
        """Without input there is only the end, for every shard."""
        full, slices = filled(tmp_path, [])
        assert [read(full, slices[shard]) for shard in range(SHARDS)] == [[Portion(0, 0.0, [], [], [])]] * SHARDS

    def test_are_written_as_soon_as_there_is_enough(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """When the next portion is asked for, all that came before it is on disk but a chunk at most."""
        monkeypatch.setattr(spool, "_CHUNK", 30_000)
        held = []

        def portions() -> Iterator[Portion]:
            for batch in range(50):
                yield portion(batch, [bytes(2500)] * 4, keys=KEYS)
                held.append((batch + 1) * 10_000 - sum(file.stat().st_size for file in tmp_path.iterdir()))

        for _ in Spool(tmp_path, shards=SHARDS).fill(portions()):
            pass
        assert 10_000 < max(held) <= 30_000


class TestOutcomes:
    def test_come_by_batch(self, tmp_path: Path) -> None:
        """Each portion, and the end, has one outcome: what the shards made of their shares, and all keys alive."""
        full, slices = filled(tmp_path, feed(20))
        shares = [direct(chain(), read(full, slices[shard])) for shard in range(SHARDS)]
        work_all(full, slices)
        outcomes = [plain(outcome) for outcome in full.outcomes()]
        assert [outcome.batch for outcome in outcomes] == list(range(21))
        for outcome in outcomes:
            parts = [part for share in shares for part in share if part.batch == outcome.batch]
            assert outcome.results == [result for part in parts for result in part.results]
            assert outcome.rejects == [reject for part in parts for reject in part.rejects]
            received = [sum(part.tallies[stage].received for part in parts) for stage in (0, 1)]
            assert [tally.received for tally in outcome.tallies] == received
        assert [outcome.keys for outcome in outcomes[:20]] == [each.keys for each in direct(chain(), feed(20))]

    def test_are_missed_when_a_shard_has_not_ended(self, tmp_path: Path) -> None:
        """A shard that was left half way has no outcomes, and asking for them is an EngineError that names it."""
        full, slices = filled(tmp_path, feed(20))
        for shard in (0, 2, 3):
            with closing(Work(full, shard, chain())) as work:
                work.do(slices[shard][0])
        with closing(Work(full, 1, chain())):
            pass
        with pytest.raises(EngineError, match=r"shard 1$"):
            full.outcomes()

    def test_of_a_second_attempt_are_those_of_one(self, tmp_path: Path) -> None:
        """An attempt that failed half way, or ran beside another, changes nothing in the outcomes."""
        full, slices = filled(tmp_path, feed(20))
        work_all(full, slices)
        once = [plain(outcome) for outcome in full.outcomes()]
        with closing(Work(full, 0, chain())):
            work_all(full, slices)
        assert [plain(outcome) for outcome in full.outcomes()] == once


class TestWork:
    def test_refuses_another_order(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Slices out of order are an EngineError, not wrong results."""
        monkeypatch.setattr(spool, "_CHUNK", 1)
        full, slices = filled(tmp_path, feed(20))
        first, second, *_ = slices[0]
        with closing(Work(full, 0, chain())) as work:
            work.do(second)
            with pytest.raises(EngineError, match="changed the order"):
                work.do(first)
