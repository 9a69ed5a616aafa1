import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

WATCHDOG = 2.0  # seconds, as WatchdogSec= would say
MEAN = {"task": "average", "params": {"window": 2}}
STUCK = """
import threading
from riot_tasks.task import Task

class Stuck(Task):
    def process(self, record):
        threading.Event().wait()
        return [record]
"""

PACK = '[{"bn":"a","n":"t","v":1}]\n'
WAITING = """
from riot_tasks import Task, Unavailable

class Waiting(Task):
    waits = True

    def process(self, record):
        raise Unavailable("the store is down")
"""


class Daemon:
    """`riotd run` on a followed file, with a listener in systemd's place."""

    def __init__(self, folder: Path, listener: socket.socket, stage: dict[str, Any]) -> None:
        self.listener = listener
        self.config = folder / "riotd.yaml"
        self.write(stage)
        (folder / "in.jsonl").touch()
        self._log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "riotd", "run", str(self.config)],
            env=os.environ | {"NOTIFY_SOCKET": listener.getsockname(), "WATCHDOG_USEC": str(int(WATCHDOG * 1e6))},
            stderr=self._log,
            cwd=folder,
        )

    def write(self, stage: dict[str, Any]) -> None:
        """Write the config, with this as its second stage."""
        document = {
            "name": "notified",
            "source": {"type": "file", "path": str(self.config.with_name("in.jsonl")), "follow": True},
            "stages": [{"id": "parse", "task": "senml_parse"}, {"id": "second", **stage}],
            "sinks": {"out": {"type": "file", "path": str(self.config.with_name("out.jsonl"))}},
        }
        self.config.write_text(yaml.safe_dump(document), encoding="utf-8")

    def says(self, wanted: str, *, passing_over: str = "WATCHDOG=1") -> list[str]:
        """The next datagram, which begins with `wanted`; those equal to `passing_over` may come before it."""
        while True:
            lines = self.listener.recv(4096).decode().split("\n")
            if lines[0].startswith(wanted):
                return lines
            assert lines[0] == passing_over

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait(30)
        self._log.close()


Start = Callable[..., Daemon]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Daemon] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(30)

        def start_one(stage: dict[str, Any] = MEAN) -> Daemon:
            started.append(Daemon(tmp_path, listener, stage))
            return started[-1]

        yield start_one
        for daemon in started:
            daemon.close()


def test_a_service_from_start_to_stop(start: Start) -> None:
    """The daemon says READY once it runs, feeds the watchdog while idle, says STOPPING at SIGTERM, and ends with 0."""
    daemon = start()
    assert daemon.says("READY=1")
    assert daemon.says("WATCHDOG=1")
    assert daemon.says("WATCHDOG=1")
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.says("STOPPING=1")
    assert daemon.process.wait(30) == 0


def test_a_reload(start: Start) -> None:
    """SIGHUP is RELOADING with the time, then READY; so it is for a config that is wrong, and the daemon runs on."""
    daemon = start()
    daemon.says("READY=1")
    for window in (3, -1):
        daemon.write({"task": "average", "params": {"window": window}})
        daemon.process.send_signal(signal.SIGHUP)
        assert daemon.says("RELOADING=1")[1].startswith("MONOTONIC_USEC=")
        assert daemon.says("READY=1")
    assert daemon.says("WATCHDOG=1")
    assert daemon.process.poll() is None


def test_a_wrong_config_is_never_ready(start: Start) -> None:
    """A daemon that refuses its config ends with 78 and says nothing to systemd."""
    daemon = start({"task": "average", "params": {"window": -1}})
    assert daemon.process.wait(30) == 78
    daemon.listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        daemon.listener.recv(4096)


def test_a_task_that_never_returns_starves_the_watchdog(start: Start, tmp_path: Path) -> None:
    """While a shard owes an answer that never comes, the watchdog is not fed: systemd would start the daemon again."""
    (tmp_path / "stuck.py").write_text(STUCK, encoding="utf-8")
    daemon = start({"task": "stuck:Stuck"})
    daemon.says("READY=1")
    daemon.says("WATCHDOG=1")
    with (tmp_path / "in.jsonl").open("a", encoding="utf-8") as file:
        file.write(PACK)
    daemon.listener.settimeout(WATCHDOG)
    for _ in range(20):
        try:
            assert daemon.listener.recv(4096) == b"WATCHDOG=1"
        except TimeoutError:
            return
    pytest.fail("the watchdog was fed though nothing came of the message")


def test_a_task_that_waits_for_its_store_does_not(start: Start, tmp_path: Path) -> None:
    """A store that is away for longer than the watchdog's time is waited for: a new start would not bring it back."""
    (tmp_path / "waiting.py").write_text(WAITING, encoding="utf-8")
    daemon = start({"task": "waiting:Waiting"})
    daemon.says("READY=1")
    with (tmp_path / "in.jsonl").open("a", encoding="utf-8") as file:
        file.write(PACK)
    daemon.listener.settimeout(WATCHDOG)
    for _ in range(4 * 3):  # four in each of the watchdog's times
        assert daemon.listener.recv(4096) == b"WATCHDOG=1"
