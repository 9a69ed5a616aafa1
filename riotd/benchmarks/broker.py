"""A mosquitto of our own to measure at, on a free port of the loopback."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

SETTINGS = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 0
set_tcp_nodelay true
log_type none
"""
"""Of a broker whose limits are lifted, so that it is not its settings that are measured."""
_START_WITHIN = 10.0


def mosquitto() -> str | None:
    """The program; Debian has it where only root's PATH looks."""
    return shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")


@asynccontextmanager
async def private_broker(
    program: str, folder: Path, *, environment: Mapping[str, str] | None = None
) -> AsyncIterator[str]:
    """Run it for as long as the context lasts; its URL.

    Args:
        program: its path.
        folder: for its settings.
        environment: its own; None for ours.

    Raises:
        TimeoutError: it does not listen within ten seconds.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings = folder / "mosquitto.conf"
    await asyncio.to_thread(settings.write_text, SETTINGS.format(port=port), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        program, "-c", str(settings), stdin=asyncio.subprocess.DEVNULL, env=environment
    )
    try:
        async with asyncio.timeout(_START_WITHIN):
            while not await _listens(port):  # noqa: ASYNC110 - another process, which tells nobody
                await asyncio.sleep(0.02)
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
