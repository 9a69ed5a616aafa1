"""Lines of files as messages: a file, or all that a glob leads to, once through or followed."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from glob import has_magic
from types import TracebackType
from typing import Protocol, Self

import msgspec

from riotd import config as cfg
from riotd.clock import Clock
from riotd.messages import Message
from riotd.sources.following import Follower
from riotd.sources.positions import VERSION, FileId, Offsets, Piece, Position, Progress, Spot
from riotd.sources.reading import Reader

AHEAD = 4
"""Pieces read and not yet taken; with them at most 1 MiB (or four times `max_line`) waits in memory."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Progress).decode
log = logging.getLogger(__name__)


class FileSource:
    """A source of lines.

    Read ahead by a task of its own, in chunks, in aiofiles' threads: about 1 µs a line. A message's topic is the path
    of its file, its token a `Position`. Payloads are the bytes as they stand in the file, valid UTF-8 or not; a line
    longer than `max_line` becomes a shortened one that no parser accepts (see `LineCutter`). Blank lines are counted
    and left out. In format `riotbench` the payload is what follows the first comma, or the whole line if there is none.
    """

    def __init__(self, config: cfg.FileSource, *, clock: Clock) -> None:
        self._clock = clock
        self._path, self._max_line = config.path, config.max_line
        self._after_comma = config.format == "riotbench"
        self._offsets = Offsets(keep=not config.follow)
        self._resumed = self._anew = False
        self._feed: _Feed
        if config.follow:
            end = config.start == "end"
            self._feed = Follower(
                config.path, from_end=end, max_line=config.max_line, offsets=self._offsets, clock=clock
            )
        else:
            self._feed = Reader(config.path, max_line=config.max_line, offsets=self._offsets)
        self._ready: deque[list[Message]] = deque()
        self._news = asyncio.Event()
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._counts = {"received": 0, "bytes": 0, "blank": 0, "overlong": 0}

    async def __aenter__(self) -> Self:
        """Find the files and begin to read.

        Raises:
            ConfigError: nothing is there to read, and the files are not to be followed.
        """
        await self._feed.open()
        self._task = asyncio.create_task(self._run(), name="file source")
        self._task.add_done_callback(lambda _: self._news.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading and let all files go."""
        await self.stop()
        task, self._task = self._task, None
        if task is not None:
            await asyncio.wait({task})  # not cancelled: a file must not be closed under a thread that reads it
            await self._feed.close()
            if not task.cancelled() and (failure := task.exception()) and not isinstance(error, type(failure)):
                log.error("reading ended early: %s", failure)

    async def receive(self) -> Sequence[Message]:
        """As `Source.receive`: the lines of one chunk.

        Raises:
            TransportError: a file that is not followed can't be read on.
        """
        while not self._ready:
            if self._task is None or self._task.done():
                if self._task is not None:
                    self._task.result()
                return []
            self._news.clear()
            await self._news.wait()
        self._wake.set()
        return self._ready.popleft()

    async def ack(self, messages: Sequence[Message]) -> None:
        """As `Source.ack`: kept in memory, see `done` and `position`."""
        last = {message.token.file: message for message in messages}
        self._offsets.settle({file: (message.token.offset, self._line(message)) for file, message in last.items()})

    def position(self) -> bytes:
        """As `Resumable.position`: how far each file is done with, and how the line before ends."""
        return _encode(Progress(self._path, self._offsets.spots()))

    def resume(self, position: bytes) -> None:
        """As `Resumable.resume`; one of another path or glob is of no use."""
        self._anew = True
        try:
            progress = _decode(position)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            log.warning("%s: where it was read to can't be read: %s; beginning anew", self._path, error)
            return
        if (progress.pattern, progress.version) != (self._path, VERSION):
            log.warning("%s: where it was read to is of %s; beginning anew", self._path, progress.pattern)
            return
        self._anew, self._resumed = False, True
        self._feed.go_on(progress.spots)

    async def stop(self) -> None:
        """As `Source.stop`: read no more; `receive` gives what was read, then ends."""
        self._stopping = True
        self._wake.set()

    @property
    def same_order(self) -> bool:
        """As `Resumable.same_order`: a single file that is where and what it was."""
        return self._feed.in_place and not self._anew and not has_magic(self._path)

    def counters(self) -> Mapping[str, int]:
        """Counts since start: lines `received`, their `bytes`, `blank` and `overlong` ones, and those of the files."""
        return {**self._counts, **self._feed.counters()}

    @property
    def done(self) -> Mapping[FileId, int]:
        """Offset up to which each file was acknowledged."""
        return self._offsets.done

    async def _run(self) -> None:
        while not self._stopping and not self._feed.ended:
            pause = await self._feed.tend()
            piece = await self._feed.read() if len(self._ready) < AHEAD else None
            if piece is not None:
                self._hand_over(piece)
            elif not self._feed.ended:
                await self._nap(pause)

    async def _nap(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    def _hand_over(self, piece: Piece) -> None:
        cut = piece.cut
        lines = [line.partition(b",")[2] or line for line in cut.lines] if self._after_comma else cut.lines
        self._count(piece)
        if lines:
            now, topic, file = self._clock.monotonic(), piece.topic, piece.file
            pairs = zip(lines, cut.ends, strict=True)
            again = self._resumed
            self._ready.append([Message(topic, line, now, Position(file, end), 0, end, again) for line, end in pairs])
            self._news.set()

    def _line(self, message: Message) -> bytes:
        """The line as it stands in the file, or its end; nothing if it was cut short."""
        return message.payload if len(message.payload) <= self._max_line else b""

    def _count(self, piece: Piece) -> None:
        cut, counts = piece.cut, self._counts
        counts["received"] += len(cut.lines)
        counts["bytes"] += sum(map(len, cut.lines))
        counts["blank"] += cut.blank
        if cut.overlong:
            before, counts["overlong"] = counts["overlong"], counts["overlong"] + cut.overlong
            if before.bit_length() < counts["overlong"].bit_length():  # the 1st, 2nd, 4th, 8th, ...
                what = "a line longer than source.max_line was cut short and will be refused"
                log.warning("%s: %s (%d so far, in all files)", piece.topic, what, counts["overlong"])


class _Feed(Protocol):
    """Where pieces come from; one caller."""

    @property
    def ended(self) -> bool:
        """Nothing follows."""

    @property
    def in_place(self) -> bool:
        """Once open: whether the files of an earlier life are where and what they were."""

    def go_on(self, spots: Sequence[Spot]) -> None:
        """Before `open`: where an earlier life was."""

    async def open(self) -> None:
        """Find the files."""

    async def close(self) -> None:
        """Let them go."""

    async def tend(self) -> float | None:
        """Look for changes if it is time; seconds until then, None for never."""

    async def read(self) -> Piece | None:
        """The next lines; None if there are none now."""

    def counters(self) -> Mapping[str, int]:
        """Of the files."""
