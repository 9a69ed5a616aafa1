"""One connection's bytes: publications are a session's, all other packets the client library's.

mqttium reads and writes packet by packet, which at 15 µs a message was half of what a message cost; so it keeps the
connection's life (CONNECT, keep-alive, subscriptions, DISCONNECT, reconnects), and what comes by the thousand passes
it by, as many packets at once as a read gave. To mqttium this is a transport.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol, cast

from mqttium import MalformedPacketError, PacketTooLargeError

from riotd.mqtt.packets import CONNACK, DISCONNECT, PINGRESP, Span, cut

_PING, _PONG = b"\xc0\x00", b"\xd0\x00"
_GRACE = 1.0
"""Seconds that closing waits for what is written to leave."""
_FAREWELL = 5.0
"""The same after a DISCONNECT of ours, with which the results before it should leave, too."""


class Session(Protocol):
    """Who sends and receives publications."""

    def hear(self, data: bytes, spans: Sequence[Span]) -> list[bytes]:
        """Take in the packets at `spans`; give back those for the client. Raises ValueError for a malformed one."""

    def writable(self) -> None:
        """Write what waits: there is a connection, and room."""

    def closed(self) -> None:
        """Write no more: the connection ends, or is lost."""


class Wire(asyncio.Protocol):
    """A connection, shared by a client and a session. Until `open` is called all is the client's.

    What comes after CONNACK waits for that, since only the client knows whether the session goes on. While the
    session holds the reading up, pings are answered here, because the broker's own answers wait in the socket.

    Args:
        session: who gets the publications.
        largest: the most bytes a packet from the broker may have.
    """

    def __init__(self, session: Session, *, largest: int) -> None:
        self._session, self._largest = session, largest
        self._rest = bytearray()
        self._wanted = 0
        self._client_has = bytearray()
        self._news, self._lost = asyncio.Event(), asyncio.Event()
        self._error: Exception | None = None
        self._greeted = self._open = self._ended = self._held = False
        self._pings = self._ahead = 0
        self._grace = _GRACE
        self._free = True

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell both parties."""
        self._error = self._error or exc
        self._end()
        self._lost.set()
        self._news.set()

    def data_received(self, data: bytes) -> None:
        """Give each party its packets; keep what is not whole."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted or self._waits:
                return
            data = bytes(self._rest)
            self._rest.clear()
        self._share(data)

    def pause_writing(self) -> None:
        """The broker reads more slowly than we write."""
        self._free = False

    def resume_writing(self) -> None:
        """It has caught up."""
        self._free = True
        if self.writable:
            self._session.writable()

    # What the session calls.

    @property
    def ended(self) -> bool:
        """Whether nothing more can be written."""
        return self._ended

    @property
    def held(self) -> int:
        """Bytes of a packet that is not whole yet."""
        return len(self._rest)

    @property
    def writable(self) -> bool:
        """Whether the session should write."""
        return self._open and self._free and not self._ended and not self._transport.is_closing()

    def open(self) -> None:
        """From now on publications are the session's, beginning with those that came right behind the CONNACK."""
        self._open = True
        self._transport.resume_reading()
        data = bytes(self._rest)
        self._rest.clear()
        self._share(data)
        if self.writable:
            self._session.writable()

    def send(self, packets: bytes) -> None:
        """Write whole packets; what the socket does not take waits here, however much it is."""
        if packets and not self._ended and not self._transport.is_closing():
            self._transport.write(packets)

    def hold(self) -> None:
        """Read no more until `release`."""
        if not self._held and not self._ended:
            self._held = True
            self._transport.pause_reading()
            self._answer_pings()

    def release(self) -> None:
        """Read again."""
        if self._held and not self._ended:
            self._held = False
            self._transport.resume_reading()

    # What the client calls.

    async def read(self, n: int = 65536) -> bytes:
        """Packets for the client; empty at the end. Raises what ended the connection, if that was an error."""
        while not self._client_has:
            if self._error is not None:
                raise self._error
            if self._lost.is_set():
                return b""
            self._news.clear()
            await self._news.wait()
        data = bytes(self._client_has[:n])
        del self._client_has[:n]
        return data

    async def write(self, data: bytes) -> None:
        """A packet of the client's."""
        if self.is_closing():
            raise ConnectionResetError("the connection is closed")
        if data == _PING:
            self._pings += 1
            if self._held:
                self._answer_pings()
        elif data[0] == DISCONNECT:
            self._grace = _FAREWELL
            self._end()
        self._transport.write(data)

    async def write_many(self, parts: list[bytes]) -> None:
        """Packets of the client's."""
        for part in parts:
            await self.write(part)

    def is_closing(self) -> bool:
        """Whether it is too late to write."""
        return self._transport.is_closing()

    async def close(self) -> None:
        """Let what is written leave, for a moment, and close. Cancelled: closed at once."""
        self._end()
        self._transport.close()
        try:
            async with asyncio.timeout(self._grace):
                await self._lost.wait()
        except TimeoutError:
            self._transport.abort()
            await self._lost.wait()
        except asyncio.CancelledError:
            self._transport.abort()
            raise

    @property
    def _waits(self) -> bool:
        """Whether what comes must wait for `open`."""
        return self._greeted and not self._open

    def _share(self, data: bytes) -> None:
        if self._ended or self._error is not None:
            return
        packets = cut(data, self._largest)
        try:
            if self._open:
                end = packets.end
                strange = self._session.hear(data, packets.spans)
            else:
                strange, end = self._greeting(data, packets.spans)
        except ValueError as error:
            self._fail(MalformedPacketError(str(error)))
            return
        if strange:
            self._client_has += b"".join([packet for packet in strange if not self._is_answered(packet)])
            self._news.set()
        if packets.fault and not self._waits:
            self._fail((PacketTooLargeError if packets.too_large else MalformedPacketError)(packets.fault))
            return
        if end < len(data):
            self._rest += memoryview(data)[end:]
            self._wanted = packets.wanted

    def _greeting(self, data: bytes, spans: Sequence[Span]) -> tuple[list[bytes], int]:
        """The packets up to the CONNACK, and where they end."""
        packets = []
        for start, _, end in spans:
            packets.append(data[start:end])
            if data[start] & 0xF0 == CONNACK:
                self._greeted = True
                self._transport.pause_reading()
                return packets, end
        return packets, spans[-1][2] if spans else 0

    def _is_answered(self, packet: bytes) -> bool:
        """Whether it is a PINGRESP that the client has had from us."""
        if packet[0] != PINGRESP:
            return False
        if self._ahead:
            self._ahead -= 1
            return True
        self._pings = max(0, self._pings - 1)
        return False

    def _answer_pings(self) -> None:
        if self._pings:
            self._client_has += _PONG * self._pings
            self._ahead += self._pings
            self._pings = 0
            self._news.set()

    def _fail(self, error: Exception) -> None:
        """What came is no MQTT: no more is read; the client says so to the broker and closes."""
        self._error = error
        self._transport.pause_reading()
        self._news.set()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            if self._open:
                self._session.closed()
