"""The store as the pump's reject sink."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from riotd import config as cfg
from riotd.errors import ConfigError, TransportError
from riotd.letters import read_letters
from riotd.messages import DeadLetter
from riotd.ports import RejectSink, Rewindable
from riotd.sinks import letters as letters_module
from riotd.sinks.letters import StoredRejects


def block(path: Path) -> cfg.FileRejects:
    return cfg.FileRejects(type="file", path=path)


def letter(number: int) -> DeadLetter:
    return DeadLetter(1.5, "parse", "not JSON", number, "sensors/a", b"{")


def ids(path: Path) -> list[int]:
    return [each.letter.id for each in read_letters(path)]


async def test_letters_are_kept_when_send_returns(tmp_path: Path) -> None:
    """In the order of the calls, though they overlap; nothing is sent for no letters."""
    path = tmp_path / "r.jsonl"
    async with StoredRejects(block(path)) as rejects:
        checked: RejectSink = rejects  # mypy: it keeps the port's contract
        await asyncio.gather(*(checked.send([letter(number)]) for number in range(20)), checked.send([]))
        assert ids(path) == list(range(20))
        assert rejects.counters() == {"kept": 20, "dropped": 0, "retries": 0}


async def test_is_cut_back_to_where_it_was(tmp_path: Path) -> None:
    """What was sent behind a position is forgotten; a position that it does not know leaves all as it is."""
    path = tmp_path / "r.jsonl"
    async with StoredRejects(block(path)) as rejects:
        checked: Rewindable = rejects  # mypy: it keeps the port's contract
        await rejects.send([letter(1), letter(2)])
        position = checked.position()
        await rejects.send([letter(3)])
        await checked.sync()
    async with StoredRejects(block(path)) as rejects:
        assert not await rejects.rewind(b"\x93somebody else's")
        assert ids(path) == [1, 2, 3]
        assert await rejects.rewind(position)
        await rejects.send([letter(4)])
    assert ids(path) == [1, 2, 4]
    assert [each.number for each in read_letters(path)] == [1, 2, 3]


async def test_a_disk_that_refuses_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`send` returns when the disk takes it again; the trouble is said once, and so is its end."""
    monkeypatch.setattr(letters_module, "_QUICKEST", 0.001)
    path, write, refusals = tmp_path / "r.jsonl", os.write, iter(range(3))

    def refuse(descriptor: int, data: bytes) -> int:
        if next(refusals, None) is not None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    async with StoredRejects(block(path)) as rejects:
        monkeypatch.setattr(os, "write", refuse)
        await rejects.send([letter(1)])
        assert rejects.counters()["retries"] == 3
    assert ids(path) == [1]
    assert [message.removeprefix(f"{path}: ") for message in caplog.messages] == [
        "can't be written: No space left on device; waiting, and trying again",
        "can be written again",
    ]


async def test_leaving_ends_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter that could not be written is a TransportError then, not a silence."""
    refused = asyncio.Event()
    loop = asyncio.get_running_loop()

    def refuse(_descriptor: int, _data: bytes) -> int:
        loop.call_soon_threadsafe(refused.set)
        raise OSError(errno.ENOSPC, "No space left on device")

    async with StoredRejects(block(tmp_path / "r.jsonl")) as rejects:
        monkeypatch.setattr(os, "write", refuse)
        sending = asyncio.create_task(rejects.send([letter(1)]))
        await refused.wait()
    with pytest.raises(TransportError, match="closed before"):
        await sending


async def test_a_folder_that_is_not_there_is_a_mistake_of_the_config(tmp_path: Path) -> None:
    """It names the path and what to do."""
    with pytest.raises(ConfigError, match=r"nowhere/r\.jsonl: No such file or directory; give a path"):
        await StoredRejects(block(tmp_path / "nowhere" / "r.jsonl")).__aenter__()
