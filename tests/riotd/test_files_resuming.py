"""File sources that go on where an earlier life of the daemon was."""

import gzip
import logging
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest

from riotd import config as cfg
from riotd.messages import Message
from riotd.ports import Resumable
from riotd.sources import following as following_module
from riotd.sources.files import FileSource
from riotd.sources.positions import Progress
from riotd.testing import ManualClock
from tests.riotd.tails import append, eventually, following, payloads, says_nothing, take


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following_module, "POLL", 0.01)


def once(path: Path | str, position: bytes = b"", **more: object) -> FileSource:
    block = cfg.FileSource.model_validate({"type": "file", "path": str(path), **more})
    return resumed(FileSource(block, clock=ManualClock()), position)


def resumed(source: FileSource, position: bytes) -> FileSource:
    assert isinstance(source, Resumable)
    if position:
        source.resume(position)
    return source


async def rest_of(source: FileSource) -> list[bytes]:
    """All lines, to the end."""
    found: list[Message] = []
    async with source:
        while messages := await source.receive():
            found += messages
    return [message.payload for message in found]


async def after(source: FileSource, count: int) -> bytes:
    """The source's position once it has given all there is, and the first `count` lines are done with."""
    async with source:
        found: list[Message] = []
        while messages := await source.receive():
            found += messages
        await source.ack(found[:count])
        return source.position()


async def followed(source: FileSource, count: int, *, given: int | None = None) -> bytes:
    """The position of a source that follows, once it has given lines, and the first `count` are done with."""
    async with source:
        messages = await take(source, count if given is None else given)
        await source.ack(messages[:count])
        return source.position()


def lines(*numbers: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in numbers)


def named(numbers: Sequence[int]) -> list[bytes]:
    return [b"line %d" % number for number in numbers]


class TestOnce:
    @pytest.mark.parametrize("name", ["feed.jsonl", "feed.jsonl.gz"])
    @pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
    @pytest.mark.parametrize("done", range(6))
    async def test_goes_on_behind_what_is_done_with(self, tmp_path: Path, name: str, ending: bytes, done: int) -> None:
        """Lines that were given and not acknowledged come again, the others do not; blank lines change nothing."""
        path = tmp_path / name
        content = ending.join([*named(range(3)), b"", *named(range(3, 5))])  # no line end at the end
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        position = await after(once(path), done)
        assert await rest_of(once(path, position)) == named(range(done, 5))

    async def test_leaves_out_files_that_are_finished(self, tmp_path: Path) -> None:
        """Of a glob's files, plain and compressed, those done with are not read again, be they grown or renamed."""
        for number in range(5):
            data = lines(10 * number, 10 * number + 1)
            path = tmp_path / f"{number}.log{'.gz' * (number % 2)}"
            path.write_bytes(gzip.compress(data) if number % 2 else data)
        (tmp_path / "empty.log").touch()
        position = await after(once(tmp_path / "*.log*"), 5)
        append(tmp_path / "0.log", lines(99))
        (tmp_path / "1.log.gz").rename(tmp_path / "9.log.gz")
        source = once(tmp_path / "*.log*", position)
        assert await rest_of(source) == named([21, 30, 31, 40, 41])
        assert source.counters()["files"] == 3

    async def test_position_of_a_second_life_holds_for_both(self, tmp_path: Path) -> None:
        """What was finished in an earlier life is still finished in the third."""
        for number in range(3):
            (tmp_path / f"{number}.log").write_bytes(lines(number))
        first = await after(once(tmp_path / "*.log"), 1)
        second = await after(once(tmp_path / "*.log", first), 1)
        assert await rest_of(once(tmp_path / "*.log", second)) == named([2])

    async def test_a_file_in_progress_is_not_forgotten_while_others_are_read(self, tmp_path: Path) -> None:
        """One that came since and is read before it does not have it read from its start in the life after."""
        (tmp_path / "b.log").write_bytes(lines(1, 2, 3))
        position = await after(once(tmp_path / "*.log"), 1)
        async with once(tmp_path / "*.log", position) as source:
            position = source.position()  # nothing was read yet
        (tmp_path / "a.log").write_bytes(lines(7, 8))
        position = await after(once(tmp_path / "*.log", position), 1)
        assert await rest_of(once(tmp_path / "*.log", position)) == named([8, 2, 3])

    async def test_new_files_are_read_whole(self, tmp_path: Path) -> None:
        """A file that came while the daemon was down is read where the order of the names has it."""
        (tmp_path / "b.log").write_bytes(lines(1, 2))
        position = await after(once(tmp_path / "*.log"), 1)
        (tmp_path / "a.log").write_bytes(lines(8))
        (tmp_path / "c.log").write_bytes(lines(9))
        assert await rest_of(once(tmp_path / "*.log", position)) == named([8, 2, 9])

    @pytest.mark.parametrize("content", [lines(7, 8, 9), lines(7), b""])
    async def test_other_content_is_read_from_its_start(
        self, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A file that was written anew under the same inode is another one, and the log says so."""
        path = tmp_path / "feed.log"
        path.write_bytes(lines(1, 2, 3))
        position = await after(once(path), 2)
        path.write_bytes(content)
        assert await rest_of(once(path, position)) == content.splitlines()
        assert f"{path}: is another file than before, or a shorter one; reading it from its start" in caplog.messages

    async def test_a_file_that_is_gone_is_said(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """What was not read of it is lost, and from which byte on."""
        for name in "ab":
            (tmp_path / f"{name}.log").write_bytes(lines(1, 2))
        position = await after(once(tmp_path / "*.log"), 1)
        (tmp_path / "a.log").unlink()
        assert await rest_of(once(tmp_path / "*.log", position)) == named([1, 2])
        lost = "what it got after byte 7, if anything, is lost"
        assert f"{tmp_path / 'a.log'}: gone while the daemon was down; {lost}" in caplog.messages

    async def test_a_shortened_line_does_not_hinder(self, tmp_path: Path) -> None:
        """The line before the position may have been too long; then its end is no criterion."""
        path = tmp_path / "feed.log"
        path.write_bytes(b"x" * 1000 + b"\n" + lines(1))
        position = await after(once(path, max_line=100), 1)
        assert await rest_of(once(path, position, max_line=100)) == named([1])

    @pytest.mark.parametrize("position", [b"nonsense", b"\xc1", b"\x80"])
    async def test_a_position_that_can_not_be_read_is_said(
        self, tmp_path: Path, position: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The source begins anew, and does not fail."""
        path = tmp_path / "feed.log"
        path.write_bytes(lines(1))
        assert await rest_of(once(path, position)) == named([1])
        assert "beginning anew" in caplog.text

    async def test_a_position_of_another_path_is_said(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """Another path in the config is another source."""
        for name in "ab":
            (tmp_path / name).write_bytes(lines(1, 2))
        position = await after(once(tmp_path / "a"), 1)
        assert await rest_of(once(tmp_path / "b", position)) == named([1, 2])
        assert f"{tmp_path / 'b'}: where it was read to is of {tmp_path / 'a'}; beginning anew" in caplog.messages


class TestFollowed:
    async def test_goes_on_behind_what_is_done_with(self, tmp_path: Path) -> None:
        """What was given and not acknowledged comes again, with what came while the daemon was down."""
        path = tmp_path / "app.log"
        append(path, lines(1, 2, 3) + b"line")
        position = await followed(following(path), 2, given=3)
        append(path, b" 4\n" + lines(5))
        async with resumed(following(path), position) as source:
            assert await payloads(source, 3) == named([3, 4, 5])
            assert await says_nothing(source)

    @pytest.mark.parametrize("pattern", ["app.log", "app.log*", "*"])
    async def test_rotation_while_down(self, tmp_path: Path, pattern: str) -> None:
        """The rest of the renamed file comes first, under the topic it had, then the new file from its beginning."""
        path = tmp_path / "app.log"
        append(path, lines(1, 2, 3))
        position = await followed(following(tmp_path / pattern), 2)
        append(path, lines(4))
        path.rename(tmp_path / "app.log.1")
        append(path, lines(5, 6))
        async with resumed(following(tmp_path / pattern), position) as source:
            messages = await take(source, 4)
            assert [message.payload for message in messages] == named([3, 4, 5, 6])
            assert {message.topic for message in messages} == {str(path)}
            assert source.counters()["rotations"] == 1

    async def test_several_rotations_while_down(self, tmp_path: Path) -> None:
        """With a glob that covers the old names nothing is lost, and no generation is read twice."""
        path = tmp_path / "app.log"
        append(path, lines(1, 2))
        position = await followed(following(tmp_path / "app.log*"), 1)
        for generation in range(3):
            for number in range(generation, 0, -1):
                (tmp_path / f"app.log.{number}").rename(tmp_path / f"app.log.{number + 1}")
            path.rename(tmp_path / "app.log.1")
            append(path, lines(10 + generation))
        async with resumed(following(tmp_path / "app.log*"), position) as source:
            assert sorted(await payloads(source, 4)) == named([10, 11, 12, 2])
            assert await says_nothing(source)

    async def test_rotated_before_the_end_and_not_yet_done_with(self, tmp_path: Path) -> None:
        """Lines of a file that was rotated and let go are not forgotten until they are acknowledged."""
        path, clock = tmp_path / "app.log", ManualClock()
        append(path, lines(1, 2, 3))
        async with following(path, clock) as source:
            messages = await take(source, 3)
            path.rename(tmp_path / "app.log.1")
            append(path, lines(4))
            messages += await take(source, 1)
            clock.advance(10)
            await source.ack(messages[:1])
            position = source.position()
        async with resumed(following(path), position) as source:
            assert await payloads(source, 3) == named([2, 3, 4])
            assert await says_nothing(source)

    @pytest.mark.parametrize("refill", [b"", lines(7), lines(7, 8, 9, 10)])
    async def test_copytruncate_while_down(
        self, tmp_path: Path, refill: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The rest is found in the copy, and comes first; then the file from its beginning, however long it is."""
        path = tmp_path / "app.log"
        append(path, lines(1, 2, 3))
        position = await followed(following(path), 2)
        append(path, lines(4))
        (tmp_path / "app.log.1").write_bytes(path.read_bytes())
        path.write_bytes(refill)
        caplog.set_level(logging.INFO)
        async with resumed(following(path), position) as source:
            expected = [*named([3, 4]), *refill.splitlines()]
            assert await payloads(source, len(expected)) == expected
            assert await says_nothing(source)
        where = f"going on after byte 14 of the copy {tmp_path / 'app.log.1'}"
        assert f"{path}: truncated, or replaced while the daemon was down; {where}" in caplog.messages

    @pytest.mark.parametrize("refill", [lines(7), lines(7, 8, 9, 10)])
    async def test_truncation_while_down(self, tmp_path: Path, refill: bytes, caplog: pytest.LogCaptureFixture) -> None:
        """Without a copy the file is read from its beginning, and the log says from which byte on lines are lost."""
        path = tmp_path / "app.log"
        append(path, lines(1, 2, 3))
        position = await followed(following(path), 2)
        path.write_bytes(refill)
        async with resumed(following(path), position) as source:
            expected = refill.splitlines()
            assert await payloads(source, len(expected)) == expected
        lost = "what it got after byte 14, if anything, is lost"
        assert f"{path}: truncated, or replaced while the daemon was down; {lost}" in caplog.messages

    async def test_deletion_while_down(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """A new file of the name is read from its beginning, and the log says what is lost of the old one."""
        path, keep = tmp_path / "app.log", tmp_path / "keep"
        append(path, lines(1, 2))
        position = await followed(following(path), 1)
        keep.touch()
        path.unlink()
        append(path, lines(8))
        async with resumed(following(path), position) as source:
            assert await payloads(source, 1) == named([8])
        assert "while the daemon was down; what it got after byte 7, if anything, is lost" in caplog.text

    async def test_start_at_the_end_holds_for_the_first_life_only(self, tmp_path: Path) -> None:
        """What came while the daemon was down is read, in files old and new, even if nothing was given before."""
        path = tmp_path / "a.log"
        append(path, lines(1, 2))
        async with following(tmp_path / "*.log", start="end") as source:
            position = source.position()
        append(path, lines(3))
        append(tmp_path / "b.log", lines(4))
        async with resumed(following(tmp_path / "*.log", start="end"), position) as source:
            assert sorted(await payloads(source, 2)) == named([3, 4])
            assert await says_nothing(source)

    async def test_another_number_of_the_device_is_no_other_file(self, tmp_path: Path) -> None:
        """File systems may get other numbers when the machine starts again."""
        path = tmp_path / "app.log"
        append(path, lines(1, 2))
        progress = msgspec.msgpack.decode(await followed(following(path), 1), type=Progress)
        spots = [msgspec.structs.replace(spot, device=spot.device + 1) for spot in progress.spots]
        position = msgspec.msgpack.encode(msgspec.structs.replace(progress, spots=spots))
        async with resumed(following(path), position) as source:
            assert await payloads(source, 1) == named([2])

    @pytest.mark.parametrize("seed", range(6))
    async def test_any_ends_and_rotations(self, tmp_path: Path, seed: int) -> None:
        """Ended and rotated at random instants, the source gives each line once, in order, by what is done with."""
        random, path = Random(seed), tmp_path / "app.log"
        written, position, generation = 0, b"", 0
        done: list[bytes] = []
        path.touch()
        for _ in range(12):
            async with resumed(following(path), position) as source:
                given: list[Message] = []
                for _ in range(random.randint(1, 4)):
                    more = random.randint(0, 5)
                    append(path, lines(*range(written, written + more)))
                    written += more
                    missing = written - len(done) - len(given)
                    if missing and random.random() < 0.7:
                        given += await take(source, random.randint(1, missing))
                    if random.random() < 0.3:
                        generation += 1
                        rotations = source.counters()["rotations"]
                        path.rename(tmp_path / f"app.log.{generation}")
                        path.touch()
                        await eventually(lambda: source.counters()["rotations"] > rotations)  # noqa: B023 - awaited
                count = random.randint(0, len(given))
                await source.ack(given[:count])
                done += [message.payload for message in given[:count]]
                position = source.position()
            if random.random() < 0.5:
                append(path, lines(written))
                written += 1
                generation += 1
                path.rename(tmp_path / f"app.log.{generation}")
                path.touch()
        async with resumed(following(path), position) as source:
            missing = written - len(done)
            done += await payloads(source, missing) if missing else []
            assert await says_nothing(source)
        assert done == named(range(written))


class TestOrder:
    """Whether a source knows if lines come in the same order again, so that messages may have the same ids again."""

    @pytest.mark.parametrize("name", ["feed.log", "feed.log.gz"])
    async def test_of_a_file_in_its_place(self, tmp_path: Path, name: str) -> None:
        """A single file that is where it was gives the same lines again, however much longer it is."""
        path = tmp_path / name
        path.write_bytes(gzip.compress(lines(1, 2)) if name.endswith(".gz") else lines(1, 2))
        source = once(path, await after(once(path), 1))
        assert await rest_of(source) == named([2])
        assert source.same_order

    @pytest.mark.parametrize("follow", [False, True])
    async def test_of_other_content(self, tmp_path: Path, follow: bool) -> None:  # noqa: FBT001 - a parameter
        """What was written anew is not what was given before."""
        path = tmp_path / "feed.log"
        path.write_bytes(lines(1, 2, 3))
        of = following if follow else once
        async with of(path) as first:
            await first.ack((await take(first, 3))[:1])
            position = first.position()
        path.write_bytes(lines(7))
        async with resumed(of(path), position) as source:
            assert await payloads(source, 1) == named([7])
            assert not source.same_order

    async def test_of_a_followed_file(self, tmp_path: Path) -> None:
        """It is the same until the file is rotated."""
        path = tmp_path / "app.log"
        append(path, lines(1, 2, 3))
        position = await followed(following(path), 1, given=3)
        async with resumed(following(path), position) as source:
            assert await payloads(source, 2) == named([2, 3])
            assert source.same_order
        path.rename(tmp_path / "app.log.1")
        async with resumed(following(path), position) as source:
            assert await payloads(source, 2) == named([2, 3])
            assert not source.same_order

    async def test_of_many_files(self, tmp_path: Path) -> None:
        """Other files may come between those of a glob."""
        (tmp_path / "a.log").write_bytes(lines(1, 2))
        async with once(tmp_path / "*.log") as source:
            assert not source.same_order

    async def test_of_another_path(self, tmp_path: Path) -> None:
        """Another path in the config is another source."""
        for name in "ab":
            (tmp_path / name).write_bytes(lines(1, 2))
        source = once(tmp_path / "b", await after(once(tmp_path / "a"), 1))
        assert await rest_of(source) == named([1, 2])
        assert not source.same_order
