"""`riotd run` as a process that is measured: started, heard to be ready, told to stop."""

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from riotd.benchmarks.flows.usage import MARK, members
from riotd.errors import RiotdError

_START = 120.0
"""Seconds: Ray on a busy machine."""
_STOP = 30.0
_LAST = 12  # lines of its log


class NotRunningError(RiotdError):
    """The daemon did not start, or ended by itself; with the end of its log."""


@asynccontextmanager
async def running(arguments: Sequence[str], folder: Path, mark: str) -> AsyncIterator["asyncio.subprocess.Process"]:
    """Run `riotd run` with these arguments in a folder, from when it is ready until the context is left.

    Raises:
        NotRunningError: it ends before, or is not ready within two minutes.
    """
    address = f"\0riotd-bench-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, (folder / "daemon.log").open("wb") as log:
        ear.bind(address)
        ear.setblocking(False)  # noqa: FBT003 - the socket's own signature
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "riotd", "run", *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            cwd=folder, env=os.environ
            | {MARK: mark, "NOTIFY_SOCKET": "@" + address[1:], "XDG_STATE_HOME": str(folder / "state")},
        )  # fmt: skip
        try:
            await _ready(process, ear, folder)
            yield process
        finally:
            await _stopped(process)
            for left in members(mark):  # Ray's, should the daemon have had no time to end them
                with suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)


def check(process: asyncio.subprocess.Process, folder: Path) -> None:
    """See that it still runs.

    Raises:
        NotRunningError: it has ended.
    """
    if process.returncode is not None:
        raise NotRunningError(
            f"riotd ended with {process.returncode} in the midst of it; its log ends:\n{_log(folder)}"
        )


def _log(folder: Path) -> str:
    """The last lines of the log of the daemon that ran in the folder."""
    lines = (folder / "daemon.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LAST:])


async def _ready(process: asyncio.subprocess.Process, ear: socket.socket, folder: Path) -> None:
    ended = asyncio.create_task(process.wait())
    heard = asyncio.create_task(_heard(ear))
    try:
        await asyncio.wait({ended, heard}, timeout=_START, return_when=asyncio.FIRST_COMPLETED)
        if not heard.done():
            raise NotRunningError(f"riotd did not start; its log ends:\n{await asyncio.to_thread(_log, folder)}")
    finally:
        ended.cancel()
        heard.cancel()


async def _heard(ear: socket.socket) -> None:
    """What systemd would wait for."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(ear, ready.set)
    try:
        while True:
            await ready.wait()
            ready.clear()
            if b"READY=1" in ear.recv(4096):
                return
    finally:
        loop.remove_reader(ear)


async def _stopped(process: asyncio.subprocess.Process) -> None:
    """Politely; what is left after half a minute is killed."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_STOP):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
