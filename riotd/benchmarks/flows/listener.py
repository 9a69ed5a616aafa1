"""The listener: a process that notes when which result comes, and keeps what the daemon says of itself.

`python -m riotd.benchmarks.flows.listener '<JSON of Listener>'` says that it listens, and goes on until its standard
input ends and results cease; then it writes what it has heard.
"""

import math
import re
import select
import socket
import sys
import time
from array import array
from pathlib import Path

import msgspec

from riotd.benchmarks import wire

_NUMBER = re.compile(rb'"(?:bt|time)":([0-9.]+)|"version":"[^"]*-([0-9]{10,})"')
"""Seconds: of a SenML pack the first, which is the record's; in `json` a record's own stands before its values. Or
milliseconds: in the notice of a model the end of its name, where the time ends that it was learnt from."""
_KEPT = 5
"""Dead letters, to say what was wrong."""
_IDLE = 0.2
_QUIET, _LONGEST = 1.0, 10.0
"""Seconds after the end of standard input: without a result, and in all."""


class Listener(msgspec.Struct, frozen=True):
    """What to listen to, and the files for it.

    Attributes:
        host, port: of the broker.
        results: topic filters.
        stats, rejects: topics.
        heard: file for pairs of numbers: the message a result follows from, and monotonic seconds of its receipt; a
            message's number is -1 where the result names none.
        reports: file for the daemon's reports, one a line.
        letters: file for the first dead letters, one a line.
    """

    host: str
    port: int
    results: list[str]
    stats: str
    rejects: str
    heard: str
    reports: str
    letters: str


class _Ear:
    """Sorts what comes."""

    def __init__(self, listener: Listener) -> None:
        self._stats = wire.text(listener.stats)
        self._rejects = wire.text(listener.rejects)
        self.heard = array("d")
        self.reports: list[bytes] = []
        self.letters: list[bytes] = []

    def take(self, buffer: bytes, now: float) -> int:
        """Note the packets in a buffer that are whole; where they end."""
        packets, end = wire.split(buffer)
        for first, start, stop in packets:
            if first >> 4 == wire.PUBLISH:
                self._published(buffer, start, stop, now)
        return end

    def _published(self, buffer: bytes, start: int, stop: int, now: float) -> None:
        if buffer.startswith(self._stats, start):
            self.reports.append(buffer[start + len(self._stats) : stop])
        elif buffer.startswith(self._rejects, start):
            if len(self.letters) < _KEPT:
                self.letters.append(buffer[start + len(self._rejects) : stop])
        else:
            at = start + 2 + int.from_bytes(buffer[start : start + 2], "big")
            found = _NUMBER.search(buffer, at, stop)
            self.heard.extend((_number(found) if found else -1, now))


def _number(found: re.Match[bytes]) -> int:
    return int(found[2]) if found[1] is None else round(float(found[1]) * 1000)


def run(listener: Listener) -> None:
    """Listen until standard input ends."""
    sock = wire.connect(listener.port, f"riotd-bench-listener-{time.monotonic_ns()}", host=listener.host)
    wire.subscribe(sock, *listener.results, listener.stats, listener.rejects)
    print("listening", flush=True)  # noqa: T201 - to who has started this process
    ear = _Ear(listener)
    _listen(sock, ear)
    Path(listener.heard).write_bytes(ear.heard.tobytes())
    Path(listener.reports).write_bytes(b"\n".join(ear.reports))
    Path(listener.letters).write_bytes(b"\n".join(ear.letters))


def _listen(sock: socket.socket, ear: _Ear) -> None:
    """Until standard input has ended, and nothing more comes."""
    buffer, heard, latest, end = b"", 0, time.monotonic(), math.inf
    waiting = [sock, sys.stdin]
    while (now := time.monotonic()) < end + _LONGEST and now < max(end, latest) + _QUIET:
        ready, _, _ = select.select(waiting, [], [], _IDLE)
        if sys.stdin in ready:
            end = time.monotonic()
            waiting.remove(sys.stdin)
        if sock not in ready:
            continue
        data = sock.recv(1 << 20)
        now = time.monotonic()
        if not data:
            raise ConnectionError("the broker closed the connection")
        buffer += data
        buffer = buffer[ear.take(buffer, now) :]
        if len(ear.heard) > heard:
            heard, latest = len(ear.heard), now


if __name__ == "__main__":
    run(msgspec.json.decode(sys.argv[1], type=Listener))
