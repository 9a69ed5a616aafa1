"""A dataflow as the demo runs it: `riotd run`, in a process of its own, with its log in a file."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from riotd.demo import leash

_SHOWN: Final = 12
"""Lines of a log that are shown when its daemon has died."""
_LEAVES: Final = 25.0
"""Seconds until a daemon that was told to stop is killed; its own grace is 20."""
_LEDGER = re.compile(r"received .* in flight \d+")


class Daemon:
    """One dataflow.

    Args:
        name: what it is called.
        folder: its working directory, in which its log is, too.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self._log = folder / f"{name}.log"
        self._process: asyncio.subprocess.Process | None = None
        self._told = False

    @asynccontextmanager
    async def started(self, arguments: Sequence[str]) -> AsyncIterator[None]:
        """Run it with these arguments of `riotd run`; it has ended when the context has."""
        log = await asyncio.to_thread(self._log.open, "wb")
        with log:
            self._process = await asyncio.create_subprocess_exec(
                *leash.command(sys.executable, "-m", "riotd", "run", *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=os.environ | {"XDG_STATE_HOME": str(self._folder / "state")},
                start_new_session=True,  # Ctrl-C is for the demo, which tells the daemon to drain
            )
        try:
            yield
        finally:
            await self.drained()

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None before its end."""
        return None if self._process is None else self._process.returncode

    def state(self, *, online: bool) -> str:
        """How it is, in a word or two; `online` is what it says itself."""
        if self.code is not None:
            return f"exit {self.code}"
        if self._told:
            return "drains"
        return "runs" if online else "starts"

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        return await self._running.wait()

    def hurry(self) -> None:
        """Tell it again, if it was told to drain and has not ended: it leaves at once."""
        if self._told and self.code is None:
            self._running.terminate()

    async def drained(self) -> int:
        """Have it drain, and wait for its end; killed if that takes too long."""
        if self.code is None:
            self._told = True
            self._running.terminate()
        try:
            async with asyncio.timeout(_LEAVES):
                return await self.ended()
        except TimeoutError:
            self._running.kill()
            return await self.ended()

    def last_lines(self) -> list[str]:
        """The end of its log; reads the file."""
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_SHOWN:]

    def ledger(self) -> str:
        """What it said at its end of what came and went; "" if it did not."""
        said = [match[0] for line in self.last_lines() if (match := _LEDGER.search(line))]
        return said[-1] if said else ""

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process
