"""The processes of a run: load and listener at a real broker, usage of real processes, a daemon that does not start."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from riotd.benchmarks.broker import mosquitto, private_broker
from riotd.benchmarks.flows.daemon import NotRunningError, running
from riotd.benchmarks.flows.listener import Listener
from riotd.benchmarks.flows.load import Began, Load
from riotd.benchmarks.flows.prepared import Wanted, doubles, packs, written
from riotd.benchmarks.flows.usage import MARK, Usage, members
from riotd.clock import SystemClock

FIRST = 1_422_748_800_000
BURN = "import time\nend = time.process_time() + {0}\nwhile time.process_time() < end: pass\n"


async def started(name: str, what: msgspec.Struct) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"riotd.benchmarks.flows.{name}", msgspec.json.encode(what).decode(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.skipif(mosquitto() is None, reason="mosquitto is not installed")
async def test_what_is_sent_is_heard(qos: int, tmp_path: Path) -> None:
    """Each message is noted as sent once it was due, and by the listener with its own number, after it was sent."""
    wanted = Wanted(dataset="city", rate=1000.0, seconds=0.5, form="rfc")
    prepared = written(packs(wanted, "raw/+", first=FIRST), tmp_path, first=FIRST, qos=1 if qos else 0)
    files = {name: str(tmp_path / name) for name in ("heard", "reports", "letters")}
    async with private_broker(str(mosquitto()), tmp_path) as url:
        port = urlsplit(url).port or 0
        listener = await started("listener", Listener("127.0.0.1", port, ["raw/+"], "stats", "rejects", **files))
        assert listener.stdout is not None
        assert listener.stdin is not None
        await listener.stdout.readline()
        load = await started("load", Load("127.0.0.1", port, prepared, str(tmp_path / "sent")))
        said, _ = await load.communicate()
        listener.stdin.close()
        assert (await load.wait(), await listener.wait()) == (0, 0)
    began = msgspec.json.decode(said, type=Began).at
    dues, sent, heard = doubles(prepared.dues), doubles(str(tmp_path / "sent")), doubles(files["heard"])
    assert [int(number) - FIRST for number in heard[::2]] == list(range(len(dues)))
    assert sent[-2] == len(dues)
    for until, at in zip(sent[::2], sent[1::2], strict=True):
        assert dues[int(until) - 1] <= at
    assert all(came - began >= due for came, due in zip(heard[1::2], dues, strict=True))


@pytest.mark.skipif(mosquitto() is None, reason="mosquitto is not installed")
async def test_reports_and_dead_letters_are_kept_apart(tmp_path: Path) -> None:
    """What comes on the topics of statistics and dead letters is kept as it is, and is no result."""
    files = {name: str(tmp_path / name) for name in ("heard", "reports", "letters")}
    async with private_broker(str(mosquitto()), tmp_path) as url:
        port = urlsplit(url).port or 0
        listener = await started("listener", Listener("127.0.0.1", port, ["out/#"], "stats", "rejects", **files))
        assert listener.stdout is not None
        assert listener.stdin is not None
        await listener.stdout.readline()
        messages = [
            ("stats", b'{"settled":1}'), ("rejects", b'{"reason":"x"}'),
            ("out/a", b'[{"bn":"a:","bt":7.5,"n":"b","v":1}]'),
            ("out/b", b'{"id":3,"source":"a","time":1422748800.123,"values":{}}'), ("out/c", b"?"),
            ("out/d", b'{"model":"x","version":"city-MLR-1422748800321","trained":{"from":5}}'),
        ]  # fmt: skip
        made = written(((0.0, topic, payload) for topic, payload in messages), tmp_path, first=0, qos=0)
        await (await started("load", Load("127.0.0.1", port, made, str(tmp_path / "sent")))).communicate()
        listener.stdin.close()
        assert await listener.wait() == 0
    assert list(doubles(files["heard"])[::2]) == [7500, 1_422_748_800_123, -1, 1_422_748_800_321]
    assert (tmp_path / "reports").read_bytes() == b'{"settled":1}'
    assert (tmp_path / "letters").read_bytes() == b'{"reason":"x"}'


@pytest.fixture
def family() -> Iterator[str]:
    """A marked process that burns 0.2 s of CPU, as a child of its does, and waits for its standard input to end."""
    mark = f"test-{os.getpid()}"
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN.format(0.2)!r}], check=True)\n"
    program = f"{child}{BURN.format(0.2)}print('done', flush=True)\nsys.stdin.read()\n"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {MARK: mark},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield mark
    process.communicate(b"")


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="there is no /proc as Linux has it")
def test_a_family_s_usage_is_found_by_its_mark(family: str) -> None:
    """CPU and memory of a marked process are found, and nothing of a mark that nobody bears."""
    sample = Usage({"it": family, "nobody": "nobody"}, SystemClock()).sample()
    assert sample is not None
    assert sample.cpu["it"] >= 0.15
    assert sample.memory["it"] > 1_000_000
    assert (sample.processes["it"], sample.processes["nobody"], sample.cpu["nobody"]) == (1, 0, 0.0)
    assert sample.machine >= sample.cpu["it"]


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="there is no /proc as Linux has it")
def test_what_has_ended_still_counts() -> None:
    """CPU seconds of a process that was seen and is gone stay in the sum, its memory does not."""
    with subprocess.Popen(
        [sys.executable, "-c", f"{BURN.format(0.1)}print(flush=True)\nimport sys\nsys.stdin.read()"],
        env=os.environ | {MARK: "brief"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        usage = Usage({"it": "brief"}, SystemClock())
        before = usage.sample()
        process.communicate(b"")
    after = usage.sample()
    assert before is not None
    assert after is not None
    assert after.cpu["it"] >= before.cpu["it"] > 0.05
    assert (before.processes["it"], after.processes["it"], after.memory["it"]) == (1, 0, 0)


async def test_a_daemon_that_does_not_start_says_why(tmp_path: Path) -> None:
    """A wrong configuration ends the wait for it at once, with the end of its log."""
    (tmp_path / "wrong.yaml").write_text("name: wrong\n", encoding="utf-8")
    with pytest.raises(NotRunningError, match="stages"):
        async with running([str(tmp_path / "wrong.yaml")], tmp_path, "mark"):
            pytest.fail("it can't have started")


async def test_nothing_of_a_daemon_is_left(tmp_path: Path) -> None:
    """What bears the daemon's mark has ended with it, also a process that the daemon did not end."""
    (tmp_path / "wrong.yaml").write_text("name: wrong\n", encoding="utf-8")
    with subprocess.Popen(  # noqa: ASYNC220 - nobody else is on this loop
        [sys.executable, "-c", "input()"], env=os.environ | {MARK: "left"}, stdin=subprocess.PIPE
    ) as it:
        with pytest.raises(NotRunningError):
            async with running([str(tmp_path / "wrong.yaml")], tmp_path, "left"):
                pytest.fail("it can't have started")
        assert it.wait(10) == -signal.SIGKILL
    assert members("left") == []
