"""What programs use of the machine: CPU and memory of each one's processes, read from /proc, and of all others.

Every program of a run is started with a mark in its environment, which its children inherit. So Ray's daemons and
workers are found though some leave the tree.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from riotd.clock import Clock

MARK: Final = "RIOTD_BENCH_MARK"
_PROC = Path("/proc")


class Sample(msgspec.Struct, frozen=True):
    """At one instant.

    Attributes:
        at: monotonic seconds.
        cpu: CPU seconds so far, by program.
        memory: bytes, by program: pages that several processes share count for each with its part (PSS).
        processes: of each program.
        machine: CPU seconds that the whole machine has been busy.
    """

    at: float
    cpu: Mapping[str, float]
    memory: Mapping[str, int]
    processes: Mapping[str, int]
    machine: float


class Usage:
    """Looks at programs that bear marks.

    Args:
        marks: program to the mark that its processes have in `MARK`.
        clock: for the instants.
    """

    def __init__(self, marks: Mapping[str, str], clock: Clock) -> None:
        self._marks = {f"{MARK}={mark}".encode(): program for program, mark in marks.items()}
        self._clock = clock
        self._known: dict[tuple[int, str], str | None] = {}
        self._cpu: dict[tuple[int, str], float] = {}
        self._ticks = os.sysconf("SC_CLK_TCK") if _PROC.is_dir() else 100

    def sample(self) -> Sample | None:
        """Now; None where there is no /proc. What a process used that has ended since still counts."""
        if not _PROC.is_dir():
            return None
        living: dict[str, list[int]] = {program: [] for program in self._marks.values()}
        for pid in _pids():
            self._look(pid, living)
        cpu = dict.fromkeys(living, 0.0)
        for who, seconds in self._cpu.items():
            cpu[self._known[who] or ""] += seconds
        return Sample(
            self._clock.monotonic(),
            cpu,
            {program: sum(map(_memory, pids)) for program, pids in living.items()},
            {program: len(pids) for program, pids in living.items()},
            _busy(self._ticks),
        )

    def _look(self, pid: int, living: dict[str, list[int]]) -> None:
        fields = _stat(pid)
        if not fields:
            return
        who = pid, fields[19]  # with its start, for a number is given again
        if who not in self._known:
            self._known[who] = self._program(pid)
        program = self._known[who]
        if program is not None:
            living[program].append(pid)
            self._cpu[who] = (int(fields[11]) + int(fields[12])) / self._ticks

    def _program(self, pid: int) -> str | None:
        return next((self._marks[entry] for entry in _environment(pid) if entry in self._marks), None)


def members(mark: str) -> list[int]:
    """Processes that bear a mark and have not ended; none where there is no /proc."""
    entry = f"{MARK}={mark}".encode()
    return [pid for pid in _pids() if entry in _environment(pid) and _stat(pid)] if _PROC.is_dir() else []


def _environment(pid: int) -> list[bytes]:
    try:
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # somebody else's, or gone
        return []


def _pids() -> Sequence[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdecimal()]  # noqa: PTH208 - a third of iterdir's time


def _stat(pid: int) -> list[str]:
    """The fields of proc(5)'s stat after the command's name; nothing if the process has gone or only waits to be."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[0] == "Z" else fields


def _memory(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _busy(ticks: int) -> float:
    """Seconds that processors were neither idle nor waiting nor taken by others of the host."""
    first = (_PROC / "stat").read_text(encoding="ascii").partition("\n")[0].split()[1:]
    user, nice, system, _idle, _wait, irq, soft, *_ = map(int, first)
    return (user + nice + system + irq + soft) / ticks
