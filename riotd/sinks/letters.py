"""Dead letters into a store of a bounded size."""

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from riotd import config as cfg
from riotd.errors import ConfigError, Mistake, TransportError
from riotd.letters import Store, encode_letter
from riotd.messages import DeadLetter

__all__ = ["StoredRejects", "encode_letter"]

_QUICKEST, _SLOWEST = 0.1, 5.0
"""Pauses between attempts at a disk that refuses, seconds: the first and the longest."""
log = logging.getLogger(__name__)


class StoredRejects:
    """Keeps `riotd.ports.RejectSink` and `Rewindable` over a `Store`: what is too much drops the oldest letters.

    A disk that refuses is tried again for ever, said once; `send` waits meanwhile.
    """

    def __init__(self, config: cfg.FileRejects) -> None:
        self._path = config.path
        self._store = Store(config.path, size=config.max_size, files=config.files)
        self._in_order = asyncio.Lock()
        self._closing = asyncio.Event()
        self._trouble = ""
        self.retries = 0

    async def __aenter__(self) -> Self:
        """Open the store.

        Raises:
            ConfigError: its folder is not there, or this user may not write it.
        """
        try:
            await asyncio.to_thread(self._store.open)
        except (FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError) as error:
            remedy = "give a path in a folder that is there and that this user may write"
            raise ConfigError([Mistake(str(self._path), error.strerror or str(error), remedy)]) from error
        except OSError as error:
            self._say(error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sync and close; a `send` that still waits gives up with a `TransportError`."""
        self._closing.set()
        try:
            await self.sync()
        except TransportError as refused:
            log.error("%s", refused)  # noqa: TRY400 - the disk's, no trace
        await asyncio.to_thread(self._store.close)

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """As `Sink.send`.

        Raises:
            TransportError: the store was closed before it could be written.
        """
        if not letters:
            return
        async with self._in_order:
            pause = _QUICKEST
            while not await self._kept(letters):
                await self._wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not cryptography
                pause = min(_SLOWEST, 2 * pause)

    def position(self) -> bytes:
        """As `Rewindable.position`: the number of the next letter."""
        return b"letter %d" % self._store.next

    async def rewind(self, position: bytes) -> bool:
        """As `Rewindable.rewind`."""
        word, _, number = position.partition(b" ")
        if word != b"letter" or not number.isdigit():
            log.warning("%s: dead letters since the snapshot stay, since it does not say which", self._path)
            return False
        try:
            await asyncio.to_thread(self._store.cut, int(number))
        except OSError as error:
            log.error("%s: dead letters since the snapshot stay: %s", self._path, error.strerror or error)  # noqa: TRY400 - the disk's
            return False
        return True

    async def sync(self) -> None:
        """As `Rewindable.sync`."""
        try:
            await asyncio.to_thread(self._store.sync)
        except OSError as error:
            raise TransportError(f"{self._path}: could not be synced: {error.strerror}") from error

    def counters(self) -> Mapping[str, int]:
        """Letters kept and dropped to make room, and writes that failed and were repeated, since the start."""
        return {"kept": self._store.kept, "dropped": self._store.dropped, "retries": self.retries}

    async def _kept(self, letters: Sequence[DeadLetter]) -> bool:
        try:
            await asyncio.to_thread(self._store.append, letters)
        except OSError as error:
            self.retries += 1
            self._say(error)
            return False
        if self._trouble:
            log.warning("%s: can be written again", self._path)
            self._trouble = ""
        return True

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return
        raise TransportError(f"{self._path}: closed before it could be written")

    def _say(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        if reason != self._trouble:
            log.error("%s: can't be written: %s; waiting, and trying again", self._path, reason)
        self._trouble = reason
