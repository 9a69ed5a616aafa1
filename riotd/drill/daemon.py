"""The daemon of a drill: `riotd run` in a process of its own, started again whenever it ends, as systemd would."""

import asyncio
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from riotd.demo import leash
from riotd.drill import processes
from riotd.errors import RiotdError

_READY_WITHIN = 120.0
"""Seconds: Ray on a busy machine."""
_LEAVES_WITHIN = 40.0
_WRONG_CONFIG = 78
_MOST_DEATHS = 5
"""After so many of its own accord the drill is over."""
_LAST = 15
"""Lines of its log in an error."""
_LEDGER = re.compile(r"received (\d+) = settled (\d+) \+ in flight (\d+)")


class DaemonDiedError(RiotdError):
    """It ends again and again, or does not start; with the end of its log."""


class Daemon:
    """One daemon through its lives.

    Args:
        arguments: of `riotd run`.
        folder: for its log.
        mark: what its processes are known by.
        skew: a file that says how wrong its wall clock is; see `riotd.drill.skewed`.

    Attributes:
        lives: how often it was started.
        deaths: how it ended when nobody had told it to.
    """

    def __init__(self, arguments: Sequence[str], folder: Path, *, mark: str, skew: Path | None = None) -> None:
        module = ["-m", "riotd"] if skew is None else ["-m", "riotd.drill.skewed", str(skew)]
        self._command = leash.command(sys.executable, *module, "run", *arguments)
        self._folder, self._mark = folder, mark
        self._process: asyncio.subprocess.Process | None = None
        self._ready, self._expected, self._over = asyncio.Event(), False, False
        self._failed = self._killed = False
        self.lives = 0
        self.deaths: list[str] = []

    @property
    def pid(self) -> int:
        """Of its present life."""
        if self._process is None:
            raise RuntimeError("the daemon was not started")
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether this life has said READY=1."""
        return self._ready.is_set()

    @property
    def log(self) -> Path:
        """The file with what it has logged in all of its lives."""
        return self._folder / "daemon.log"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep it running for as long as the context lasts.

        Raises:
            DaemonDiedError: it does not stay alive.
        """
        loop = asyncio.get_running_loop()
        address = f"\0riotd-drill-{secrets.token_hex(8)}"
        heard, said = os.pipe()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, self.log.open("ab", buffering=0) as log:
            ear.bind(address)
            ear.setblocking(False)  # noqa: FBT003 - the socket's own signature
            loop.add_reader(ear, self._hear, ear)
            loop.add_reader(heard, lambda: log.write(os.read(heard, 1 << 16)))
            lives = asyncio.create_task(self._live("@" + address[1:], said), name="lives")
            try:
                await self.ready()
                yield
            finally:
                self._over = True
                await self._leave(lives)
                loop.remove_reader(ear)
                loop.remove_reader(heard)
                os.close(heard)
                os.close(said)

    async def ready(self) -> None:
        """Wait until the present life, or the next if it is dead, has said READY=1.

        Raises:
            DaemonDiedError: it does not.
        """
        try:
            async with asyncio.timeout(_READY_WITHIN):
                await self._ready.wait()
        except TimeoutError:
            raise self._died("riotd did not start") from None
        if self._failed:
            raise self._died("riotd ends again and again")

    def kill(self) -> bool:
        """SIGKILL; whether there was somebody to kill."""
        lives = self._process is not None and self._process.returncode is None and not self._killed
        self._signal(signal.SIGKILL)
        self._killed = True
        return lives

    async def drain(self) -> int | None:
        """SIGTERM, and wait for its end; the exit code, None if it had to be killed."""
        process = self._process
        self._signal(signal.SIGTERM)
        if process is None:
            return None
        try:
            async with asyncio.timeout(_LEAVES_WITHIN):
                return await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            return None

    async def stop(self) -> int | None:
        """As `drain`, for good."""
        self._over = True
        return await self.drain()

    def ledger(self) -> tuple[int, int, int] | None:
        """What it said last of messages received, settled, in flight; reads the log."""
        found = _LEDGER.findall(self.log.read_text(encoding="utf-8", errors="replace"))
        return (int(found[-1][0]), int(found[-1][1]), int(found[-1][2])) if found else None

    def _signal(self, number: signal.Signals) -> None:
        self._expected = True
        self._ready.clear()
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _hear(self, ear: socket.socket) -> None:
        if b"READY=1" in ear.recv(4096):
            self._ready.set()

    async def _live(self, address: str, said: int) -> None:
        """Start it, again and again."""
        environment = os.environ | {"NOTIFY_SOCKET": address, processes.MARK: self._mark}
        while not self._over:
            self._expected = self._killed = False
            self._ready.clear()
            self.lives += 1
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said,
                env=environment, start_new_session=True,
            )  # fmt: skip
            code = await self._process.wait()
            if self._expected or self._over:
                continue
            self.deaths.append(f"exit {code}" if code >= 0 else f"signal {-code}")
            if code == _WRONG_CONFIG or len(self.deaths) >= _MOST_DEATHS:
                self._failed = True
                self._ready.set()
                return
            await asyncio.sleep(0.1)

    async def _leave(self, lives: "asyncio.Task[None]") -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
            await self.drain()
        await lives

    def _died(self, what: str) -> DaemonDiedError:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST:]
        return DaemonDiedError("\n".join([f"{what}; its log ends:", *lines]))
