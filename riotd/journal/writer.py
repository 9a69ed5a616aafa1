"""Group commit: a thread that writes all that has come meanwhile in one go, and says when it is on disk."""

import asyncio
import errno
import logging
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from time import sleep
from typing import Any, TypeVar

from riotd.journal.frames import Frame
from riotd.journal.log import Log

_PAUSES = (0.1, 5.0)
"""First and longest pause, seconds, before a disk that refuses is tried again."""
_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up"}
_T = TypeVar("_T")
log = logging.getLogger(__name__)


class Writer:
    """Appends to a log from a loop that never waits for the disk.

    A disk that refuses is tried again for ever, said once: whoever waits for what he gave waits, and takes no more
    meanwhile. Nothing is lost or written twice by that.

    Args:
        journal: opened; this thread's from `start` to `stop`.
        window: seconds it waits for company before it asks the disk to keep something: for slow disks.

    Attributes:
        window: as given.
        groups: times the disk was asked to keep something.
        retries: times it refused.
    """

    def __init__(self, journal: Log, *, window: float = 0.0) -> None:
        self.groups = self.retries = 0
        self.window = window
        self._log = journal
        self._waiting: deque[tuple[Frame | Callable[[Log], Any], asyncio.Future[Any] | None]] = deque()
        self._news = Condition()
        self._stopping = False
        self._trouble = ""
        self._thread = Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Begin, for callers on this loop."""
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._thread.start()

    async def stop(self) -> None:
        """Write what waits, and end."""
        with self._news:
            self._stopping = True
            self._news.notify()
        await asyncio.shield(self._ended)

    def put(self, frame: Frame) -> None:
        """Write it with what follows; it may be lost if the machine, not only the daemon, stops before that."""
        self._give(frame, None)

    def keep(self, frame: Frame) -> asyncio.Future[None]:
        """Write it; done when it is on disk."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._give(frame, done)
        return done

    def call(self, function: Callable[[Log], _T]) -> asyncio.Future[_T]:
        """What the function gives, called behind what was given before; it has the log for itself."""
        done: asyncio.Future[_T] = self._loop.create_future()
        self._give(function, done)
        return done

    def _give(self, what: Frame | Callable[[Log], Any], done: asyncio.Future[Any] | None) -> None:
        with self._news:
            self._waiting.append((what, done))
            self._news.notify()

    def _run(self) -> None:
        while self._news_came() and (group := self._group()):
            frames = [(what, done) for what, done in group if not callable(what)]
            if frames:
                self._write([frame for frame, _ in frames], sync=any(done is not None for _, done in frames))
                self._tell([done for _, done in frames if done is not None], None, None)
            for what, done in group:
                if callable(what):
                    self._do(what, done)
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _news_came(self) -> bool:
        """Wait for something to do, and a little longer for company."""
        with self._news:
            while not self._waiting and not self._stopping:
                self._news.wait()
        if self.window and not self._stopping:
            sleep(self.window)
        return True

    def _group(self) -> list[tuple[Any, Any]]:
        """All that waits, up to the next call; empty at the end."""
        with self._news:
            group: list[tuple[Any, Any]] = []
            while self._waiting and not (group and callable(self._waiting[0][0])):
                group.append(self._waiting.popleft())
                if callable(group[-1][0]):
                    break
            return group

    def _write(self, frames: list[Frame], *, sync: bool) -> None:
        pause, longest = _PAUSES
        while True:
            try:
                self._log.append(frames, sync=sync)
            except OSError as error:
                self.retries += 1
                self._say(error)
                sleep(pause)
                pause = min(2 * pause, longest)
            else:
                break
        self.groups += sync
        if self._trouble:
            log.warning("the journal can be written again")
            self._trouble = ""

    def _say(self, error: OSError) -> None:
        what = _FULL.get(error.errno or 0, error.strerror or str(error))
        if what != self._trouble:
            log.error("the journal can't be written: %s; taking in nothing until it can", what)
        self._trouble = what

    def _do(self, function: Callable[[Log], Any], done: "asyncio.Future[Any]") -> None:
        try:
            value = function(self._log)
        except Exception as error:  # noqa: BLE001 - it is raised where the call is awaited
            self._tell([done], None, error)
        else:
            self._tell([done], value, None)

    def _tell(self, waiting: list["asyncio.Future[Any]"], value: object, error: Exception | None) -> None:
        if waiting:
            self._loop.call_soon_threadsafe(_answer, waiting, value, error)


def _answer(waiting: list["asyncio.Future[Any]"], value: object, error: Exception | None) -> None:
    for done in waiting:
        if done.done():
            continue
        if error is None:
            done.set_result(value)
        else:
            done.set_exception(error)
