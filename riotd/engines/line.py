"""Lines to workers: calls and answers as frames over a socket for each.

Ray places a worker's process, watches it and ends it. What is said goes past it, because a call through Ray costs
1 to 2 ms of CPU in all its processes together, and over a socket a twentieth of that.
"""

import asyncio
import secrets
from collections import deque
from typing import Any, cast

import msgspec

from riotd.engines.worker import HEADER, frame
from riotd.errors import EngineError, ShardLost

_answer = msgspec.msgpack.Decoder(tuple[str, Any]).decode
_SIGN, _LAST_WORDS = 0x90, 0x91  # a MessagePack array of no members, of one
_MAX_TICKET = 64
"""Bytes that a caller may send before it has shown a ticket."""


class Line:
    """One worker's end of the line here; calls made before the worker has rung up are kept until it does.

    Everything happens on the loop. Answers come in the order of the calls, each as a future: with what the worker
    gave; with EngineError if it raised; with ShardLost once the line is dead, for whatever is not yet answered.

    Attributes:
        spoke: the loop's time at which the worker last answered, or gave a sign that it gets on.
        gone: done once the line is dead.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._answers: deque[asyncio.Future[Any]] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None
        self._dead: ShardLost | None = None
        self.spoke = self._loop.time()
        self.gone: asyncio.Future[None] = self._loop.create_future()

    def ask(self, method: str, *arguments: str | bytes) -> asyncio.Future[Any]:
        """Call a method of the worker; returns at once."""
        answer = self._loop.create_future()
        if self._dead is not None:
            answer.set_exception(self._dead)
            return answer
        self._answers.append(answer)
        call = frame(method, *arguments)
        if self._transport is None:
            self._unsent.append(call)
        else:
            self._transport.write(call)
        return answer

    def connected(self, transport: asyncio.WriteTransport) -> None:
        """The worker is there: it hears what it was asked so far, or is hung up on if it was killed in the meantime."""
        if self._dead is not None:
            transport.close()
            return
        self._transport = transport
        transport.writelines(self._unsent)
        self._unsent = []

    def heard(self, body: bytes) -> None:
        """The answer to the oldest call, or what is said beside."""
        self.spoke = self._loop.time()
        if body[0] == _SIGN:
            return
        if body[0] == _LAST_WORDS:
            self.lost(ShardLost("it was about to bloat", deed=msgspec.msgpack.decode(body)[0]))
            return
        problem, value = _answer(body)
        answer = self._answers.popleft()
        if answer.done():
            return
        if problem:
            answer.set_exception(EngineError(problem))
        else:
            answer.set_result(value)

    def lost(self, cause: ShardLost) -> None:
        """Declare the line dead, for the first cause."""
        if self._dead is not None:
            return
        self._dead = cause
        self.gone.set_result(None)
        if self._transport is not None:
            self._transport.close()
        while self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_exception(cause)


class Exchange:
    """Where workers ring up; each is told a ticket that names its line, and whoever shows none is hung up on."""

    def __init__(self) -> None:
        self._expected: dict[str, Line] = {}
        self._strangers: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str) -> None:
        """Listen on a free port of an address of this machine."""
        self._server = await asyncio.get_running_loop().create_server(self._caller, host, 0)

    def close(self) -> None:
        """Listen no more, and hang up on whoever has shown no ticket yet; lines that are up stay so."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for stranger in self._strangers:
            stranger.abort()

    def line(self) -> tuple[Line, tuple[str, int, str]]:
        """A new line, and what its worker needs to ring up: host, port, ticket."""
        if self._server is None:
            raise EngineError("the engine is not running")
        host, port = self._server.sockets[0].getsockname()[:2]
        ticket = secrets.token_hex(16)
        self._expected[ticket] = line = Line()
        return line, (host, port, ticket)

    def _caller(self) -> "_Caller":
        return _Caller(self._expected, self._strangers)


class _Caller(asyncio.Protocol):
    """A connection: cuts what comes into frames, the first of which must be a ticket."""

    def __init__(self, expected: dict[str, Line], strangers: set[asyncio.Transport]) -> None:
        self._expected, self._strangers = expected, strangers
        self._line: Line | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
        self._strangers.add(self._transport)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if self._line is None and len(buffer) > HEADER.size and self._length() > _MAX_TICKET:
            self._transport.abort()
            return
        while len(buffer) >= HEADER.size and len(buffer) >= (end := HEADER.size + self._length()):
            body = bytes(buffer[HEADER.size : end])
            del buffer[:end]
            if self._line is not None:
                self._line.heard(body)
            elif not self._admitted(body):
                return

    def connection_lost(self, error: Exception | None) -> None:
        self._strangers.discard(self._transport)
        if self._line is not None:
            self._line.lost(ShardLost("its process has ended" if error is None else f"its connection broke: {error}"))

    def _length(self) -> int:
        return int(HEADER.unpack_from(self._buffer)[0])

    def _admitted(self, body: bytes) -> bool:
        try:
            ticket = msgspec.msgpack.decode(body, type=tuple[str])[0]
        except (msgspec.DecodeError, UnicodeDecodeError):
            ticket = ""
        self._line = self._expected.pop(ticket, None)
        if self._line is None:
            self._transport.abort()
            return False
        self._strangers.discard(self._transport)
        self._line.connected(self._transport)
        return True
