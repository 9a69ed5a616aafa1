"""The load: a process that sends prepared packets when they are due, whatever becomes of them (an open loop).

All that is due is sent with one system call straight out of the mapped file: at 10,000 messages a second it takes a few
hundredths of a core. `python -m riotd.benchmarks.flows.load '<JSON of Load>'` prints when it began and ended.
"""

import mmap
import select
import socket
import sys
import time
from array import array
from bisect import bisect_right
from pathlib import Path

import msgspec

from riotd.benchmarks import wire
from riotd.benchmarks.flows.prepared import Prepared, doubles, wholes

_PAUSE = 0.0005
"""Seconds: packets due within it are sent together. A shorter sleep costs more CPU than it brings exactness."""
_MOST = 1 << 18
"""Bytes at a time, so that what is late is not noted as sent before it was."""
_HEAD_START = 0.1


class Load(msgspec.Struct, frozen=True):
    """What to send where, and the file for what was sent when.

    Attributes:
        host, port: of the broker.
        prepared: what.
        sent: file for pairs of numbers: messages sent so far, and monotonic seconds since it began.
    """

    host: str
    port: int
    prepared: Prepared
    sent: str


class Began(msgspec.Struct, frozen=True):
    """Monotonic seconds, the machine's own, at which the due times begin to count."""

    at: float


def run(load: Load) -> None:
    """Send it all, and note when."""
    prepared = load.prepared
    dues, ends = doubles(prepared.dues), wholes(prepared.ends)
    sock = wire.connect(load.port, f"riotd-bench-load-{time.monotonic_ns()}", host=load.host)
    with Path(prepared.packets).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as packets:
        began = time.monotonic() + _HEAD_START
        print(msgspec.json.encode(Began(began)).decode(), flush=True)  # noqa: T201 - to who has started this process
        with memoryview(packets) as view:
            sent = _sent(sock, view, dues, ends, began)
    Path(load.sent).write_bytes(sent.tobytes())
    _leave(sock)


def _sent(
    sock: socket.socket, packets: memoryview, dues: "array[float]", ends: "array[int]", began: float
) -> "array[float]":
    noted = array("d")
    done, at, total = 0, 0, len(dues)
    while done < total:
        now = time.monotonic() - began
        if dues[done] > now:
            time.sleep(max(dues[done] - now, _PAUSE))
            continue
        until = bisect_right(dues, now, done)
        end = ends[until - 1]
        if end - at > _MOST:
            until = max(done + 1, bisect_right(ends, at + _MOST, done))
            end = ends[until - 1]
        noted.extend((until, time.monotonic() - began))
        sock.sendall(packets[at:end])
        _hear(sock)
        done, at = until, end
    return noted


def _hear(sock: socket.socket) -> None:
    """Take what the broker says (PUBACKs), so that it does not wait for us."""
    while select.select([sock], [], [], 0)[0]:
        _received(sock)


def _leave(sock: socket.socket) -> None:
    """Close once the broker has all: what it has not read when it learns that we are gone it throws away."""
    sock.sendall(wire.PING)
    while not _received(sock).endswith(wire.PONG):
        pass
    sock.close()


def _received(sock: socket.socket) -> bytes:
    data = sock.recv(1 << 16)
    if not data:
        raise ConnectionError("the broker closed the connection")
    return data


if __name__ == "__main__":
    run(msgspec.json.decode(sys.argv[1], type=Load))
