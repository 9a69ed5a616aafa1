"""Results into a file, a line each."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from riotd import config as cfg
from riotd.messages import Result
from riotd.sinks.appending import Appender


class FileSink:
    """Results, as they are encoded, a line each; keeps `riotd.ports.Sink` and `Rewindable`.

    `send` returns when the operating system has the results: they survive a kill of the daemon, and a power cut once
    `sync` returned. A full disk makes `send` wait.
    """

    def __init__(self, config: cfg.FileSink) -> None:
        self._appender = Appender(config.path)
        self._sent = 0
        self._bytes = 0

    async def __aenter__(self) -> Self:
        """Open the file, for appending.

        Raises:
            ConfigError: its folder is not there, or this user may not write it.
        """
        await self._appender.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sync and close."""
        await self._appender.__aexit__(kind, error, trace)

    async def send(self, results: Sequence[Result]) -> None:
        """As `Sink.send`."""
        if not results:
            return
        data = b"\n".join([result.payload for result in results]) + b"\n"
        await self._appender.append(data)
        self._sent += len(results)
        self._bytes += len(data)

    def position(self) -> bytes:
        """As `Rewindable.position`: which file it is, and how long."""
        return self._appender.position()

    async def rewind(self, position: bytes) -> bool:
        """As `Rewindable.rewind`: the file ends there again, if it is the same; what is cut off is in `<path>.cut`."""
        return await self._appender.rewind(position)

    async def sync(self) -> None:
        """As `Rewindable.sync`.

        Raises:
            TransportError: the disk says it has not.
        """
        await self._appender.fsync()

    def counters(self) -> Mapping[str, int]:
        """As `Sink.counters`; `retries` are writes that failed and were repeated, none is ever given up (`failed`)."""
        return {"sent": self._sent, "failed": 0, "bytes": self._bytes, "retries": self._appender.retries}
