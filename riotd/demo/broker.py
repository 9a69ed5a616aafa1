"""The demo's own broker, in a process of its own on a free loopback port: amqtt, or mosquitto where it is installed."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from riotd.benchmarks.broker import SETTINGS
from riotd.demo import leash
from riotd.errors import ConfigError, Mistake, TransportError

_START_WITHIN = 15.0


@asynccontextmanager
async def embedded_broker() -> AsyncIterator[str]:
    """Run a broker for as long as the context lasts; its URL. It speaks MQTT 3.1.1, about 3,000 messages/s.

    Raises:
        ConfigError: amqtt is not installed.
        TransportError: it did not start.
    """
    try:
        import amqtt.broker  # noqa: F401, PLC0415 - only to say early that it is missing
    except ImportError as error:
        raise ConfigError([
            Mistake("demo", "the embedded broker is not installed", "pip install 'riotd[demo]', or give --url")
        ]) from error
    port = _free_port()
    async with _running([sys.executable, "-m", __name__, str(port)], port) as url:
        yield url


@asynccontextmanager
async def mosquitto_broker(program: str, folder: Path) -> AsyncIterator[str]:
    """Run mosquitto for as long as the context lasts; its URL. It speaks MQTT 5, and is no limit to the demo.

    Args:
        program: its path.
        folder: for its settings.

    Raises:
        TransportError: it did not start.
    """
    port, settings = _free_port(), folder / "mosquitto.conf"
    await asyncio.to_thread(settings.write_text, SETTINGS.format(port=port), encoding="utf-8")
    async with _running(leash.command(program, "-c", str(settings)), port) as url:
        yield url


@asynccontextmanager
async def _running(command: list[str], port: int) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
    )  # a session of its own: Ctrl-C is for us, and the broker outlives the drain
    try:
        await _until_listening(port, process)
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


async def _until_listening(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_START_WITHIN):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
    raise TransportError(f"the broker ended with {process.returncode} before it listened on port {port}")


async def _serve(port: int) -> None:
    """Be the broker until SIGTERM, or until the demo is gone."""
    from amqtt.broker import Broker  # noqa: PLC0415 - only this process needs it

    logging.disable(logging.CRITICAL)  # its log lines mean nothing to who watches the demo
    broker = Broker({
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    })
    await broker.start()
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    parent = os.getppid()
    while not over.is_set() and os.getppid() == parent:
        try:
            async with asyncio.timeout(1.0):
                await over.wait()
        except TimeoutError:
            continue
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
