"""The collector: a bare-socket subscriber in a thread, that counts results and reads latencies or numbers from them."""

import contextlib
import os
import re
import select
import socket
import threading
import time
from collections.abc import Callable

from riotd.benchmarks import wire

_TIME = re.compile(rb'"(?:bt|t)":\s*([0-9.eE+]+)')
_PATIENCE = 0.5
_WORTH = 2**15
"""Bytes of results that are taken at a time: woken for each single one the collector took a tenth of a core."""
_MOMENT = 0.002
"""Seconds after which fewer are taken."""
Reader = Callable[[bytes, float], None]
"""Takes the body of a PUBLISH (topic and payload) and the Unix seconds at which it came."""


class Latencies:
    """Milliseconds from a message's due time, its `bt` or `t`, to its result."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def __call__(self, body: bytes, now: float) -> None:
        """Take note of a result."""
        if match := _TIME.search(body):
            self.values.append((now - float(match[1])) * 1e3)


class Collector:
    """Counts what comes on `topic_filter`, from construction to `close`.

    Args:
        port: of the broker.
        topic_filter: subscribed at QoS 0, so that the collector costs the broker the same whatever is measured.
    """

    def __init__(self, port: int, topic_filter: str) -> None:
        self.count = 0
        self.last = 0.0
        self._reader: Reader | None = None
        self._target = 1
        self._reached = threading.Event()
        self._unix = time.time() - time.monotonic()  # fixed now: a clock that is set later moves no latency
        self._sock = wire.connect(port, f"collector-{os.getpid()}-{id(self)}")
        wire.subscribe(self._sock, topic_filter)
        self._sock.settimeout(0)
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)
        self._thread.start()

    def expect(self, target: int, reader: Reader | None = None) -> None:
        """Begin a new count towards `target`; only while nothing comes."""
        self._reached.clear()
        self.count, self._target, self._reader = 0, target, reader

    def wait(self, seconds: float) -> bool:
        """Whether the target was reached within this time."""
        return self._reached.wait(seconds)

    def wait_while_it_comes(self, quiet: float) -> bool:
        """Wait for the target as long as something comes at least every `quiet` seconds; whether it was reached."""
        before = -1
        while before != self.count:
            before = self.count
            if self._reached.wait(quiet):
                return True
        return False

    def close(self) -> None:
        """Disconnect."""
        self._sock.shutdown(2)
        self._thread.join(_PATIENCE)
        self._sock.close()

    def _run(self) -> None:
        buffer = b""
        while data := self._receive():
            now = time.monotonic()
            buffer += data
            packets, end = wire.split(buffer)
            self._take([buffer[start:stop] for first, start, stop in packets if first >> 4 == wire.PUBLISH], now)
            buffer = buffer[end:]

    def _receive(self) -> bytes:
        """What has come: at once if somebody reads it; if it is only counted, when it is worth waking up for."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 if self._reader else _WORTH)
        while not select.select([self._sock], [], [], _MOMENT)[0]:
            with contextlib.suppress(BlockingIOError):
                return self._sock.recv(1 << 20)
        return self._sock.recv(1 << 20)

    def _take(self, bodies: list[bytes], now: float) -> None:
        if self._reader is not None:
            for body in bodies:
                self._reader(body, self._unix + now)
        if bodies:
            self.last = now
        self.count += len(bodies)
        if self.count >= self._target:
            self._reached.set()
