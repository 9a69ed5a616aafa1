"""Real brokers for the tests: mosquitto in a process of its own, amqtt where there is none."""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
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
        """For `url:` in a configuration."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has logged so far; connections and subscriptions, not packets."""
        return (self.folder / "mosquitto.log").read_text()

    def start(self) -> None:
        """Start it and return when it listens."""
        text = f"listener {self.port} 127.0.0.1\n{_COMMON}" + "\n".join(self.lines)
        if not any("allow_anonymous" in line for line in self.lines):
            text += "\nallow_anonymous true"
        if os.geteuid() == 0:
            text += "\nuser root"  # else it gives up root and can no longer read the test's folder
        if self.persistent:
            text += f"\npersistence true\npersistence_location {self.folder}/"
        config = self.folder / "mosquitto.conf"
        config.write_text(text + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO or "mosquitto", "-c", str(config)], stderr=log)
        _wait_for_port(self.port, self._process)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL for a crash."""
        if self._process is not None:
            self._process.send_signal(with_signal)
            if with_signal != signal.SIGKILL:
                self._process.send_signal(signal.SIGCONT)  # a frozen one hears nothing else
            self._process.wait(10)
            self._process = None

    def restart(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it and start it again."""
        self.stop(with_signal)
        self.start()

    async def saved(self) -> None:
        """Have it write its sessions down, and wait until it has."""
        database = self.folder / "mosquitto.db"
        before = database.stat().st_mtime_ns if database.exists() else 0
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)
        await until(lambda: database.exists() and database.stat().st_mtime_ns != before)

    def freeze(self) -> None:
        """SIGSTOP: connections stay, nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class SmallBroker(Broker):
    """amqtt in a process of its own: slow, but there wherever `pip` is. Knows no lines of mosquitto's."""

    def start(self) -> None:
        """Start it and return when it listens."""
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


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for what has no event of its own, or fail."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a file or a counter has no event
            await asyncio.sleep(0.01)


class Ears(logging.Handler):
    """Hears what the MQTT rooms say: `await ears.hear("connection refused")`."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._news = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line and wake whoever listens."""
        self.lines.append(record.getMessage())
        self._news.set()

    def count(self, text: str) -> int:
        """How many lines so far have this text."""
        return sum(text in line for line in self.lines)

    async def hear(self, text: str, times: int = 1) -> None:
        """Wait until so many lines have this text, at most ten seconds."""
        try:
            async with asyncio.timeout(10.0):
                while self.count(text) < times:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"nobody said {text!r} {times} times, only: {self.lines}") from None


Answer = Callable[[bytes], bytes]
"""Bytes to send for a packet's body (without its fixed header); none to close the connection."""


@contextlib.asynccontextmanager
async def scripted(*dialogues: Sequence[Answer]) -> AsyncIterator[str]:
    """A listener that says what no real broker can be made to say; gives its URL.

    The packets of the n-th connection are answered by the n-th dialogue, or the last one, in turn; when that is at its
    end the connection stays open in silence.
    """
    served = 0
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        dialogue = dialogues[min(served, len(dialogues) - 1)]
        served += 1
        try:
            for answer in dialogue:
                if not (words := answer(await _packet(reader))):
                    break
                writer.write(words)
            else:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(converse(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _packet(reader: asyncio.StreamReader) -> bytes:
    """The next packet's body; all are below 16 kB here."""
    _kind, low = await reader.readexactly(2)
    high = (await reader.readexactly(1))[0] if low & 0x80 else 0
    return await reader.readexactly((low & 0x7F) + (high << 7))
