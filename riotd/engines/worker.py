"""What runs where the tasks run: a shard that is built with clear errors, and one that takes and gives bytes."""

import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from struct import Struct
from threading import Lock
from typing import Any, Literal

import msgspec

from riotd.dataflow import Plan
from riotd.engines.limits import Watch
from riotd.errors import EngineError
from riotd.garbage import collect_rarely
from riotd.messages import Outcome, Portion
from riotd.shard import Shard

Method = Literal["run", "reconfigure"]
"""The calls that change a shard's state."""

HEADER = Struct("<Q")
"""In front of each frame on a socket: the length of what follows, in bytes."""
_BUFFER = 2**18
"""Bytes read ahead from the socket, as many as two full portions."""
_RINGING = 30.0
"""Seconds a connection to the daemon may take."""

_encode = msgspec.msgpack.Encoder().encode
_call = msgspec.msgpack.Decoder(list[Any]).decode
_portion = msgspec.msgpack.Decoder(Portion).decode
_plan = msgspec.msgpack.Decoder(Plan).decode


def build(plan: Plan) -> Shard:
    """A shard for this plan; `plan.path` goes in front of `sys.path` first.

    Raises:
        EngineError: a task can't be loaded or does not take its parameters; names stage, task and cause.
    """
    sys.path[:0] = [entry for entry in plan.path if entry not in sys.path]
    try:
        return Shard(plan)
    except Exception as error:
        raise EngineError(_blame(plan) or f"the plan can't be run: {error}") from error


def _blame(plan: Plan) -> str:
    """The first stage whose task can't be made even alone, and why; "" if each of them can."""
    for stage in plan.stages:
        try:
            Shard(Plan((msgspec.structs.replace(stage, after=()),)))
        except Exception as error:  # noqa: BLE001 - a task's module and constructor are anybody's code
            return f"stage {stage.id!r}: task {stage.task!r} can't be made: {type(error).__name__}: {error}"
    return ""


def frame(*parts: object) -> bytes:
    """A call `(method, arguments...)`, or an answer `(what went wrong or "", value)`, ready for the socket.

    Beside answers a worker says `()`, a sign that it gets on, and `(last words)`, why it ends.
    """
    body = _encode(parts)
    return HEADER.pack(len(body)) + body


class Worker:
    """A shard behind calls of bytes; MessagePack both ways, so that no record is ever pickled.

    Starts without a plan, so that it can be made before it is known which shard will need it.

    Args:
        folder: the daemon's working directory, where relative paths begin; on a machine that has none of that name
            they begin where Ray has put the worker.
    """

    def __init__(self, folder: str = "") -> None:
        with suppress(OSError):
            os.chdir(folder or ".")
        self._shard: Shard | None = None
        self._called = False
        self._speaking = Lock()

    def serve(self, host: str, port: int, ticket: str, deadline: float = 0.0, memory: int = 0) -> None:
        """Do what is asked over a socket, one call after the other, until the daemon hangs up.

        Args:
            host: of the daemon.
            port: where it listens.
            ticket: what we show it.
            deadline: seconds; several times in each of them a sign is given while a call gets on. 0 for no signs.
            memory: bytes this process may take; 0 for any.

        Raises:
            OSError: the daemon can't be reached at this address.
        """
        collect_rarely()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal's processes; the daemon drains
        with socket.create_connection((host, port), timeout=_RINGING) as line, suppress(ConnectionError):
            line.settimeout(None)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(frame(ticket))
            watch = Watch(
                self._labour,
                sign=lambda: self._sign(line),
                last_words=lambda words: self._say(line, words),
                deadline=deadline,
                memory=memory,
            )
            watch.begin()
            calls = line.makefile("rb", buffering=_BUFFER)
            while header := calls.read(HEADER.size):
                method, *arguments = _call(calls.read(HEADER.unpack(header)[0]))
                self._called = True
                answer = self._done(method, arguments)
                self._called = False
                self._say(line, *answer)
            watch.end()

    def _say(self, line: socket.socket, *parts: object) -> None:
        """From any thread. Whoever does not get through need not: the daemon has hung up, and the process ends."""
        with self._speaking, suppress(ConnectionError):
            line.sendall(frame(*parts))

    def _sign(self, line: socket.socket) -> None:
        if self._called:
            self._say(line)

    def _labour(self) -> tuple[int, ...] | None:
        return None if self._shard is None else self._shard.labour

    def _done(self, method: str, arguments: list[str | bytes]) -> tuple[str, Any]:
        """Do one call; what went wrong or "", and what it gave."""
        try:
            return "", getattr(self, method)(*arguments)
        except Exception:  # noqa: BLE001 - it goes to the daemon, which gives up with it
            return traceback.format_exc(), None

    def take(self, plan: bytes, state: bytes) -> str:
        """Become the shard of this `Plan`, in this state (empty: a fresh one). What hinders it, or ""."""
        try:
            shard = build(_plan(plan))
            if state:
                shard.restore(state)
        except EngineError as error:
            return str(error)
        self._shard = shard
        return ""

    def run(self, portion: bytes) -> bytes:
        """`Portion` in, `Outcome` out."""
        return _encode(self._taken.run(_portion(portion)))

    def reconfigure(self, plan: bytes) -> bytes:
        """`Plan` in; the outcome is empty, so that all calls that change state look alike."""
        self._taken.reconfigure(_plan(plan))
        return _encode(Outcome(-1, [], [], []))

    def replay(self, method: Method, data: bytes) -> None:
        """Do again what a lost worker had done and answered."""
        if method == "run":
            self._taken.run(_portion(data))
        else:
            self.reconfigure(data)

    def snapshot(self) -> bytes:
        """State after the calls so far."""
        return self._taken.snapshot()

    def pid(self) -> int:
        """The process's number."""
        return os.getpid()

    @property
    def _taken(self) -> Shard:
        if self._shard is None:
            raise EngineError("the worker was asked before it took a plan")
        return self._shard
