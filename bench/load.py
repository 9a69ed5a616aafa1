"""The load generator: a process of its own that sends encoded packs into the broker, as an open loop.

With a rate, message i is due at start + i / rate, and its `bt` is that instant: a latency read from a result has no
coordinated omission, whatever delays the sender. `python -m bench.load '<JSON of Load>'` prints when it sent.
"""

import itertools
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from riotd.benchmarks import wire

_CHUNK = 100  # packets a system call at full speed
_WINDOW = 2000  # QoS 1: unacknowledged at most
_ACK = 4  # bytes of a PUBACK
_PACK = (
    b'[{"bn":"urn:dev:mac:0024befffe%09d:","bt":%017.6f,"n":"temperature","u":"Cel","v":%04.1f},'
    b'{"n":"humidity","u":"%%RH","v":61.4375},{"n":"light","u":"lx","v":1042.25},'
    b'{"n":"dust","u":"ug/m3","v":388.1719},{"n":"airquality_raw","u":"1","v":27.5625}]'
)  # 258 bytes
_NUMBERED = b'[{"bn":"dev%d:","bt":%017.6f,"n":"seq","v":%d}]'


class Load(msgspec.Struct, frozen=True):
    """What to send.

    Attributes:
        port: of the broker.
        messages: how many.
        devices: dealt out in turn; device i publishes to sensors/dev{i}/senml.
        rate: messages a second; 0 is as fast as the broker takes them.
        qos: 0 or 1.
        first: number of the first message.
        numbered: small packs with the message's number, instead of the 258 byte ones of a city's sensor.
    """

    port: int
    messages: int
    devices: int = 100
    rate: float = 0.0
    qos: int = 0
    first: int = 0
    numbered: bool = False


class Sent(msgspec.Struct, frozen=True):
    """When it was sent: monotonic seconds, those of the whole machine."""

    began: float
    ended: float


def start(load: Load) -> subprocess.Popen[bytes]:
    """Start sending in a process of its own."""
    command = [sys.executable, "-m", "bench.load", msgspec.json.encode(load).decode()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])


def finish(process: subprocess.Popen[bytes], patience: float) -> Sent:
    """Wait until all is sent.

    Raises:
        RuntimeError: the generator failed.
        subprocess.TimeoutExpired: the broker takes no more.
    """
    try:
        output, _ = process.communicate(timeout=patience)
    finally:
        process.kill()
    if process.returncode:
        raise RuntimeError("the load generator failed")
    return msgspec.json.decode(output, type=Sent)


def pack(load: Load, number: int, due: float) -> bytes:
    """The payload of a message; `due` is in Unix seconds."""
    device = number % load.devices
    if load.numbered:
        return _NUMBERED % (device, due, number)
    return _PACK % (device, due, 15 + number % 97 / 10)


def run(load: Load) -> Sent:
    """Send it all; returns when the broker has it (QoS 1: has acknowledged it)."""
    sock = wire.connect(load.port, f"load-{os.getpid()}")
    began = time.monotonic()
    unix = time.time() - began  # fixed now: a clock that is set while we send moves no due time
    encode = _Encoder(load, unix)
    acks = _Acks(sock)
    numbers = iter(range(load.first, load.first + load.messages))
    while chunk := list(itertools.islice(numbers, _due(load, began, acks.sent))):
        sock.sendall(b"".join([encode(number, began) for number in chunk]))
        acks.sent += len(chunk)
        if load.qos:
            acks.wait(at_most=_WINDOW)
    if load.qos:
        acks.wait(at_most=0)
    ended = time.monotonic()
    sock.close()
    return Sent(began, ended)


def _due(load: Load, began: float, sent: int) -> int:
    """How many may go now: at least one, after waiting for its instant if need be."""
    if not load.rate:
        return _CHUNK
    wait = began + sent / load.rate - time.monotonic()
    if wait > 0:
        time.sleep(wait)
    return max(1, int((time.monotonic() - began) * load.rate) + 1 - sent)


class _Encoder:
    """Packets of messages; at full speed and QoS 0 each device's packet is made only once."""

    def __init__(self, load: Load, unix: float) -> None:
        self._load = load
        self._unix = unix
        self._ready: dict[int, bytes] = {}

    def __call__(self, number: int, began: float) -> bytes:
        load = self._load
        if load.rate or load.qos or load.numbered:
            due = began + (number - load.first) / load.rate if load.rate else time.monotonic()
            return self._packet(number, due)
        device = number % load.devices
        if device not in self._ready:
            self._ready[device] = self._packet(number, began)
        return self._ready[device]

    def _packet(self, number: int, due: float) -> bytes:
        load = self._load
        payload = pack(load, number, self._unix + due)
        head = wire.publish_parts(f"sensors/dev{number % load.devices}/senml", len(payload), load.qos)
        return head + (number % 65535 + 1).to_bytes(2, "big") * load.qos + payload


class _Acks:
    """How many PUBACKs are still to come."""

    def __init__(self, sock: socket.socket) -> None:
        self.sent = 0
        self._sock = sock
        self._bytes = 0

    def wait(self, *, at_most: int) -> None:
        """Read what is there, and go on until no more than this many are missing."""
        while self._missing() > at_most or select.select([self._sock], [], [], 0)[0]:
            data = self._sock.recv(65536)
            if not data:
                raise ConnectionError("the broker closed the connection")
            self._bytes += len(data)

    def _missing(self) -> int:
        return self.sent - self._bytes // _ACK


if __name__ == "__main__":
    print(msgspec.json.encode(run(msgspec.json.decode(sys.argv[1], type=Load))).decode())
