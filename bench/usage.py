"""What the system under test uses: CPU and memory of all its processes, wherever they have gone.

Every process of a run is started with a marker in its environment, which its children inherit. So Ray's daemons and
workers are found though some leave the tree; a child that overwrites its environment is found by its parent.
"""

import os
import subprocess
import time
import uuid
from collections.abc import Sequence
from typing import Self

import msgspec
import psutil

_MARKER = "BENCH_RUN"


class Usage(msgspec.Struct, frozen=True):
    """At one instant: monotonic seconds, CPU seconds so far, unique bytes (USS), processes."""

    at: float
    cpu: float
    unique: int
    processes: int


class Family:
    """The processes of one run; entering starts them as a pipeline, leaving ends all that is left of them.

    Args:
        commands: each one's output is the next one's input.
        log: file that takes their standard error and the last one's output.
        patience: seconds the first is given to end by itself after SIGTERM.
    """

    def __init__(self, commands: Sequence[Sequence[str]], *, log: str, patience: float = 30.0) -> None:
        self._commands = commands
        self._log = log
        self._patience = patience
        self._marker = uuid.uuid4().hex
        self.started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start them."""
        environment = os.environ | {_MARKER: self._marker}
        with open(self._log, "ab") as log:  # noqa: PTH123 - a name that Popen's messages show too
            for index, command in enumerate(self._commands):
                last = index == len(self._commands) - 1
                source = self.started[-1].stdout if self.started else subprocess.DEVNULL
                self.started.append(
                    subprocess.Popen(
                        command, stdin=source, stdout=log if last else subprocess.PIPE, stderr=log, env=environment
                    )
                )
        return self

    def __exit__(self, *_: object) -> None:
        """End them: politely, then what is left of them by its id."""
        for process in self.started:
            process.terminate()
            if process.stdout:
                process.stdout.close()
        deadline = time.monotonic() + self._patience
        for process in self.started:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        lost = self.members()
        for left in lost:
            left.kill()
        psutil.wait_procs(lost, self._patience)  # those that left the tree have nobody else to wait for them
        for process in self.started:
            process.wait()

    @property
    def alive(self) -> bool:
        """Whether all that was started still runs."""
        return all(process.poll() is None for process in self.started)

    def members(self) -> list[psutil.Process]:
        """The processes with the marker, and their descendants; none that has ended and only waits to be reaped."""
        found = {process.pid: process for process in psutil.process_iter() if self._marked(process)}
        for process in list(found.values()):
            try:
                found |= {child.pid: child for child in process.children(recursive=True)}
            except psutil.Error:  # gone in the meantime
                continue
        return [process for process in found.values() if _lives(process)]

    def usage(self) -> Usage:
        """Now. A process that has ended since is no longer counted."""
        cpu, unique, members = 0.0, 0, self.members()
        for process in members:
            try:
                times = process.cpu_times()
                cpu, unique = cpu + times.user + times.system, unique + process.memory_full_info().uss
            except psutil.Error:
                continue
        return Usage(time.monotonic(), cpu, unique, len(members))

    def _marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(_MARKER) == self._marker
        except (psutil.Error, OSError):
            return False


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
