"""A TCP proxy between daemon and broker that can be told to be a bad network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

_CHUNK = 1 << 16
_SLICES = 2_000
"""Bytes, of which each goes out on its own, before the rest follows: all of a feed so would never end."""
_LATENCY = 0.2

Mood = Literal["pass", "refuse", "hold", "slice", "delay"]


class Proxy:
    """Passes connections on to a broker.

    Args:
        port, host: the broker's.

    Attributes:
        port: where it listens.
        mood: `pass`; `refuse` new connections; `hold` all bytes, of old and new ones; `slice` them one by one;
            `delay` them.
    """

    def __init__(self, port: int, *, host: str = "127.0.0.1") -> None:
        self.port = 0
        self._broker = host, port
        self._links: set[asyncio.Task[None]] = set()
        self._free = asyncio.Event()
        self._free.set()
        self._mood: Mood = "pass"

    @property
    def mood(self) -> Mood:
        """How it behaves."""
        return self._mood

    @mood.setter
    def mood(self, mood: Mood) -> None:
        self._mood = mood
        if mood == "hold":
            self._free.clear()
        else:
            self._free.set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen on a free port of the loopback, for as long as the context lasts."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self.reset()
            await asyncio.gather(*self._links, return_exceptions=True)

    def reset(self) -> None:
        """Break all connections there are, in the midst of whatever they carry."""
        for link in self._links:
            link.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mood == "refuse":
            writer.transport.abort()
            return
        link = asyncio.create_task(self._link(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            theirs, ours = await asyncio.open_connection(*self._broker)
            ends.append(ours)
            both = [asyncio.create_task(self._pass(reader, ours)), asyncio.create_task(self._pass(theirs, writer))]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in both:
                    task.cancel()
                await asyncio.gather(*both, return_exceptions=True)
        except OSError:
            pass  # no broker: the daemon sees its connection end
        finally:
            for end in ends:
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._free.wait()
                if self._mood == "delay":
                    await asyncio.sleep(_LATENCY)
                if self._mood == "slice":
                    data = await self._sliced(data, writer)
                writer.write(data)
                await writer.drain()

    async def _sliced(self, data: bytes, writer: asyncio.StreamWriter) -> bytes:
        """Send the first bytes one by one; gives the rest."""
        for index in range(min(len(data), _SLICES)):
            if self._mood != "slice":
                return data[index:]
            writer.write(data[index : index + 1])
            await asyncio.sleep(0)
        return data[_SLICES:]
