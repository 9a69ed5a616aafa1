"""A service's side of systemd's notification protocol, sd_notify(3); silent where nobody listens.

The trap: the datagram socket's queue may be full while systemd is busy, and we must not wait for it. What says in
which phase of life we are would then be lost for good, so it is kept and sent first the next time.
"""

import os
import socket
import time
from collections import deque
from collections.abc import Mapping
from typing import Self

_OWED = 4  # more phases than this in a row, all unsent, and the oldest no longer matters


class Notifier:
    """Tells systemd how we are. Never raises, never blocks; without a socket every call does nothing.

    Args:
        address: path of the datagram socket, `@name` for an abstract one; None or "" for none.
        watchdog_interval: how often `watchdog` is to be called, seconds; None when nobody waits for it.
    """

    def __init__(self, address: str | None = None, *, watchdog_interval: float | None = None) -> None:
        self.watchdog_interval = watchdog_interval
        self._address = _encoded(address or "")
        self._socket = _opened() if self._address else None
        self._owed: deque[str] = deque(maxlen=_OWED)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """What systemd set for us: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        return cls(environment.get("NOTIFY_SOCKET"), watchdog_interval=_interval(environment))

    @property
    def listening(self) -> bool:
        """Whether there is anybody to tell."""
        return self._socket is not None

    def ready(self, status: str = "") -> None:
        """Started, or a reload is over."""
        self._phase("READY=1", status)

    def reloading(self, status: str = "") -> None:
        """A reload begins; `ready` ends it. Carries the time that Type=notify-reload asks for."""
        self._phase(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}", status)

    def stopping(self, status: str = "") -> None:
        """The drain begins."""
        self._phase("STOPPING=1", status)

    def status(self, text: str) -> None:
        """One line for `systemctl status`; line breaks become spaces."""
        self._settle()
        self._send(_status(text))

    def watchdog(self) -> None:
        """Still alive. To be called on progress or honest idleness, never from a bare timer."""
        self._settle()
        self._send("WATCHDOG=1")

    def close(self) -> None:
        """Release the socket; later calls do nothing."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _phase(self, phase: str, status: str) -> None:
        self._owed.append(f"{phase}\n{_status(status)}" if status else phase)
        self._settle()

    def _settle(self) -> None:
        while self._owed and self._send(self._owed[0]):
            self._owed.popleft()

    def _send(self, text: str) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.sendto(text.encode("utf-8", "replace"), self._address)
        except OSError:  # nobody there, or the queue is full: never our problem
            return False
        return True


def _encoded(address: str) -> bytes:
    """The address as the kernel wants it; empty for what is none (vsock and relative ones are not ours)."""
    if address.startswith("@"):
        return b"\0" + os.fsencode(address[1:])
    return os.fsencode(address) if address.startswith("/") else b""


def _opened() -> socket.socket | None:
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    except OSError:
        return None
    sock.settimeout(0)
    return sock


def _interval(environment: Mapping[str, str]) -> float | None:
    """Half of what systemd allows, as sd_watchdog_enabled(3) advises; None if it waits for another process."""
    allowed, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not allowed.isdecimal() or int(allowed) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(allowed) / 2e6


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())
