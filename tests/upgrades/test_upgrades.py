"""State that earlier riotds wrote: this one goes on from it, or says why it can't."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from riotd.dataflow import Plan
from riotd.errors import EngineError
from riotd.journal import Checkpoint, Checkpoints, DamagedError, Folder
from riotd.journal.frames import HEADER, MAGIC
from riotd.messages import Message
from riotd.shard import Shard
from riotd.testing import EOF
from tests.upgrades.flow import Life, shown

DATA = Path(__file__).resolve().parents[1] / "data"
STATES = sorted(DATA.glob("state-*"))


class About(msgspec.Struct):
    """What stands beside a state folder: who wrote it, of what, and how far it was."""

    riotd: str
    plan: Plan
    taken: int
    settled: int


def about(state: Path) -> About:
    return msgspec.json.decode((state / "about.json").read_bytes(), type=About)


def fed(state: Path) -> list[Message]:
    """All messages: those that the state has, and those that come now."""
    rows = [msgspec.json.decode(line) for line in (state / "feed.jsonl").read_bytes().splitlines()]
    return [Message(topic, payload.encode(), 0.0, origin=origin) for origin, topic, payload in rows]


def copied(state: Path, target: Path) -> Path:
    """The folder as a daemon finds it; what is kept is not written to."""
    target.mkdir()
    for path in state.iterdir():
        if path.name not in {"about.json", "feed.jsonl"}:
            shutil.copy(path, target)
    return target


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
@pytest.mark.parametrize("shards", [1, 3])
async def test_goes_on_as_if_nothing_had_been(state: Path, shards: int, tmp_path: Path) -> None:
    """With the state another version left behind all further results are those of one life without an end."""
    of, messages = about(state), fed(state)
    alone = Life(of.plan, [*messages, EOF], tmp_path / "alone", shards=1)
    await alone.live()
    life = Life(of.plan, [*messages[of.taken :], EOF], copied(state, tmp_path / "state"), shards=shards)
    await life.live()
    since = alone.sink.results[0].id + of.settled
    assert life.keeper is not None
    assert life.keeper.found is not None
    assert life.keeper.found.shards
    assert shown(life.sink.results, since=since) == shown(alone.sink.results, since=since)
    assert {result.id for result in life.sink.results} <= {0, *range(since, since + len(messages))}


def test_there_is_a_state_of_each_kind() -> None:
    """The newest folder has a snapshot with state of every stage that keeps any, and a journal behind it."""
    of = about(STATES[-1])
    kept = Checkpoints(Folder(STATES[-1])).latest()
    assert kept is not None
    found: set[str] = set()
    for state in kept.shards:
        stages: dict[str, Any] = msgspec.msgpack.decode(state)["stages"]
        found |= {
            name for name, stage in stages.items() if msgspec.msgpack.decode(msgspec.msgpack.encode(stage))["keys"]
        }
    assert {stage.id for stage in of.plan.stages} - found == {"parse", "parts", "orders"}
    assert list(STATES[-1].glob("*.journal"))


class TestOfALaterRiotd:
    """What can't be known yet is refused, before anything is written."""

    async def _refused(self, folder: Path) -> str:
        before = await asyncio.to_thread(_content, folder)
        life = Life(about(STATES[-1]).plan, [EOF], folder, shards=1)
        assert life.keeper is not None
        with pytest.raises(DamagedError) as refused:
            await life.keeper.open()
        await asyncio.to_thread(life.keeper._folder.close)
        assert await asyncio.to_thread(_content, folder) == before
        return str(refused.value)

    async def test_a_snapshot_is(self, tmp_path: Path) -> None:
        """With no snapshot that can be read the daemon does not begin afresh behind one that is there."""
        folder = copied(STATES[-1], tmp_path / "state")
        for path in folder.glob("*.snapshot"):
            path.unlink()
        Checkpoints(Folder(folder)).save(Checkpoint(1_500_000_000_000_090, 1.5, [b"?"], version=99))
        why = await self._refused(folder)
        assert "it is of version 99; this riotd reads 1" in why
        assert "install the riotd that wrote it" in why

    async def test_a_frame_of_the_journal_is(self, tmp_path: Path) -> None:
        """A frame whose checksum is right is no torn tail, although it can't be read and nobody vouches for it."""
        folder = copied(STATES[-1], tmp_path / "state")
        (journal,) = folder.glob("*.journal")
        with journal.open("ab") as file:
            file.write(_later_frame())
        assert "a later riotd" in await self._refused(folder)

    def test_the_state_of_tasks_is(self) -> None:
        """What a shard's state is of another version is refused with both numbers."""
        with pytest.raises(EngineError, match=r"version 99; this riotd reads"):
            Shard(about(STATES[-1]).plan).restore(msgspec.msgpack.encode({"version": 99, "stages": {}}))


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


def _later_frame() -> bytes:
    """A frame of a kind that is not known."""
    from zlib import crc32  # noqa: PLC0415 - only here

    body, synced = msgspec.msgpack.encode([77, "new"]), 0
    check = crc32(body, crc32(len(body).to_bytes(4, "little") + synced.to_bytes(8, "little")))
    return HEADER.pack(MAGIC, len(body), check, synced) + body
