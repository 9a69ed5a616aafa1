"""The file sink on a disk that is full, broken or gone."""

import asyncio
import errno
import logging
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from riotd import config as cfg
from riotd.errors import TransportError
from riotd.messages import Result
from riotd.sinks import appending, linefile
from riotd.sinks.files import FileSink
from riotd.sinks.linefile import LineFile
from tests.riotd.tails import append, eventually


def sink_of(path: Path) -> FileSink:
    return FileSink(cfg.FileSink(type="file", path=path))


def results(*payloads: bytes) -> list[Result]:
    return [Result(0, number, "mean", "device", "", payload) for number, payload in enumerate(payloads)]


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """While within, this process can't write past `size` bytes of any file: a write gets as far, then fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_full_disk_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While writes fail half-way, sends wait and nothing torn stays; afterwards no line lacks and none is doubled."""
    monkeypatch.setattr(appending, "QUICKEST", 0.001)
    payloads = [b"%04d" % number * 25 for number in range(300)]
    async with sink_of(tmp_path / "out") as sink:
        await sink.send(results(*payloads[:40]))
        with files_no_longer_than(5050):
            sends = [asyncio.create_task(sink.send(results(*payloads[at : at + 20]))) for at in range(40, 300, 20)]
            await eventually(lambda: sink.counters()["retries"] >= 3)
            assert not any(send.done() for send in sends)
            await eventually(lambda: (tmp_path / "out").read_bytes().split() == payloads[:40])  # not amid an attempt
        await asyncio.gather(*sends)
        assert (tmp_path / "out").read_bytes().split() == payloads
        assert sink.counters()["sent"] == 300
    assert caplog.messages == [
        f"{tmp_path / 'out'}: can't be written: File too large; waiting, and trying again",
        f"{tmp_path / 'out'}: can be written again",
    ]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


async def test_really_full_disk(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """On a disk without space a send waits, the file keeps whole lines only, and goes on when there is space."""
    (small_disk / "hog").write_bytes(bytes(40_000))
    async with sink_of(small_disk / "out") as sink:
        sending = asyncio.create_task(sink.send(results(*[b"x" * 999] * 30)))
        await eventually(lambda: sink.counters()["retries"] >= 1)
        await eventually(lambda: (small_disk / "out").read_bytes() == b"")  # not amid an attempt
        (small_disk / "hog").unlink()
        await sending
        assert (small_disk / "out").read_bytes() == (b"x" * 999 + b"\n") * 30
    assert "can't be written: No space left on device; waiting" in caplog.messages[0]


async def test_vanished_folder_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When path and folder are gone, sends wait until the folder is back."""
    monkeypatch.setattr(linefile, "CHECK", 0.0)
    folder = tmp_path / "folder"
    folder.mkdir()
    async with sink_of(folder / "out") as sink:
        await sink.send(results(b"1"))
        folder.rename(tmp_path / "away")
        sending = asyncio.create_task(sink.send(results(b"2")))
        await eventually(lambda: sink.counters()["retries"] >= 1)
        folder.mkdir()
        await sending
        assert (folder / "out").read_bytes() == b"2\n"


async def test_others_may_append_too(tmp_path: Path) -> None:
    """What somebody else wrote behind a failed write is not cut off with it; the torn part gets a line end."""
    file = LineFile(tmp_path / "out")
    await file.write(b"1\n")
    append(tmp_path / "out", b"2, to" + b"theirs\n")
    file._failed = (2, 5)  # as if our write had failed after 5 bytes, before theirs
    await file.write(b"2\n")
    assert (tmp_path / "out").read_bytes() == b"1\n2, totheirs\n\n2\n"
    await file.close()


async def test_leaving_while_the_disk_is_full(tmp_path: Path) -> None:
    """A send that waits for the disk when the sink is left fails; it does not hang, and leaves nothing torn."""
    sink = sink_of(tmp_path / "out")
    await sink.__aenter__()
    with files_no_longer_than(10):
        sends = [asyncio.create_task(sink.send(results(b"x" * 100))) for _ in range(2)]
        await eventually(lambda: sink.counters()["retries"] >= 1)
        late = asyncio.create_task(sink.send(results(b"y")))
        await asyncio.sleep(0)
        await sink.__aexit__(None, None, None)
        outcomes = await asyncio.gather(*sends, late, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == [f"{tmp_path / 'out'}: closed before it could be written"] * 3
    assert {type(outcome) for outcome in outcomes} == {TransportError}
    assert (tmp_path / "out").read_bytes() == b""
    with pytest.raises(TransportError, match="closed before"):
        await sink.send(results(b"z"))
    await sink.__aexit__(None, None, None)


async def test_leaving_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is synced when the sink is left, after the last write."""
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    async with sink_of(tmp_path / "out") as sink:
        await sink.send(results(b"1"))
        assert sizes == []
    assert sizes == [2]


async def test_disk_that_refuses_to_sync_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`sync` raises when the disk fails; leaving does not, but the log says what it may mean."""

    def broken(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with caplog.at_level(logging.ERROR):
        async with sink_of(tmp_path / "out") as sink:
            await sink.send(results(b"1"))
            await sink.sync()
            monkeypatch.setattr(os, "fsync", broken)
            with pytest.raises(TransportError, match=r"out: could not be synced: Input/output error"):
                await sink.sync()
    assert "what was written last may not survive a power cut" in caplog.text
