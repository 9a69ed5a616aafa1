import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from riotd.notify import Notifier


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


@pytest.fixture
def notifier(systemd: socket.socket) -> Iterator[Notifier]:
    notifier = Notifier(systemd.getsockname())
    yield notifier
    notifier.close()


def heard(listener: socket.socket) -> list[str]:
    return listener.recv(4096).decode().split("\n")


def queued(listener: socket.socket) -> set[str]:
    """What waits in the listener's queue, without waiting for more."""
    texts = set()
    listener.settimeout(0)
    try:
        while True:
            texts.add(listener.recv(4096).decode())
    except BlockingIOError:
        return texts
    finally:
        listener.settimeout(5)


def test_ready_with_status(systemd: socket.socket, notifier: Notifier) -> None:
    """`ready` is one datagram that carries the status too."""
    notifier.ready("2 shards")
    assert heard(systemd) == ["READY=1", "STATUS=2 shards"]


def test_a_whole_life(systemd: socket.socket, notifier: Notifier) -> None:
    """Each call is the variable that sd_notify(3) names, in the order of the calls."""
    notifier.ready()
    notifier.watchdog()
    notifier.status("running")
    notifier.stopping()
    assert [heard(systemd) for _ in range(4)] == [["READY=1"], ["WATCHDOG=1"], ["STATUS=running"], ["STOPPING=1"]]


def test_reloading_carries_the_time(systemd: socket.socket, notifier: Notifier) -> None:
    """`reloading` says when, in microseconds of the monotonic clock, as Type=notify-reload demands."""
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    reloading, stamp = heard(systemd)
    name, _, value = stamp.partition("=")
    assert (reloading, name) == ("RELOADING=1", "MONOTONIC_USEC")
    assert before <= int(value) <= time.monotonic_ns() // 1000


def test_status_cannot_smuggle_a_variable(systemd: socket.socket, notifier: Notifier) -> None:
    """A line break in a status does not begin another variable."""
    notifier.status("bad\nWATCHDOG=trigger")
    assert heard(systemd) == ["STATUS=bad WATCHDOG=trigger"]


def test_abstract_socket() -> None:
    """An address that begins with @ is a socket without a file."""
    name = f"riotd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        listener.settimeout(5)
        notifier = Notifier.from_environment({"NOTIFY_SOCKET": "@" + name})
        notifier.ready()
        notifier.close()
        assert heard(listener) == ["READY=1"]


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1234"])
def test_nobody_listens(address: str) -> None:
    """Without an address we can use, the notifier says that nobody listens and every call does nothing."""
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": address})
    notifier.ready()
    notifier.watchdog()
    assert not notifier.listening


def test_a_socket_that_is_gone(tmp_path: Path) -> None:
    """A listener that is not there is no error."""
    notifier = Notifier(str(tmp_path / "gone"))
    notifier.ready()
    notifier.watchdog()
    notifier.close()
    notifier.close()
    assert not notifier.listening


def test_full_queue_neither_blocks_nor_loses_the_phase(systemd: socket.socket, notifier: Notifier) -> None:
    """With the listener's queue full nothing waits, and the phase that was not heard comes before what follows."""
    for _ in range(4096):  # more than any queue holds
        notifier.watchdog()
    notifier.ready()
    assert queued(systemd) == {"WATCHDOG=1"}
    notifier.watchdog()
    assert [heard(systemd), heard(systemd)] == [["READY=1"], ["WATCHDOG=1"]]


@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_watchdog_interval(environment: dict[str, str], interval: float | None) -> None:
    """The watchdog is due twice in what systemd allows, and only in the process systemd waits for."""
    assert Notifier.from_environment(environment).watchdog_interval == interval
