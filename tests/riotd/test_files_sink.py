"""The sink that appends results to a file."""

import asyncio
import errno
import logging
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from riotd import config as cfg
from riotd.errors import ConfigError, TransportError
from riotd.messages import Result
from riotd.ports import Sink
from riotd.sinks import appending, linefile
from riotd.sinks.files import FileSink
from riotd.sinks.linefile import LineFile
from tests.riotd.tails import append, eventually, held


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


async def test_results_become_lines(tmp_path: Path) -> None:
    """Each result is a line as soon as `send` returns, behind what was there before."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"before\n")
    async with sink_of(path) as sink:
        checked: Sink = sink  # mypy: it keeps the port's contract
        await checked.send(results(b'{"a":1}', b'{"a":2}'))
        await checked.send([])
        assert path.read_bytes() == b'before\n{"a":1}\n{"a":2}\n'
        assert checked.counters() == {"sent": 2, "failed": 0, "bytes": 16, "retries": 0}


async def test_overlapping_sends_keep_their_order(tmp_path: Path) -> None:
    """Lines land in the order in which the calls were started, however many wait."""
    payloads = [b"%d" % number for number in range(5000)]
    async with sink_of(tmp_path / "out") as sink:
        await asyncio.gather(*(sink.send(results(payload)) for payload in payloads))
        assert (tmp_path / "out").read_bytes().split() == payloads


async def test_missing_folder_is_a_mistake_with_a_remedy(tmp_path: Path) -> None:
    """The folder of the file must be there: it is not made up from a typing error."""
    with pytest.raises(ConfigError, match=r"out: its folder .*nowhere is not there; create it \(mkdir -p .*nowhere\)"):
        await sink_of(tmp_path / "nowhere" / "out").__aenter__()


async def test_folder_is_no_file(tmp_path: Path) -> None:
    """A path that leads to a folder is refused."""
    with pytest.raises(ConfigError, match="is not a regular file"):
        await sink_of(tmp_path).__aenter__()


async def test_torn_line_of_a_crash_spoils_no_other(tmp_path: Path) -> None:
    """A file that ends within a line gets a line end before the first result."""
    (tmp_path / "out").write_bytes(b'{"a":1}\n{"a":')
    async with sink_of(tmp_path / "out") as sink:
        await sink.send(results(b'{"a":3}'))
        assert (tmp_path / "out").read_bytes() == b'{"a":1}\n{"a":\n{"a":3}\n'


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


async def test_rotated_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a rename a new file is made under the path, each line is in one of the two, and the old one is let go."""
    monkeypatch.setattr(linefile, "CHECK", 0.0)
    path = tmp_path / "out"
    async with sink_of(path) as sink:
        await sink.send(results(b"1"))
        path.rename(tmp_path / "out.1")
        await sink.send(results(b"2"))
        assert (tmp_path / "out.1").read_bytes() == b"1\n"
        assert path.read_bytes() == b"2\n"
        assert held(tmp_path) == 1
        path.unlink()
        await sink.send(results(b"3"))
        assert path.read_bytes() == b"3\n"


async def test_rotation_is_looked_for_once_a_second(tmp_path: Path) -> None:
    """Within a second of the last check the renamed file is still written to: nothing is lost either way."""
    path = tmp_path / "out"
    async with sink_of(path) as sink:
        await sink.send(results(b"1"))
        path.rename(tmp_path / "out.1")
        await sink.send(results(b"2"))
        await eventually(lambda: asyncio.get_running_loop().time() >= sink._appender._file._checked + linefile.CHECK)
        await sink.send(results(b"3"))
        assert (tmp_path / "out.1").read_bytes() == b"1\n2\n"
        assert path.read_bytes() == b"3\n"


async def test_copytruncated_file_is_appended_to(tmp_path: Path) -> None:
    """A file that was emptied is written from its start, without a hole."""
    async with sink_of(tmp_path / "out") as sink:
        await sink.send(results(b"1"))
        os.truncate(tmp_path / "out", 0)
        await sink.send(results(b"2"))
        assert (tmp_path / "out").read_bytes() == b"2\n"


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


async def test_cancelled_send_tears_nothing(tmp_path: Path) -> None:
    """Sends that are cancelled leave whole lines, in order, and those after them are written."""
    async with sink_of(tmp_path / "out") as sink:
        for number in range(200):
            cancelled = asyncio.create_task(sink.send(results(b"%d" % number * 50_000)))
            for _ in range(number % 7):
                await asyncio.sleep(0)
            cancelled.cancel()
            with suppress(asyncio.CancelledError):
                await cancelled
        await sink.send(results(b"last"))
        lines = (tmp_path / "out").read_bytes().splitlines()
    possible = iter([*(b"%d" % number * 50_000 for number in range(200)), b"last"])
    assert all(line in possible for line in lines)  # a subsequence
    assert lines[-1] == b"last"


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
    """`fsync` raises when the disk fails; leaving does not, but the log says what it may mean."""

    def broken(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with caplog.at_level(logging.ERROR):
        async with sink_of(tmp_path / "out") as sink:
            await sink.send(results(b"1"))
            await sink.fsync()
            monkeypatch.setattr(os, "fsync", broken)
            with pytest.raises(TransportError, match=r"out: could not be synced: Input/output error"):
                await sink.fsync()
    assert "what was written last may not survive a power cut" in caplog.text


PROGRAM = """
import asyncio, sys
from pathlib import Path
from riotd import config as cfg
from riotd.messages import Result
from riotd.sinks.files import FileSink

async def main():
    async with FileSink(cfg.FileSink(type="file", path=Path(sys.argv[1]))) as sink:
        for number in range(1_000_000):
            await sink.send([Result(0, number, "", "", "", b"%d" % number)])
            print(number, flush=True)

asyncio.run(main())
"""


def test_what_was_sent_survives_a_kill(tmp_path: Path) -> None:
    """After SIGKILL the file has every line whose `send` returned, at most one more, and none torn."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM, tmp_path / "out"], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        for _ in range(100):
            program.stdout.readline()
        program.send_signal(signal.SIGKILL)
        told = 99 + len(program.stdout.read().split(b"\n")) - 1
    data = (tmp_path / "out").read_bytes()
    lines = [int(line) for line in data.splitlines()]
    assert data.endswith(b"\n")
    assert lines == list(range(len(lines)))
    assert told <= len(lines) - 1 <= told + 1
