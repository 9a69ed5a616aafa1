"""The file source that follows: rotation and truncation."""

import asyncio
import os
import random
import threading
from itertools import count
from pathlib import Path

import pytest

from riotd.sources import following as following_module
from riotd.sources.rotation import LINGER
from riotd.testing import ManualClock
from tests.riotd.tails import append, eventually, following, held, payloads, says_nothing, take


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following_module, "POLL", 0.01)


@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
async def test_old_file_is_finished_before_the_new_one(tmp_path: Path, pattern: str) -> None:
    """After a rename the old file is read on, late lines too, before the one that took its path, and none twice."""
    path = tmp_path / "app.log"
    append(path, b"1\n")
    async with following(tmp_path / pattern) as source:
        assert await payloads(source, 1) == [b"1"]
        with path.open("ab") as writer:
            path.rename(tmp_path / "app.log.1")
            append(path, b"4\n")
            writer.write(b"2\n3\n")
        messages = await take(source, 3)
        assert [(message.payload, message.topic) for message in messages] == [
            (b"2", str(path)),
            (b"3", str(path)),
            (b"4", str(path)),
        ]
        assert source.counters()["rotations"] == 1
        assert await says_nothing(source)


async def test_unfinished_line_of_a_rotated_file_is_given_in_the_end(tmp_path: Path) -> None:
    """Its writer may be late; then it is given as it is, before the new file, and the old file is let go."""
    clock = ManualClock()
    path = tmp_path / "app.log"
    append(path, b"1\n2, unfin")
    async with following(path, clock) as source:
        assert await payloads(source, 1) == [b"1"]
        path.rename(tmp_path / "app.log.1")
        append(path, b"3\n")
        assert await says_nothing(source)  # by now the rotation was seen
        clock.advance(LINGER)
        assert await payloads(source, 2) == [b"2, unfin", b"3"]
        await eventually(lambda: held(tmp_path) == 1)


async def test_deleted_file_is_read_to_its_end_and_let_go(tmp_path: Path) -> None:
    """What was written before the deletion comes, and the disk space is given back a little later."""
    clock = ManualClock()
    path = tmp_path / "app.log"
    append(path, b"1\n")
    async with following(path, clock) as source:
        assert await payloads(source, 1) == [b"1"]
        append(path, b"2\n")
        path.unlink()
        assert await payloads(source, 1) == [b"2"]
        assert held(tmp_path) == 1
        assert await says_nothing(source)  # by now the deletion was seen
        assert held(tmp_path) == 1
        clock.advance(LINGER)
        await eventually(lambda: source.counters()["files"] == 0)
        assert held(tmp_path) == 0
        append(path, b"3\n")
        assert await payloads(source, 1) == [b"3"]


async def test_old_generation_that_is_deleted_is_let_go(tmp_path: Path) -> None:
    """A rotated file that was finished long ago gives its disk space back as soon as it is deleted."""
    clock = ManualClock()
    path = tmp_path / "app.log"
    append(path, b"1\n")
    async with following(tmp_path / "app.log*", clock) as source:
        assert await payloads(source, 1) == [b"1"]
        path.rename(tmp_path / "app.log.1")
        assert await says_nothing(source)
        clock.advance(LINGER)
        assert await says_nothing(source)
        assert held(tmp_path) == 1
        (tmp_path / "app.log.1").unlink()
        await eventually(lambda: source.counters()["files"] == 0)
        assert held(tmp_path) == 0


async def test_file_that_comes_back_is_read_on(tmp_path: Path) -> None:
    """A file that was away for long, such as on a share that was not mounted, is not read again."""
    clock = ManualClock()
    path = tmp_path / "app.log"
    append(path, b"1\n")
    async with following(path, clock) as source:
        assert await payloads(source, 1) == [b"1"]
        path.rename(tmp_path / "away")
        assert await says_nothing(source)
        clock.advance(LINGER)
        await eventually(lambda: source.counters()["files"] == 0)
        append(tmp_path / "away", b"2\n")
        (tmp_path / "away").rename(path)
        assert await payloads(source, 1) == [b"2"]


async def test_copytruncate(tmp_path: Path) -> None:
    """A file that was emptied is read from its start, and its tokens are those of a new content."""
    path = tmp_path / "app.log"
    append(path, b"a long line of the old content\n")
    async with following(path) as source:
        (old,) = await take(source, 1)
        (tmp_path / "copy").write_bytes(path.read_bytes())
        path.open("wb").close()
        append(path, b"new\n")
        (new,) = await take(source, 1)
        assert new.payload == b"new"
        assert new.token.file != old.token.file
        await source.ack([old, new])
        assert source.done == {new.token.file: 4}
        assert source.counters()["truncations"] == 1


@pytest.mark.parametrize("refill", [b"NEW 1\nNEW 2\n", b"NEW 1\nNEW 2\nNEW 3\nNEW 4\n", b"N\n"])
async def test_truncated_and_refilled_between_two_looks(tmp_path: Path, refill: bytes) -> None:
    """A file of other content is read from its start, be it as long as before, longer or shorter."""
    path = tmp_path / "app.log"
    append(path, b"old 1\nold 2\n")
    async with following(path) as source:
        assert await payloads(source, 2) == [b"old 1", b"old 2"]
        path.write_bytes(refill)
        expected = refill.splitlines()
        assert await payloads(source, len(expected)) == expected
        assert await says_nothing(source)


async def test_hole_left_by_a_writer_that_does_not_append(tmp_path: Path) -> None:
    """After copytruncate such a writer leaves zeros up to where it stood: they are no part of the next line."""
    path = tmp_path / "app.log"
    with path.open("wb", buffering=0) as writer:
        writer.write(b"x" * 999_999 + b"\n")
        async with following(path) as source:
            assert len((await payloads(source, 1))[0]) == 999_999
            os.truncate(path, 0)
            writer.write(b"1\n")
            assert await payloads(source, 1) == [b"1"]
            writer.write(b"\x002\n")
            assert await payloads(source, 1) == [b"\x002"]


async def test_symlink_swap(tmp_path: Path) -> None:
    """When a symbolic link is pointed elsewhere, the old target is finished, then the new one is read."""
    link = tmp_path / "current"
    append(tmp_path / "monday", b"1\n")
    append(tmp_path / "tuesday", b"3\n")
    link.symlink_to("monday")
    async with following(link) as source:
        assert await payloads(source, 1) == [b"1"]
        append(tmp_path / "monday", b"2\n")
        (tmp_path / "next").symlink_to("tuesday")
        (tmp_path / "next").rename(link)
        assert await payloads(source, 2) == [b"2", b"3"]


async def test_rotations_while_nobody_receives(tmp_path: Path) -> None:
    """While the sink is down the files are watched and held: several rotations later all lines come, in order."""
    path = tmp_path / "app.log"
    numbers = count()

    def fill() -> None:
        append(path, b"".join(b"%0999d\n" % next(numbers) for _ in range(3000)))  # more than is read ahead

    fill()
    async with following(path) as source:
        for turn in range(1, 5):
            path.rename(tmp_path / "elsewhere")
            fill()
            (tmp_path / "elsewhere").unlink()
            # held, too: a file that is gone before it was opened is lost to anybody
            await eventually(lambda files=turn + 1: held(tmp_path) == files)  # type: ignore[misc]
            assert source.counters()["rotations"] == turn
        found = await take(source, 15_000)
    assert [int(message.payload) for message in found] == list(range(15_000))


async def test_files_that_swap_their_names(tmp_path: Path) -> None:
    """Two followed files whose names are exchanged are read on, neither waiting for the other."""
    append(tmp_path / "a.log", b"a\n")
    append(tmp_path / "b.log", b"b\n")
    async with following(tmp_path / "*.log") as source:
        assert await payloads(source, 2) == [b"a", b"b"]
        (tmp_path / "a.log").rename(tmp_path / "c")
        (tmp_path / "b.log").rename(tmp_path / "a.log")
        (tmp_path / "c").rename(tmp_path / "b.log")
        append(tmp_path / "a.log", b"more b\n")
        append(tmp_path / "b.log", b"more a\n")
        found = {(Path(message.topic).name, message.payload) for message in await take(source, 2)}
        assert found == {("b.log", b"more b"), ("a.log", b"more a")}


async def test_generations_are_shifted(tmp_path: Path) -> None:
    """The chain of renames that logrotate makes, all of it matched by the glob, gives each line once."""
    path = tmp_path / "app.log"
    async with following(tmp_path / "app.log*") as source:
        for turn in range(1, 7):
            append(path, b"%d\n" % turn)
            assert await payloads(source, 1) == [b"%d" % turn]
            for number in range(5, 0, -1):
                generation = tmp_path / f"app.log.{number}"
                if generation.exists():
                    generation.rename(tmp_path / f"app.log.{number + 1}")
            path.rename(tmp_path / "app.log.1")
        append(path, b"7\n")
        assert await payloads(source, 1) == [b"7"]
        assert await says_nothing(source)
        assert source.counters()["rotations"] == 6


class Writer(threading.Thread):
    """Writes numbered lines in torn pieces, and renames its file between them, waiting for nobody."""

    def __init__(self, path: Path, lines: int) -> None:
        super().__init__()
        self._path, self._lines = path, lines

    def run(self) -> None:
        """Write, and close the old file one rotation late, as writers do."""
        chance = random.Random(7)
        old = file = self._path.open("ab", buffering=0)
        for number in range(self._lines):
            line = b"%d %s\n" % (number, b"x" * chance.randrange(300))
            cut = chance.randrange(len(line))
            file.write(line[:cut])
            file.write(line[cut:])
            if chance.random() < 0.002:
                self._path.rename(self._path.with_name(f"app.log.{number}"))
                old.close()
                old, file = file, self._path.open("ab", buffering=0)
        old.close()
        file.close()


async def test_rotation_under_load(tmp_path: Path) -> None:
    """A writer that tears its lines and rotates dozens of times at full speed loses no line, and none is doubled."""
    writer = Writer(tmp_path / "app.log", 20_000)
    async with following(tmp_path / "app.log*") as source:
        writer.start()
        found = await take(source, 20_000)
        await asyncio.to_thread(writer.join)
        assert await says_nothing(source)
    assert source.counters()["files"] > 20
    assert sorted(int(message.payload.split()[0]) for message in found) == list(range(20_000))
