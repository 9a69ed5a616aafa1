"""A source whose messages are on disk before they are acknowledged, so that they come again after a crash."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

import msgspec

from riotd.clock import Clock
from riotd.journal import Dispatch, Group, Mark, Tick
from riotd.journal.frames import Identity, identity
from riotd.journal.history import History, Numbers
from riotd.journal.writer import Writer
from riotd.messages import Batch, Message
from riotd.ports import Resumable, Source

_KEPT = 50_000
"""Messages of this life that are known by their marks: more than may be unacknowledged, and fewer than there are marks,
so that none is known by the mark of another."""


_COPIES = 3
"""Of what is being written: the payloads, the frame with them, and all the frames of a write."""
_TRACE, _KNOWN_BY = 40, 200
"""Bytes that each of the messages takes by which those that come again are known; of this life, of the one before."""


class _Place(msgspec.Struct, frozen=True):
    """Where the source was, and of what it gives from there on what the journal has: identities, with the number there.

    Those of the snapshot's number on are among them or not: the journal tells of them when it is read again.
    """

    source: bytes
    due: list[tuple[int, int, int, int]] = []


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Place).decode
log = logging.getLogger(__name__)


class Journaled:
    """Keeps `riotd.ports.Source` over another source, and `riotd.ports.Diary` for the pump.

    What the source gives is appended to the journal, and acknowledged as soon as it is on disk. What the pump
    acknowledges is what needs no sending again. Order is the source's.

    A message that its sender says it may have sent before is left out if the journal has it: it was kept by an
    earlier life that ended before the acknowledgement went out. So state has it once.

    Args:
        source: whose messages are kept.
        writer: of the journal; started.
        room: waits until there is room for so many bytes more.
    """

    def __init__(self, source: Source, writer: Writer, clock: Clock, *, room: Callable[[int], Awaitable[None]]) -> None:
        self._source, self._writer, self._clock, self._room = source, writer, clock, room
        self._next = self._settled = self._marked = 0
        self._left: deque[tuple[int, Message]] = deque()
        self._tail: Counter[Identity] = Counter()
        self._seen: Numbers = {}
        self._passing: list[tuple[Identity, int]] = []  # come again; the source does not know yet that they are here
        self._kept: deque[int] = deque(maxlen=_KEPT)
        self._due: list[tuple[int, int, int, int]] = []
        self._watched: frozenset[int] = frozenset()
        self.copies = 0
        self._arriving: asyncio.Task[Sequence[Message]] | None = None
        self._writing = 0
        self._earlier: set[int] = set()  # sources of which earlier lives' last messages are known
        self._since: Counter[int] = Counter()

    def go_on(
        self, *, next_number: int, first: int, marked: int, history: History, tail: Iterable[Identity] = ()
    ) -> None:
        """Before it is entered: where the earlier life ended.

        Args:
            next_number: of the next message that comes in.
            first: number of the first message that the pump will acknowledge.
            marked: number below which all results are with the sinks.
            history: what the pump does again; what is left of it then is given first.
            tail: the last messages that are in the journal, which may come again, by what they are known by.
        """
        self._watched = history.watched
        self._seen = history.seen  # grows while the history is read
        for origin, mark, check, number in self._due:
            if number < first:
                history.note((origin, mark, check), number)
        self._tail = Counter(known for known in tail if known[0] not in history.watched)
        self._earlier = {known[0] for known in self._tail}
        self._next, self._settled, self._marked, self._left = next_number, first, marked, history.left

    async def __aenter__(self) -> Self:
        """Enter the source."""
        await self._source.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave it; what had come and was not on disk is not acknowledged."""
        if self._arriving is not None:
            self._arriving.cancel()
            await asyncio.wait({self._arriving})
        await self._source.__aexit__(kind, error, trace)

    async def receive(self) -> Sequence[Message]:
        """As `Source.receive`; what it gives is on disk."""
        if self._left:
            left = [message for _, message in self._left]
            self._left.clear()
            return left
        if self._arriving is None:
            self._arriving = asyncio.create_task(self._arrive(), name="journal")
        messages = await asyncio.shield(self._arriving)
        self._arriving = None
        return messages

    async def ack(self, messages: Sequence[Message]) -> None:
        """The results of these are with the sinks."""
        self._settled += len(messages)
        if self._settled > self._marked:  # not while an earlier life's batches are done again
            self._marked = self._settled
            self._writer.put(Mark(self._settled))

    async def stop(self) -> None:
        """As `Source.stop`."""
        await self._source.stop()

    def counters(self) -> Mapping[str, int]:
        """Those of the source; times the disk kept something, or refused; messages that came again and were there."""
        mine = {
            "journal_groups": self._writer.groups,
            "journal_retries": self._writer.retries,
            "journal_copies": self.copies,
        }
        return {**self._source.counters(), **mine}

    def own(self) -> int:
        """Bytes it has beside what the source has: what is being written, and what messages are known by."""
        left = sum([len(message.payload) for _, message in list(self._left)])  # in one go: a thread reads the history
        return self._writing + left + _TRACE * len(self._kept) + _KNOWN_BY * (len(self._tail) + len(self._seen))

    def position(self) -> bytes:
        """As `Resumable.position`: where the source is, behind all that is on disk here; empty if it has no place.

        With it is what lies behind that place and is on disk here all the same: what the source has yet to give again.
        """
        if not isinstance(self._source, Resumable):
            return b""
        seen = list(self._seen.items())  # in one go, as in `own`
        due = [(*known, number) for known, numbers in seen for number in list(numbers)]
        due += [(*known, number) for known, number in self._passing]
        return _encode(_Place(self._source.position(), due))

    def resume(self, position: bytes) -> None:
        """As `Resumable.resume`; before `go_on`. What the source gives again and is on disk here is left out."""
        if not isinstance(self._source, Resumable):
            return
        try:
            place = _decode(position)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            log.warning("where the sources were can't be read: %s; they begin anew", error)
            return
        self._due = place.due
        self._source.resume(place.source)

    @property
    def same_order(self) -> bool:
        """As `Resumable.same_order`: as it is in the journal."""
        return True

    def dispatched(self, batch: Batch, now: float) -> None:
        """As `Diary.dispatched`."""
        self._writer.put(Dispatch(batch.first, len(batch.messages), now))

    def ticked(self, now: float) -> None:
        """As `Diary.ticked`."""
        self._writer.put(Tick(now))

    async def _arrive(self) -> Sequence[Message]:
        """What comes next, once it is on disk; without what is there already."""
        while messages := await self._source.receive():
            sent = (
                [message for message in messages if message.origin not in self._watched] if self._watched else messages
            )
            kept = frozenset(self._kept) if any(message.again for message in sent) else frozenset()
            fresh = [message for message in messages if not (message.again and self._known(message, kept))]
            self._forget(sent)
            self._kept.extend([_trace(message) for message in sent if message.mark])
            if fresh:
                rows = [(message.origin, message.topic, message.payload, message.mark) for message in fresh]
                size = sum([len(message.payload) for message in fresh])
                await self._room(size)
                self._writing = _COPIES * size
                await self._writer.keep(Group(self._next, self._clock.wall(), rows))
                self._writing = 0
                self._next += len(fresh)
            await self._source.ack(messages)
            self._passing.clear()
            if fresh:
                return fresh
        return ()

    def _forget(self, sent: Sequence[Message]) -> None:
        """Drop what earlier lives are known by once a source has given more than can be unacknowledged.

        What it has to send again it sends first, so it has none of it any more.
        """
        if not self._earlier:
            return
        self._since.update([message.origin for message in sent])
        for origin in [origin for origin in self._earlier if self._since[origin] >= _KEPT]:
            self._earlier.discard(origin)
            others = [(known, count) for known, count in self._tail.items() if known[0] != origin]
            self._tail.clear()
            self._tail.update(dict(others))

    def _known(self, message: Message, kept: frozenset[int]) -> bool:
        """Whether a message that comes again is in the journal already.

        Either the daemon ended before it was acknowledged, or the acknowledgement was lost with a connection.
        """
        if message.mark and kept and _trace(message) in kept and message.origin not in self._watched:
            self.copies += 1
            return True
        if not (self._tail or self._seen):
            return False
        known = identity(message.origin, message.topic, message.payload, message.mark)
        if numbers := self._seen.pop(known, None):
            self._passing.append((known, numbers.popleft()))
            if numbers:
                self._seen[known] = numbers
            self.copies += 1
            return True
        count = self._tail.pop(known, 0)
        if not count:
            return False
        if count > 1:
            self._tail[known] = count - 1
        self.copies += 1
        return True


def _trace(message: Message) -> int:
    """What a message with a mark is known by in this life: 0.3 µs, and 32 bytes for as long as it is."""
    return hash((message.origin, message.mark, message.topic, message.payload))
