"""The file source that follows: which files it holds open, and what becomes of the others."""

import os
from pathlib import Path

import pytest

from riotd.sources import following as following_module
from riotd.sources.following import Follower
from riotd.sources.positions import Offsets
from riotd.testing import ManualClock
from tests.riotd.tails import append, eventually, following, held, payloads, take


async def test_ten_thousand_files(tmp_path: Path) -> None:
    """Of 10,000 files no more than 256 are held open, all are read, and each that grows is read on."""
    for number in range(10_000):
        (tmp_path / f"{number}.log").write_bytes(b"%d\n" % number)
    async with following(tmp_path / "*.log") as source:
        messages = await take(source, 10_000)
        assert sorted(int(message.payload) for message in messages) == list(range(10_000))
        assert 0 < held(tmp_path) <= 256
        for number in (0, 4_999, 9_999):
            append(tmp_path / f"{number}.log", b"more of %d\n" % number)
        assert sorted(await payloads(source, 3)) == [b"more of 0", b"more of 4999", b"more of 9999"]


async def test_file_renamed_while_not_held_open_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that grew and was renamed while it was closed is found by its inode and read to its end."""
    monkeypatch.setattr(following_module, "OPEN", 1)
    append(tmp_path / "a.log", b"1\n")
    async with following(tmp_path / "*.log") as source:
        assert await payloads(source, 1) == [b"1"]
        append(tmp_path / "b.log", b"2\n")
        assert await payloads(source, 1) == [b"2"]
        await eventually(lambda: held(tmp_path / "a.log") == 0)
        append(tmp_path / "a.log", b"3\n")
        (tmp_path / "a.log").rename(tmp_path / "a.log.1")
        assert await payloads(source, 1) == [b"3"]


async def test_file_deleted_while_not_held_open_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that vanished while it was closed may have lost lines: the log names it and the offset."""
    monkeypatch.setattr(following_module, "OPEN", 1)
    append(tmp_path / "a.log", b"1\n")
    async with following(tmp_path / "*.log") as source:
        assert await payloads(source, 1) == [b"1"]
        append(tmp_path / "b.log", b"2\n")
        assert await payloads(source, 1) == [b"2"]
        await eventually(lambda: held(tmp_path / "a.log") == 0)
        (tmp_path / "a.log").unlink()
        await eventually(lambda: bool(caplog.messages))
        assert source.counters()["files"] == 1
    assert "a.log: gone before it was read; what it got after byte 2, if anything, is lost" in caplog.text


async def test_reused_inode_is_read_from_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file that got the inode of one that was followed is told apart by its content."""
    monkeypatch.setattr(following_module, "OPEN", 1)
    append(tmp_path / "a.log", b"a short one\n")
    async with following(tmp_path / "*.log") as source:
        assert await payloads(source, 1) == [b"a short one"]
        append(tmp_path / "b.log", b"b\n")
        assert await payloads(source, 1) == [b"b"]
        await eventually(lambda: held(tmp_path / "a.log") == 0)
        inode = (tmp_path / "a.log").stat().st_ino
        (tmp_path / "a.log").unlink()
        (tmp_path / "c.log").write_bytes(b"a longer one of another path\n")
        if os.stat(tmp_path / "c.log").st_ino != inode:  # noqa: PTH116 - beside the line above
            pytest.skip("this file system does not reuse inodes at once")
        messages = await take(source, 1)
        assert [(message.topic, message.payload) for message in messages] == [
            (str(tmp_path / "c.log"), b"a longer one of another path")
        ]


async def test_looks_are_quick_while_lines_come(tmp_path: Path) -> None:
    """After lines came the next look is soon, then later and later up to `POLL`; a rotation is given its time."""
    append(tmp_path / "a.log", b"1\n")
    follower = Follower(str(tmp_path / "a.log"), from_end=False, max_line=100, offsets=Offsets(), clock=ManualClock())
    await follower.open()
    await follower.tend()
    pauses = []
    while await follower.read() is not None:
        pass
    for _ in range(6):
        follower._next_look = 0.0  # it is time
        pauses.append(await follower.tend())
        assert await follower.read() is None
    assert pauses == sorted(pauses)
    assert pauses[0] <= 0.05 < pauses[-1] == 0.25
    (tmp_path / "a.log").rename(tmp_path / "a.log.1")
    append(tmp_path / "a.log", b"2\n")
    for _ in range(3):  # of which one may read the new file, in no hurry
        follower._next_look = 0.0
        assert await follower.tend() == 0.25
        await follower.read()
    await follower.close()
