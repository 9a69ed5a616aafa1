import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from riotd.demo import leash
from riotd.demo.full.daemon import Daemon

FEED = """
name: quiet
source: {type: timer, every: 1h}
stages: [{task: noop}]
sinks: {out: {type: file, path: out.jsonl}}
"""
PARENT = """
import subprocess, sys
from riotd.demo import leash
child = subprocess.Popen(leash.command("sh", "-c", "echo $$; exec sleep 60"), stdout=subprocess.PIPE)
print(child.stdout.readline().decode().strip(), flush=True)
sys.stdin.read()
"""


async def running(daemon: Daemon) -> None:
    """Return when its log says so."""
    async with asyncio.timeout(30):
        while not any("is running" in line for line in daemon.last_lines()):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def test_a_daemon_lives_and_drains(tmp_path: Path) -> None:
    """A daemon works in its folder, drains when it is told to, and its log holds its ledger."""
    (tmp_path / "quiet.yaml").write_text(FEED)
    daemon = Daemon("quiet", tmp_path)
    async with daemon.started(["quiet.yaml"]):
        assert (daemon.code, daemon.state(online=False), daemon.state(online=True)) == (None, "starts", "runs")
        await running(daemon)
        drained = asyncio.create_task(daemon.drained())
        await asyncio.sleep(0)
        assert daemon.state(online=True) == "drains"
        assert await drained == 0
    assert daemon.state(online=False) == "exit 0"
    assert daemon.ledger() == "received 0 = settled 0 + in flight 0"
    assert (tmp_path / "out.jsonl").exists()


async def test_a_daemon_in_a_hurry(tmp_path: Path) -> None:
    """A daemon is hurried only while it drains: before that nothing comes of it, afterwards there is nobody to tell."""
    (tmp_path / "quiet.yaml").write_text(FEED)
    daemon = Daemon("quiet", tmp_path)
    daemon.hurry()
    async with daemon.started(["quiet.yaml"]):
        await running(daemon)
        daemon.hurry()
        assert daemon.state(online=True) == "runs"
        drained = asyncio.create_task(daemon.drained())
        await asyncio.sleep(0)
        daemon.hurry()
        assert await drained in {0, 1}
        daemon.hurry()
    assert any("once more to leave at once" in line for line in daemon.last_lines())


async def test_a_daemon_that_can_not_start(tmp_path: Path) -> None:
    """A daemon with a wrong config ends with 78, and its log says why."""
    daemon = Daemon("wrong", tmp_path)
    async with daemon.started(["none.yaml"]):
        assert await daemon.ended() == 78
    assert "none.yaml" in daemon.last_lines()[-1]
    assert daemon.ledger() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells it on Linux only")
def test_who_is_on_the_leash_ends_with_its_parent() -> None:
    """When the parent is killed, what it runs on the leash is told to end."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        assert select.select([child], [], [], 20.0)[0]  # readable once the process has ended
    finally:
        os.close(child)


def test_the_leash_runs_nothing_for_a_parent_that_is_gone() -> None:
    """A program whose parent has gone before it could be watched is not started at all."""
    command = leash.command("sh", "-c", "echo started")
    command[-4] = "1"  # nobody's child but init's
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == ""


def test_the_leash_passes_signals_and_codes() -> None:
    """A program on the leash is the very process that was started: its exit code and its signals are its own."""
    done = subprocess.run(leash.command("sh", "-c", "kill -TERM $$"), check=False, timeout=30)
    assert done.returncode == -signal.SIGTERM
