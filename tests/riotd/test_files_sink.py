"""The sink that appends results to a file."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from riotd import config as cfg
from riotd.errors import ConfigError
from riotd.messages import Result
from riotd.ports import Sink
from riotd.sinks import linefile
from riotd.sinks.files import FileSink
from tests.riotd.tails import eventually, held


def sink_of(path: Path) -> FileSink:
    return FileSink(cfg.FileSink(type="file", path=path))


def results(*payloads: bytes) -> list[Result]:
    return [Result(0, number, "mean", "device", "", payload) for number, payload in enumerate(payloads)]


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
