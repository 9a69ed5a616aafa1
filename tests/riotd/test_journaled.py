"""A journaled source: what is sent again has been kept once."""

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from riotd.clock import SystemClock
from riotd.journal import Folder, Log
from riotd.journal.writer import Writer
from riotd.messages import Message
from riotd.sources.journaled import History, Journaled


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
