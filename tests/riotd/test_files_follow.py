"""The file source that follows: growth, names that appear, what it holds open."""

import asyncio
import logging
from pathlib import Path

import pytest

from riotd.sources import following as following_module
from riotd.testing import ManualClock
from tests.riotd.tails import append, eventually, following, held, payloads, says_nothing, take


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following_module, "POLL", 0.01)


async def test_appended_lines_come_and_unfinished_ones_wait(tmp_path: Path) -> None:
    """A line is given once its line end is there, whole, however it was written."""
    path = tmp_path / "feed"
    append(path, b"one\ntw")
    async with following(path) as source:
        assert await payloads(source, 1) == [b"one"]
        assert await says_nothing(source)
        append(path, b"o")
        assert await says_nothing(source)
        append(path, b"\nthree\n")
        assert await payloads(source, 2) == [b"two", b"three"]


async def test_cancelled_receive_loses_nothing(tmp_path: Path) -> None:
    """However often `receive` is cancelled, every line comes once and in order."""
    path = tmp_path / "feed"
    append(path, b"".join(b"%d\n" % number for number in range(300_000)))
    found: list[bytes] = []
    cancelled = 0
    async with following(path) as source:
        while len(found) < 300_000:
            receiving = asyncio.create_task(source.receive())
            await asyncio.sleep(0)
            if receiving.done() or cancelled > 200:
                found += [message.payload for message in await receiving]
                continue
            receiving.cancel()
            cancelled += 1
            await asyncio.wait({receiving})
            if not receiving.cancelled():
                found += [message.payload for message in receiving.result()]
    assert cancelled
    assert [int(line) for line in found] == list(range(300_000))


async def test_file_that_appears_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is not there is waited for, which is said once, and so is that it came, with its folder."""
    path = tmp_path / "late" / "feed"
    with caplog.at_level(logging.INFO, "riotd"):
        async with following(path) as source:
            assert await says_nothing(source)
            path.parent.mkdir()
            path.write_bytes(b"one\n")
            assert await payloads(source, 1) == [b"one"]
    assert caplog.messages == [f"{path}: no such file yet; waiting for it", f"{path}: there now"]


async def test_new_matches_of_a_glob_join_in(tmp_path: Path) -> None:
    """A file that begins to match is read from its start, under its own path."""
    append(tmp_path / "a.log", b"a\n")
    async with following(tmp_path / "*.log") as source:
        assert await payloads(source, 1) == [b"a"]
        append(tmp_path / "b.log", b"b\n")
        append(tmp_path / "c.txt", b"c\n")
        messages = await take(source, 1)
        assert [(message.topic, message.payload) for message in messages] == [(str(tmp_path / "b.log"), b"b")]
        assert await says_nothing(source)


async def test_file_of_several_names_is_read_once(tmp_path: Path) -> None:
    """Hard and symbolic links to a file are the same file."""
    append(tmp_path / "a.log", b"a\n")
    (tmp_path / "b.log").hardlink_to(tmp_path / "a.log")
    (tmp_path / "c.log").symlink_to(tmp_path / "a.log")
    async with following(tmp_path / "*.log") as source:
        assert await payloads(source, 1) == [b"a"]
        assert await says_nothing(source)


async def test_new_name_for_an_old_file_is_no_rotation(tmp_path: Path) -> None:
    """A link that appears and comes first in the order changes nothing, not even an unfinished line."""
    clock = ManualClock()
    append(tmp_path / "z.log", b"one\ntw")
    async with following(tmp_path / "*.log", clock) as source:
        assert await payloads(source, 1) == [b"one"]
        (tmp_path / "a.log").hardlink_to(tmp_path / "z.log")
        assert await says_nothing(source)
        clock.advance(60)
        assert await says_nothing(source)
        append(tmp_path / "z.log", b"o\n")
        assert await payloads(source, 1) == [b"two"]


async def test_file_that_gets_its_name_before_its_first_line(tmp_path: Path) -> None:
    """The topic is the path a file has when its first line comes, not that under which it was made."""
    (tmp_path / "new.log").touch()
    async with following(tmp_path / "*.log") as source:
        assert await says_nothing(source)
        (tmp_path / "new.log").rename(tmp_path / "a.log")
        assert await says_nothing(source)
        append(tmp_path / "a.log", b"a\n")
        assert [message.topic for message in await take(source, 1)] == [str(tmp_path / "a.log")]


async def test_compressed_leftovers_are_not_followed(tmp_path: Path) -> None:
    """What logrotate compressed was read before it was."""
    append(tmp_path / "a.log", b"a\n")
    append(tmp_path / "a.log.1.gz", b"\x1f\x8b\n\n")
    async with following(tmp_path / "a.log*") as source:
        assert await payloads(source, 1) == [b"a"]
        assert await says_nothing(source)


async def test_start_at_the_end(tmp_path: Path) -> None:
    """With `start: end` only what is written after the start comes, but all of it, in files that appear later too."""
    append(tmp_path / "a.log", b"old\n")
    append(tmp_path / "b.log", b"old, unfinis")
    async with following(tmp_path / "*.log", start="end") as source:
        append(tmp_path / "a.log", b"a\n")
        assert await payloads(source, 1) == [b"a"]
        append(tmp_path / "b.log", b"hed\nb\n")
        assert await payloads(source, 1) == [b"b"]
        append(tmp_path / "c.log", b"c\n")
        assert await payloads(source, 1) == [b"c"]


async def test_overlong_line_that_grows(tmp_path: Path) -> None:
    """A line that grows past `max_line` while it is followed is shortened once its end comes; neighbours are whole."""
    path = tmp_path / "feed"
    append(path, b"before\n" + b"x" * 600)
    async with following(path, max_line=1000) as source:
        assert await payloads(source, 1) == [b"before"]
        for _ in range(3):
            append(path, b"x" * 600)
            assert await says_nothing(source, 0.05)
        append(path, b"\nafter\n")
        note = b" ... [cut: a line of 2400 bytes, source.max_line is 1000]"
        assert await payloads(source, 2) == [b"x" * 1000 + note, b"after"]


async def test_line_longer_than_a_chunk(tmp_path: Path) -> None:
    """A line of several chunks that is not too long comes whole."""
    line = b"x" * 900_000
    append(tmp_path / "feed", b"before\n" + line + b"\nafter\n")
    async with following(tmp_path / "feed") as source:
        assert await payloads(source, 3) == [b"before", line, b"after"]


async def test_unreadable_file_is_told_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that can't be read is said to be so once, holds up no other, and is read when it can be."""
    (tmp_path / "a.log").symlink_to("/proc/self/mem")  # a regular file whose first byte can't be read
    append(tmp_path / "b.log", b"b\n")
    async with following(tmp_path / "*.log") as source:
        assert await payloads(source, 1) == [b"b"]
        assert await says_nothing(source)
        append(tmp_path / "new", b"a\n")
        (tmp_path / "new").rename(tmp_path / "a.log")
        assert await payloads(source, 1) == [b"a"]
        await eventually(lambda: source.counters()["files"] == 2)
    assert caplog.messages == [
        f"{tmp_path / 'a.log'}: Input/output error; trying again",
        f"{tmp_path / 'a.log'}: gone before it was read; what it got after byte 0, if anything, is lost",
    ]


async def test_stop_ends_it(tmp_path: Path) -> None:
    """After `stop` what was read comes, then the end, also to a `receive` that waits."""
    append(tmp_path / "feed", b"one\n")
    async with following(tmp_path / "feed") as source:
        assert await payloads(source, 1) == [b"one"]
        waiting = asyncio.create_task(source.receive())
        await asyncio.sleep(0)
        await source.stop()
        assert await waiting == []
        assert await source.receive() == []
    assert held(tmp_path) == 0
