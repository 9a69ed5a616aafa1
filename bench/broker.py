"""A private mosquitto on a free port of the loopback, its limits lifted."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from riotd.benchmarks.broker import SETTINGS

_PATIENCE = 10.0


class Broker:
    """mosquitto, from entering to leaving.

    Args:
        folder: where its settings file goes.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._settings = folder / f"mosquitto-{self.port}.conf"

    def __enter__(self) -> Self:
        """Start it, and wait until it answers.

        Raises:
            RuntimeError: there is no mosquitto, or it does not start.
        """
        self._settings.write_text(SETTINGS.format(port=self.port), encoding="utf-8")
        self._process = subprocess.Popen([program("mosquitto"), "-c", str(self._settings)])
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"mosquitto did not start with {self._settings}")
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, stalled or not."""
        self._process.kill()
        self._process.wait(_PATIENCE)

    def stall(self) -> None:
        """Stop it where it stands: connections stay open, nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def cpu(self) -> float:
        """CPU seconds it has used so far."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def program(name: str) -> str:
    """The path of a program; Debian keeps daemons where a user's PATH does not look.

    Raises:
        RuntimeError: it is not installed.
    """
    found = shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin")
    if found is None:
        raise RuntimeError(f"{name} is not installed (Debian, Ubuntu: apt-get install mosquitto mosquitto-clients)")
    return found


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
