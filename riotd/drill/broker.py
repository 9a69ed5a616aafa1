"""A mosquitto of the drill's own, which keeps its sessions when it is restarted."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from riotd.demo import leash
from riotd.errors import TransportError

_SETTINGS = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 0
set_tcp_nodelay true
log_type none
"""
_START_WITHIN = 15.0


class Broker:
    """One mosquitto on a free port of the loopback.

    Args:
        program: its path.
        folder: for its settings and its database; to itself.
    """

    def __init__(self, program: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port: int = server.getsockname()[1]
        self._program, self._folder = program, folder
        self._process: asyncio.subprocess.Process | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run it for as long as the context lasts.

        Raises:
            TransportError: it does not start.
        """
        try:
            await self._start()
            yield
        finally:
            await self._end()

    async def restart(self) -> None:
        """End it in good order, with its sessions on disk, and start it again."""
        await self._end()
        await self._start()

    async def _start(self) -> None:
        settings = self._folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""  # else it gives up root, and can't read the folder any more
        text = _SETTINGS.format(port=self.port, folder=self._folder) + user
        await asyncio.to_thread(settings.write_text, text, encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            *leash.command(self._program, "-c", str(settings)),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,  # it warns of being root
            start_new_session=True,
        )
        async with asyncio.timeout(_START_WITHIN):
            while not await _listens(self.port):
                if self._process.returncode is not None:
                    raise TransportError(f"mosquitto ended with {self._process.returncode} before it listened")
                await asyncio.sleep(0.02)

    async def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
