"""Recorded lines read again: both forms, packed or piped, odd lines told."""

import asyncio
import gzip
import os
import zlib
from pathlib import Path

import pytest

from riotd.replay import Recording, Timed
from riotd.replay.lines import lines, size


async def _all(recording: Recording) -> list[Timed]:
    return [message async for group in recording.groups() for message in group]


def _file(folder: Path, content: bytes, name: str = "feed.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'1422748800123,{"e":[]}', (1422748800.123, b'{"e":[]}')),
        (b"1422748800123,[{", (1422748800.123, b"[{")),
        (b"0,x", (0.0, b"x")),
        (b'[{"bn":"a","bt":1422748800.5,"v":1}]', (1422748800.5, b'[{"bn":"a","bt":1422748800.5,"v":1}]')),
        (b'[{"n":"a","bt":1422748800,"t":2,"v":1}]', (1422748802.0, b'[{"n":"a","bt":1422748800,"t":2,"v":1}]')),
        (b'{"e":[{"n":"a","t":1}],"bt":"1422748800"}', (1422748801.0, b'{"e":[{"n":"a","t":1}],"bt":"1422748800"}')),
        (b'{"e":[{"n":"a"}],"bt":1422748800250}', (1422748800.25, b'{"e":[{"n":"a"}],"bt":1422748800250}')),
        (b'[{"n":"a","v":1}]', (None, b'[{"n":"a","v":1}]')),
        (b'[{"n":"a","bt":-5,"v":1}]', (None, b'[{"n":"a","bt":-5,"v":1}]')),
        (b'[{"n":"a","bt":"soon","v":1}]', (None, b'[{"n":"a","bt":"soon","v":1}]')),
        (b'[{"n":"a","bt":true,"v":1}]', (None, b'[{"n":"a","bt":true,"v":1}]')),
        (b"[]", (None, b"[]")),
        (b"99999999999999999999,[]", None),
        (b"msgId,timestamp,rowstart,rowend", None),
        (b"", None),
        (b"# a comment", None),
        (b"[{", None),
        (b"\xff\xfe", None),
    ],
)
async def test_a_line_gives_time_and_payload(line: bytes, message: Timed | None, tmp_path: Path) -> None:
    """Milliseconds in front, or the pack's own time in whatever form; None for what is no message."""
    recording = Recording(_file(tmp_path, line + b"\n"))
    assert await _all(recording) == ([message] if message else [])
    assert recording.skipped == (message is None)


async def test_the_first_line_is_kept_and_the_last_needs_no_end(tmp_path: Path) -> None:
    """Unlike RIoTBench's reader, which drops the first; carriage returns are no part of the payload."""
    recording = Recording(_file(tmp_path, b"1000,a\r\n2000,b\n3000,c"))
    assert await _all(recording) == [(1.0, b"a"), (2.0, b"b"), (3.0, b"c")]


async def test_odd_lines_are_counted_and_the_first_few_told_with_their_numbers(tmp_path: Path) -> None:
    """They do not stop the reading."""
    content = b"header\n1000,a\n\n" + b"?\n" * 10 + b"2000,b\n"
    recording = Recording(_file(tmp_path, content))
    assert [payload for _, payload in await _all(recording)] == [b"a", b"b"]
    assert recording.skipped == 12
    assert recording.oddities[:2] == [
        "line 1: neither <epoch ms>,<SenML> nor SenML; passed over",
        "line 3: empty; passed over",
    ]
    assert len(recording.oddities) == 5
    assert recording.bytes == len(content)


async def test_a_second_pass_follows_the_first_in_time(tmp_path: Path) -> None:
    """Its times go on after the last, by the mean distance of the messages."""
    recording = Recording(_file(tmp_path, b"1000,a\n1500,b\n3000,c\n"), passes=3)
    times = [time for time, _ in await _all(recording)]
    assert times == [1.0, 1.5, 3.0, 4.0, 4.5, 6.0, 7.0, 7.5, 9.0]


async def test_an_endless_replay_of_no_message_ends(tmp_path: Path) -> None:
    """A file with nothing to send is not read for ever."""
    recording = Recording(_file(tmp_path, b"header only\n"), passes=0)
    assert await _all(recording) == []


async def test_a_gz_file_is_unpacked(tmp_path: Path) -> None:
    """By its extension; its size is that of the lines."""
    content = b"".join(b"%d,%b\n" % (number, b"x" * 300) for number in range(3000))
    path = _file(tmp_path, content, "feed.csv.gz")
    assert len(await _all(Recording(path))) == 3000
    assert size(path) == len(content)


@pytest.mark.parametrize("damage", ["cut", "flipped", "no gzip"])
async def test_a_broken_gz_file_is_an_error_of_the_reading(damage: str, tmp_path: Path) -> None:
    """It is not taken for the end of the recording."""
    path = _file(tmp_path, os.urandom(100_000), "feed.csv.gz")
    content = bytearray(path.read_bytes())
    content[0 if damage == "no gzip" else 50_000] ^= 0xFF
    path.write_bytes(content[: 50_000 if damage == "cut" else len(content)])
    with pytest.raises((OSError, EOFError, zlib.error)):
        await _all(Recording(path))


async def test_a_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    """A line is there before the writer has closed, and a line may come in pieces."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    opening = asyncio.create_task(asyncio.to_thread(os.open, path, os.O_WRONLY))
    groups = lines(path)
    first = asyncio.create_task(anext(groups))
    writer = await opening
    os.write(writer, b"one\ntw")
    assert await first == [b"one"]
    os.write(writer, b"o\nthree")
    os.close(writer)
    assert [line async for group in groups for line in group] == [b"two", b"three"]
    assert size(path) is None


async def test_a_wait_for_a_pipe_can_be_cancelled(tmp_path: Path) -> None:
    """Nobody has to write anything for Ctrl-C to work."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    opening = asyncio.create_task(asyncio.to_thread(os.open, path, os.O_WRONLY))
    groups = lines(path)
    waiting = asyncio.create_task(anext(groups))
    writer = await opening
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    os.close(writer)


def test_standard_input_can_be_read_once_only() -> None:
    """More passes over it are refused."""
    with pytest.raises(ValueError, match="once only"):
        Recording(None, passes=2)
