"""Which processes a daemon has: its workers, and what has outlived it; read from /proc."""

import os
import signal
from pathlib import Path
from typing import Final

MARK: Final = "RIOTD_DRILL"
"""A variable in the environment of everything a drill starts, which its children inherit."""
_PROC = Path("/proc")
_WORKER = b"ray::Worker"


def workers(pid: int) -> list[int]:
    """The processes of a daemon's Ray workers, in the order of their numbers; one of them is the spare."""
    family, parents = {pid}, {child: _parent(child) for child in _pids()}
    grown = True
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sorted(child for child in family if _command(child).startswith(_WORKER))


def marked(mark: str) -> list[int]:
    """The processes that were started with this mark and still run."""
    sign = f"{MARK}={mark}".encode()
    return [pid for pid in _pids() if pid != os.getpid() and sign in _read(pid, "environ").split(b"\0")]


def end(pids: list[int]) -> int:
    """Kill them, if they are still there; how many were."""
    ended = 0
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        ended += 1
    return ended


def _pids() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdecimal()] if _PROC.is_dir() else []  # noqa: PTH208 - a third of iterdir's time


def _parent(pid: int) -> int:
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields and fields[0] != b"Z" else 0


def _command(pid: int) -> bytes:
    return _read(pid, "cmdline")


def _read(pid: int, what: str) -> bytes:
    try:
        return (_PROC / str(pid) / what).read_bytes()
    except OSError:  # somebody else's, or gone
        return b""
