"""The daemon's end of the control socket."""

import asyncio
import fcntl
import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from riotd.errors import RiotdError

_LONGEST = 64 * 1024
"""Bytes of a request."""
_CLIENTS = 16
"""Connections at once; one more is told to come back."""
_IDLE = 60.0
"""Seconds a client may take for its next request."""
_READING = 10.0
"""Seconds a client may take to read an answer."""
_PARTING = 1.0
"""Seconds a client that is sent off may go on talking."""
log = logging.getLogger(__name__)

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""Told the request, gives the answer, which JSON can say; raises `RefusedError` for what can't be done."""


class RefusedError(RiotdError):
    """A request can't be done; says why."""


class Control:
    """Answers requests over a unix socket while it is entered.

    Each client has a task of its own and waits for nobody but itself; a request, the number of clients and the time
    they may take are bounded. Where there can be no socket, because the folder is not ours or a living daemon of that
    name has it, that is logged, and the daemon goes on without. So is a handler that fails: only its client is cut off.

    Args:
        path: of the socket; a folder that is not there is made, for this user only.
        handlers: by what `do` of a request says.
    """

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path, self._handlers = path, handlers
        self._lock: int | None = None
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        try:
            listening = await asyncio.to_thread(self._listening)
        except OSError as error:
            why = error.strerror or str(error)
            log.warning("%s: %s; `riotd status` will not reach this daemon", self._path, why)
        else:
            self._server = await asyncio.start_unix_server(self._admit, sock=listening, limit=_LONGEST)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up on everybody, and leave no socket."""
        if self._server is not None:
            self._server.close()
            for task in self._serving:
                task.cancel()
            if self._serving:
                await asyncio.wait(self._serving)
            await self._server.wait_closed()
            self._server = None
        await asyncio.to_thread(self._release)

    def _listening(self) -> socket.socket:
        """A socket at the path, in the place of one that a dead daemon has left.

        Raises:
            OSError: the folder can't be ours, or the place is taken.
        """
        self._own_folder()
        self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            self._lock = None
            raise OSError(0, "another daemon of this name has the socket") from None
        self._path.unlink(missing_ok=True)  # whoever left it there has not the lock
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(str(self._path))
            self._path.chmod(0o600)
        except OSError:
            listening.close()
            raise
        return listening

    def _own_folder(self) -> None:
        """See that nobody else can write where the socket will be: it may be among everybody's temporary files."""
        folder = self._path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise OSError(0, f"others can write to {folder}")

    def _release(self) -> None:
        if self._lock is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="control client")
        self._serving.add(task)
        task.add_done_callback(self._dismiss)

    def _dismiss(self, task: "asyncio.Task[None]") -> None:
        self._serving.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a request over the control socket failed", exc_info=error)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it leaves, takes too long, or we do."""
        try:
            await self._converse(reader, writer)
            writer.close()
            async with asyncio.timeout(_READING):
                await writer.wait_closed()
        except (TimeoutError, ConnectionError):
            log.debug("a client of the control socket is gone, or takes too long")
        finally:
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._serving) > _CLIENTS:
            await _send_off(reader, writer, f"there are {_CLIENTS} clients already: try again later")
            return
        while True:
            try:
                async with asyncio.timeout(_IDLE):  # `wait_for` of Python 3.11 may swallow our cancellation
                    line = await reader.readline()
            except ValueError:  # past the reader's limit
                await _send_off(reader, writer, f"a request has at most {_LONGEST} bytes")
                return
            if not line:
                return
            await _say(writer, await self._answer(line))

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            return {"error": f"a request is a JSON object on a line of its own: {error}"}
        what = request.get("do") if isinstance(request, dict) else None
        handler = self._handlers.get(what) if isinstance(what, str) else None
        if handler is None:
            known = ", ".join(f'{{"do": "{name}"}}' for name in self._handlers)
            return {"error": f"a request is one of {known}"}
        try:
            return {"answer": await handler(request)}
        except RefusedError as error:
            return {"error": str(error)}


async def _say(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    """Write an answer, and wait until the client has taken most of it."""
    writer.write(orjson.dumps(answer) + b"\n")
    async with asyncio.timeout(_READING):
        await writer.drain()


async def _send_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, error: str) -> None:
    """Say why we hang up, and see that it can be heard: with unread bytes of the client a close would be a reset."""
    await _say(writer, {"error": error})
    writer.write_eof()
    async with asyncio.timeout(_PARTING):
        while await reader.read(_LONGEST):
            pass
