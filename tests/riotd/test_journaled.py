"""A journaled source: what is sent again has been kept once."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from riotd.clock import SystemClock
from riotd.journal import Dispatch, Folder, Frame, Group, Log
from riotd.journal.history import History
from riotd.journal.writer import Writer
from riotd.messages import Message
from riotd.sources.journaled import Journaled


class Connections:
    """A source that gives a group of messages for each of its connections, as they come over MQTT."""

    def __init__(self, groups: Sequence[list[Message]]) -> None:
        self._groups = deque(groups)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""

    async def receive(self) -> Sequence[Message]:
        """The next group; empty at the end."""
        return self._groups.popleft() if self._groups else []

    async def ack(self, messages: Sequence[Message]) -> None:
        """It is lost with the connection."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def counters(self) -> Mapping[str, int]:
        """None."""
        return {}


class Lines(Connections):
    """A source that can begin where it was, as a file: behind so many lines."""

    same_order = True
    settled = 0

    async def ack(self, messages: Sequence[Message]) -> None:
        """It is behind them."""
        self.settled += len(messages)

    def position(self) -> bytes:
        """Behind so many."""
        return b"%d" % self.settled

    def resume(self, position: bytes) -> None:
        """Begin there."""
        self.settled = int(position)


async def room(_size: int) -> None:
    """There is always room."""


async def given(folder: Path, *groups: list[Message]) -> list[bytes]:
    """The payloads that a life on this folder gives of these, each group over a connection of its own."""
    log = Log(Folder(folder))
    log.open()
    writer = Writer(log)
    writer.start()
    journaled = Journaled(Connections(groups), writer, SystemClock(), room=room)
    now = log.next
    journaled.go_on(
        next_number=now, first=now, marked=now, history=History(iter(()), received=0.0), tail=list(log.tail)
    )
    payloads = []
    while messages := await journaled.receive():
        payloads += [message.payload for message in messages]
    await writer.stop()
    return payloads


def message(mark: int, payload: bytes, *, again: bool = False) -> Message:
    return Message("in/dev", payload, 0.0, None, 0, mark, again)


class TestCopies:
    async def test_of_what_was_acknowledged_in_vain_are_left_out(self, tmp_path: Path) -> None:
        """A message whose acknowledgement was lost with a connection, even twice, is given once in a life."""
        first = [message(1, b"a"), message(2, b"b")]
        again = [message(1, b"a", again=True), message(2, b"b", again=True), message(3, b"c")]
        assert await given(tmp_path, first, again, again[:2]) == [b"a", b"b", b"c"]

    async def test_are_known_by_what_they_say_too(self, tmp_path: Path) -> None:
        """A mark that was given to another message since does not make that a copy, though it was sent before."""
        again = [message(1, b"other", again=True), message(1, b"a")]
        assert await given(tmp_path, [message(1, b"a")], again) == [b"a", b"other", b"a"]

    async def test_of_an_earlier_life_are_left_out_again_and_again(self, tmp_path: Path) -> None:
        """What an earlier life kept is given no more, however often its acknowledgement is lost."""
        assert await given(tmp_path, [message(7, b"a")]) == [b"a"]
        copy = message(7, b"a", again=True)
        assert await given(tmp_path, [copy], [copy], [message(8, b"b")]) == [b"b"]


class TestPlaces:
    """Sources that go on where they were: what lies behind that place and is in the journal comes again, once."""

    async def test_know_what_comes_again_until_the_source_is_past_it(self, tmp_path: Path) -> None:
        """A snapshot while a group is being kept has what came again in it, for the source is not behind it yet."""
        positions: list[bytes] = []

        async def looked(_size: int) -> None:
            positions.append(journaled.position())

        writer = started(tmp_path)
        line, other = message(1, b"a", again=True), message(2, b"b", again=True)
        journaled = journaled_after(Lines([[line, other]]), writer, position=b"", room=looked)
        assert [each.payload for each in await journaled.receive()] == [b"b"]
        following = journaled_after(Lines([[line, other]]), writer, position=positions[0], redone=False)
        assert [each.payload for each in await following.receive()] == [b"b"]
        await writer.stop()

    async def test_count_what_the_journal_tells_again_once(self, tmp_path: Path) -> None:
        """A line that a snapshot knows, and that is done again too, is known once: another like it is not left out."""
        writer = started(tmp_path)
        line = message(1, b"a", again=True)
        ahead = journaled_after(Lines([]), writer, position=b"")
        journaled = journaled_after(Lines([[line], [line]]), writer, position=ahead.position())
        assert [each.payload for each in await journaled.receive()] == [b"a"]
        assert journaled.copies == 1
        await writer.stop()


def started(folder: Path) -> Writer:
    """The writer of a new journal."""
    log = Log(Folder(folder))
    log.open()
    writer = Writer(log)
    writer.start()
    return writer


def journaled_after(
    source: Lines,
    writer: Writer,
    *,
    position: bytes,
    redone: bool = True,
    room: Callable[[int], Awaitable[None]] = room,
) -> Journaled:
    """A life from that position on, behind the one line that the journal has, or one that does that again first."""
    journaled = Journaled(source, writer, SystemClock(), room=room)
    frames: list[Frame] = [Group(5, 0.0, [(0, "in/dev", b"a", 1)]), Dispatch(5, 1, 1.0)] if redone else []
    history = History(iter(frames), received=0.0)
    history.watched = frozenset({0})
    if position:
        journaled.resume(position)
    journaled.go_on(next_number=6, first=5 if redone else 6, marked=5, history=history)
    assert len(list(history)) == redone
    return journaled


class Growing(bytes):
    """A payload at whose weighing another one comes, as from the thread that reads the history."""

    left: deque[tuple[int, Message]]

    def __len__(self) -> int:
        self.left.append((9, Message("t", b"abc", 0.0)))
        return 5


async def test_it_is_weighed_while_the_history_is_read(tmp_path: Path) -> None:
    """What it holds can be asked for at any instant, also while a thread reads what an earlier life took in."""
    history = History(iter(()), received=0.0)
    journaled = Journaled(Lines([]), Writer(Log(Folder(tmp_path))), SystemClock(), room=lambda _: asyncio.sleep(0))
    journaled.go_on(next_number=2, first=0, marked=0, history=history)
    before, Growing.left = journaled.own(), history.left
    history.left.extend([(0, Message("t", Growing(), 0.0)), (1, Message("t", b"ab", 0.0))])
    assert journaled.own() - before == 7
