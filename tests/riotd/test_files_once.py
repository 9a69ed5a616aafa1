"""The file source that reads to the end."""

import asyncio
import gzip
import tracemalloc
from pathlib import Path

import pytest

from riotd import config as cfg
from riotd.errors import ConfigError, TransportError
from riotd.messages import Message
from riotd.ports import Source
from riotd.sources.files import FileSource
from riotd.sources.positions import Position
from riotd.testing import ManualClock

SAMPLE = Path(__file__).resolve().parents[3] / "shared/riotbench-data/TAXI_sample_data_senml.csv"


def once(path: Path | str, **more: object) -> FileSource:
    return FileSource(
        cfg.FileSource.model_validate({"type": "file", "path": str(path), **more}), clock=ManualClock(7.0)
    )


async def messages_of(source: FileSource) -> list[Message]:
    """All messages, to the end, in one list."""
    async with source:
        found: list[Message] = []
        while messages := await source.receive():
            found += messages
        return found


async def payloads_of(source: FileSource) -> list[bytes]:
    return [message.payload for message in await messages_of(source)]


async def test_lines_become_messages(tmp_path: Path) -> None:
    """Each line is one message, of the file's path, with the time it was read, and the source then ends for good."""
    path = tmp_path / "feed.csv"
    path.write_bytes(b"one\ntwo\r\n\nthree")
    async with once(path) as source:
        checked: Source = source  # mypy: it keeps the port's contract
        messages = list(await checked.receive())
        while more := await checked.receive():
            messages += more
        assert await checked.receive() == []
    assert [(message.topic, message.payload, message.received) for message in messages] == [
        (str(path), b"one", 7.0),
        (str(path), b"two", 7.0),
        (str(path), b"three", 7.0),
    ]
    assert source.counters() == {"received": 3, "bytes": 11, "blank": 1, "overlong": 0, "files": 1}


async def test_payloads_are_untouched(tmp_path: Path) -> None:
    """Invalid UTF-8, NULs and whitespace are passed on as they are."""
    lines = [b"\xff\xfe\x80", b"a\0b", b"  spaced\t", "ü€😀".encode()]
    (tmp_path / "feed").write_bytes(b"\n".join(lines) + b"\n")
    assert await payloads_of(once(tmp_path / "feed")) == lines


async def test_glob_is_read_in_sorted_order(tmp_path: Path) -> None:
    """Files of a glob follow one another by path, compressed or not, and folders among them do not matter."""
    (tmp_path / "b.csv").write_bytes(b"3\n4")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"1\n") + gzip.compress(b"2\n"))
    (tmp_path / "c.csv").write_bytes(b"5\n")
    (tmp_path / "d.csv").mkdir()
    assert await payloads_of(once(tmp_path / "*.csv*")) == [b"1", b"2", b"3", b"4", b"5"]


async def test_globs_may_be_recursive_and_names_may_look_like_globs(tmp_path: Path) -> None:
    """`**` descends, and a path that exists is that file whatever characters it has."""
    (tmp_path / "x/y").mkdir(parents=True)
    (tmp_path / "x/y/feed[1].csv").write_bytes(b"1\n")
    assert await payloads_of(once(tmp_path / "**/*.csv")) == [b"1"]
    assert await payloads_of(once(tmp_path / "x/y/feed[1].csv")) == [b"1"]


async def test_riotbench_lines_lose_their_time_stamp(tmp_path: Path) -> None:
    """In RIoTBench's format the payload is what follows the first comma; a line without one is passed on whole."""
    (tmp_path / "feed").write_bytes(b'1422748800000,{"e":[1,2]}\nbroken\n')
    assert await payloads_of(once(tmp_path / "feed", format="riotbench")) == [b'{"e":[1,2]}', b"broken"]


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's sample data is not here")
async def test_riotbench_sample_data() -> None:
    """RIoTBench's own sample gives one SenML object a line."""
    payloads = await payloads_of(once(SAMPLE, format="riotbench"))
    assert len(payloads) == SAMPLE.read_bytes().count(b"\n")
    assert all(payload.startswith(b'{"e":[') and payload.endswith(b"}") for payload in payloads)


@pytest.mark.parametrize("name", ["feed", "feed.gz"])
async def test_line_of_100_mb_costs_no_memory(tmp_path: Path, name: str) -> None:
    """Of a line of 100 MB only `max_line` bytes are kept, its neighbours flow, and it is counted."""
    with (gzip.open if name.endswith("gz") else open)(tmp_path / name, "wb") as file:
        file.write(b"before\n")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\nafter\n")
    source = once(tmp_path / name)
    tracemalloc.start()
    payloads = await payloads_of(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    note = b" ... [cut: a line of 100000000 bytes, source.max_line is 1048576]"
    assert payloads == [b"before", b"x" * 2**20 + note, b"after"]
    assert source.counters()["overlong"] == 1
    assert peak < 12 * 2**20


async def test_reading_ahead_is_bounded(tmp_path: Path) -> None:
    """A source that is slowly received from never reads more than five chunks ahead."""
    (tmp_path / "feed").write_bytes((b"y" * 99 + b"\n") * 100_000)
    taken = ahead = 0
    async with once(tmp_path / "feed") as source:
        while messages := await source.receive():
            taken += sum(len(message.payload) for message in messages)
            for _ in range(200):  # a slow consumer, during whose work others get their turns
                await asyncio.sleep(0)
            ahead = max(ahead, source.counters()["bytes"] - taken)
    assert taken == 9_900_000
    assert 2**18 < ahead <= 5 * 2**18


async def test_missing_file_is_told_at_the_start(tmp_path: Path) -> None:
    """A file that is not there, and is not to be waited for, is a mistake in the configuration, with a remedy."""
    with pytest.raises(ConfigError, match=r"source\.path: there is no file .*nothing\.csv; .*follow: true"):
        await messages_of(once(tmp_path / "nothing.csv"))


async def test_folder_is_told_at_the_start(tmp_path: Path) -> None:
    """A folder is not read, and a glob is proposed."""
    with pytest.raises(ConfigError, match=r"is not a regular file; .*glob"):
        await messages_of(once(tmp_path))


async def test_damaged_gz_ends_with_an_error_behind_its_good_lines(tmp_path: Path) -> None:
    """The lines before the damage are given, then the file and the place are named."""
    whole = gzip.compress(b"".join(b"line %d\n" % number for number in range(200_000)))
    (tmp_path / "feed.gz").write_bytes(whole[: len(whole) // 2])
    found: list[Message] = []

    async def receive_all(source: FileSource) -> None:
        while messages := await source.receive():
            found.extend(messages)

    async with once(tmp_path / "feed.gz") as source:
        with pytest.raises(TransportError, match=r"feed\.gz: after byte \d+ of its content: .*"):
            await receive_all(source)
    assert found
    assert [message.payload for message in found] == [b"line %d" % number for number in range(len(found))]


async def test_stop_gives_what_was_read_and_ends(tmp_path: Path) -> None:
    """After `stop` a prefix of the file was given, without a gap, and `ack` still works."""
    (tmp_path / "feed").write_bytes(b"".join(b"%099d\n" % number for number in range(100_000)))
    async with once(tmp_path / "feed") as source:
        found = list(await source.receive())
        await source.stop()
        while messages := await source.receive():
            found += messages
        await source.ack(found)
    assert [int(message.payload) for message in found] == list(range(len(found)))
    assert len(found) < 100_000


async def test_acknowledged_offsets_are_kept_per_file(tmp_path: Path) -> None:
    """`done` says how far each file was acknowledged, and forgets a file whose last line was."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"1\n22\n")
    async with once(tmp_path / "[ab]") as source:
        messages = [*await source.receive(), *await source.receive()]
        assert await source.receive() == []
        assert [message.token.offset for message in messages] == [2, 5, 2, 5]
        first, second = messages[0].token.file, messages[2].token.file
        assert first.inode == (tmp_path / "a").stat().st_ino
        await source.ack(messages[:1])
        assert source.done == {first: 2}
        await source.ack(messages[1:3])
        assert source.done == {second: 2}
        await source.ack(messages[3:])
        assert source.done == {}
    assert all(isinstance(message.token, Position) for message in messages)


async def test_leaving_twice_is_harmless(tmp_path: Path) -> None:
    """`__aexit__` may be called again, and `receive` then says that it is the end."""
    (tmp_path / "feed").write_bytes(b"1\n")
    source = once(tmp_path / "feed")
    async with source:
        pass
    await source.__aexit__(None, None, None)
    assert [message.payload for message in await source.receive()] in ([], [b"1"])
    assert await source.receive() == []
