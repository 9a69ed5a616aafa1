"""Real brokers for the tests: mosquitto in a process of its own, amqtt where there is none."""

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")

_COMMON = """
max_queued_messages 0
max_inflight_messages 0
set_tcp_nodelay true
"""


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """One mosquitto on a loopback port, to be started, stopped, killed, frozen and started again.

    Args:
        folder: for its configuration, log and database.
        lines: more of its configuration.
        persistent: whether sessions outlive a restart.
    """

    def __init__(self, folder: Path, lines: Sequence[str] = (), *, persistent: bool = False) -> None:
        self.port = free_port()
        self.folder, self.persistent, self.lines = folder, persistent, list(lines)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text()

    def start(self) -> None:
        """Start it and return when it listens."""
        text = f"listener {self.port} 127.0.0.1\n{_COMMON}" + "\n".join(self.lines)
        if not any("allow_anonymous" in line for line in self.lines):
            text += "\nallow_anonymous true"
        if self.persistent:
            # every change is written, so that a kill -9 loses nothing either
            text += f"\npersistence true\npersistence_location {self.folder}/\nautosave_on_changes true"
            text += "\nautosave_interval 1"
        config = self.folder / "mosquitto.conf"
        config.write_text(text + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO or "mosquitto", "-v", "-c", str(config)], stderr=log)
        _wait_for_port(self.port, self._process)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL for a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(with_signal)
            self._process.wait(10)
            self._process = None

    def restart(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        self.stop(with_signal)
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: connections stay, nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class SmallBroker(Broker):
    """amqtt in a process of its own: slow, but there wherever `pip` is. Knows no lines of mosquitto's."""

    def start(self) -> None:
        program = (
            "import asyncio, sys\n"
            "from amqtt.broker import Broker\n"
            "config = {'listeners': {'default': {'type': 'tcp', 'bind': '127.0.0.1:' + sys.argv[1]}},\n"
            "          'plugins': {'amqtt.plugins.authentication.AnonymousAuthPlugin': {'allow_anonymous': True}}}\n"
            "async def main():\n"
            "    await Broker(config).start()\n"
            "    await asyncio.Event().wait()\n"
            "asyncio.run(main())\n"
        )
        command = [sys.executable, "-c", program, str(self.port)]
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, stdout=log)
        _wait_for_port(self.port, self._process)


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 15.0
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)  # there is nothing to wait on: a listening socket is not an event
    raise RuntimeError(f"the broker did not begin to listen on port {port}")


async def within(seconds: float, condition: "asyncio.Event") -> None:
    """Wait for the event, or fail."""
    async with asyncio.timeout(seconds):
        await condition.wait()
