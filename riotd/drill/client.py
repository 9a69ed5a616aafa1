"""A small MQTT 3.1.1 client of the drill's own: what the daemon says is heard by other code than the daemon's."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from riotd.benchmarks import wire

_CONNECT, _SUBSCRIBE, _DISCONNECT = 0x10, 0x82, b"\xe0\0"
_SUBACK, _CONNACK = 9, 2
_CLEAN, _DUP = 2, 8
_AGAIN = 0.1
"""Seconds between attempts to connect."""
_CHUNK = 1 << 18

Hear = Callable[[str, bytes], None]
Acknowledged = Callable[[int], None]


class Client:
    """One session at a broker, kept through its restarts; QoS 1 in both directions, no keep-alive.

    Args:
        host, port: of the broker.
        client_id: the session's.
        filters: what to subscribe to.
        hear: called for each message, before it is acknowledged.
        acknowledged: called with a publication's token at its PUBACK, once.
    """

    def __init__(  # noqa: PLR0913 - by keyword
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        filters: tuple[str, ...] = (),
        hear: Hear | None = None,
        acknowledged: Acknowledged | None = None,
    ) -> None:
        self._address, self._client_id, self._filters = (host, port), client_id, filters
        self._hear, self._acknowledged = hear, acknowledged
        self._waiting: dict[int, tuple[int, bytes]] = {}  # packet identifier to token and packet, in order
        self._identifier = 0
        self._writer: asyncio.StreamWriter | None = None
        self.ready = asyncio.Event()
        """Connected, and subscribed."""

    @property
    def unacknowledged(self) -> int:
        """Publications without a PUBACK."""
        return len(self._waiting)

    async def run(self) -> None:
        """Keep the connection, until cancelled."""
        try:
            while True:
                with suppress(OSError, asyncio.IncompleteReadError):
                    await self._connection()
                self.ready.clear()
                self._writer = None
                await asyncio.sleep(_AGAIN)
        finally:
            if self._writer is not None:
                self._writer.write(_DISCONNECT)
                self._writer.close()

    def publish(self, topic: str, payload: bytes, token: int) -> None:
        """Send it, now or once there is a connection; at most 65,535 may be unacknowledged."""
        self._identifier = self._identifier % 65_535 + 1
        packet = wire.publish_parts(topic, len(payload), 1) + struct.pack("!H", self._identifier) + payload
        self._waiting[self._identifier] = token, packet
        if self._writer is not None:
            self._writer.write(packet)

    async def drain(self) -> None:
        """Let the socket catch up."""
        if self._writer is not None:
            with suppress(OSError):
                await self._writer.drain()

    async def forget(self) -> None:
        """Have the broker forget the session; after `run`."""
        with suppress(OSError, asyncio.IncompleteReadError):
            async with self._connected(clean=True) as (_, writer):
                writer.write(_DISCONNECT)
                await writer.drain()

    @asynccontextmanager
    async def _connected(self, *, clean: bool) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection(*self._address)
        try:
            body = wire.text("MQTT") + struct.pack("!BBH", 4, _CLEAN * clean, 0) + wire.text(self._client_id)
            writer.write(wire.packet(_CONNECT, body))
            if (await reader.readexactly(4))[3]:
                raise ConnectionError("the broker refused the connection")
            yield reader, writer
        finally:
            writer.close()

    async def _connection(self) -> None:
        async with self._connected(clean=False) as (reader, writer):
            if self._filters:
                asked = b"".join(wire.text(each) + b"\1" for each in self._filters)
                writer.write(wire.packet(_SUBSCRIBE, struct.pack("!H", 65_535) + asked))
            for _, packet in self._waiting.values():
                writer.write(bytes([packet[0] | _DUP]) + packet[1:])
            self._writer = writer
            if not self._filters:
                self.ready.set()
            await self._read(reader, writer)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = b""
        while data := await reader.read(_CHUNK):
            buffer += data
            packets, end = wire.split(buffer)
            answers = bytearray()
            for first, start, stop in packets:
                self._take(first, buffer[start:stop], answers)
            buffer = buffer[end:]
            if answers:
                writer.write(bytes(answers))

    def _take(self, first: int, body: bytes, answers: bytearray) -> None:
        kind = first >> 4
        if kind == wire.PUBACK:
            waiting = self._waiting.pop(int.from_bytes(body[:2]), None)
            if waiting is not None and self._acknowledged is not None:
                self._acknowledged(waiting[0])
        elif kind == wire.PUBLISH:
            size = int.from_bytes(body[:2])
            topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
            if first & 6:
                answers += b"\x40\x02" + rest[:2]
                rest = rest[2:]
            if self._hear is not None:
                self._hear(topic, rest)
        elif kind == _SUBACK:
            self.ready.set()
