"""The bad network of a drill."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from riotd.drill.proxy import Proxy

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give back what comes."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def laid_out() -> AsyncIterator[Proxy]:
    """A proxy before a server that gives back what comes."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname()[1])
    async with server, proxy.listening():
        yield proxy


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Ends]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def dead(reader: asyncio.StreamReader) -> bool:
    """Whether the connection is over."""
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    return True


class TestProxy:
    async def test_passes_bytes_on(self) -> None:
        """What goes in comes out, at once, byte by byte, or late."""
        async with laid_out() as proxy, connected(proxy) as (reader, writer):
            for mood in ("pass", "slice", "delay"):
                proxy.mood = mood  # type: ignore[assignment]  # each of them is one
                writer.write(bytes(range(256)) * 30)
                assert await reader.readexactly(256 * 30) == bytes(range(256)) * 30

    async def test_breaks_connections(self) -> None:
        """After a reset the connections there were are dead, and new ones work."""
        async with laid_out() as proxy:
            async with connected(proxy) as (reader, writer):
                writer.write(b"x")
                assert await reader.readexactly(1) == b"x"
                proxy.reset()
                assert await dead(reader)
            async with connected(proxy) as (reader, writer):
                writer.write(b"y")
                assert await reader.readexactly(1) == b"y"

    async def test_refuses_new_connections(self) -> None:
        """While it refuses, a new connection ends at once."""
        async with laid_out() as proxy:
            proxy.mood = "refuse"
            async with connected(proxy) as (reader, _):
                assert await dead(reader)

    async def test_holds_bytes_back(self) -> None:
        """Half open, nothing comes through; afterwards everything does, in order."""
        async with laid_out() as proxy, connected(proxy) as (reader, writer):
            proxy.mood = "hold"
            writer.write(b"a" * 1000)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.1)
            proxy.mood = "pass"
            assert await reader.readexactly(1000) == b"a" * 1000
