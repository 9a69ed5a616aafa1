"""What a journaled source has in memory, and for how long."""

from pathlib import Path

import pytest

from riotd.clock import SystemClock
from riotd.journal import Folder, Log
from riotd.journal.writer import Writer
from riotd.messages import Message
from riotd.sources.journaled import History, Journaled
from tests.riotd.test_journaled import Connections, room


def _message(mark: int, payload: bytes, *, origin: int = 0, again: bool = False) -> Message:
    return Message("in/dev", payload, 0.0, None, origin, mark, again)


def _life(folder: Path, *groups: list[Message]) -> tuple[Journaled, Writer]:
    """A life on this folder, which knows the last messages of the one before."""
    log = Log(Folder(folder))
    log.open()
    writer = Writer(log)
    writer.start()
    journaled = Journaled(Connections(groups), writer, SystemClock(), room=room)
    history = History(iter(()), received=0.0)
    journaled.go_on(next_number=log.next, first=log.next, marked=log.next, history=history, tail=list(log.tail))
    return journaled, writer


async def _payloads(journaled: Journaled, writer: Writer) -> list[bytes]:
    found = []
    while messages := await journaled.receive():
        found += [message.payload for message in messages]
    await writer.stop()
    return found


async def test_earlier_lives_are_forgotten_source_by_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a source has given more than can be unacknowledged, nothing of it comes again; of the other it may."""
    monkeypatch.setattr("riotd.sources.journaled._KEPT", 50)
    first = [_message(number, b"%d" % number, origin=number % 2) for number in range(1, 41)]
    await _payloads(*_life(tmp_path, first))
    fresh = [[_message(number, b"new", origin=1)] for number in range(100, 160)]
    journaled, writer = _life(
        tmp_path, *fresh, [_message(2, b"2", again=True)], [_message(3, b"3", origin=1, again=True)]
    )
    before = journaled.own()
    found = await _payloads(journaled, writer)
    assert found == [b"new"] * 60 + [b"3"]
    assert (journaled.copies, before - journaled.own() > 0) == (1, True)


async def test_what_is_known_is_counted(tmp_path: Path) -> None:
    """The bytes it says it has grow with what it keeps, and what is written is not there any more."""
    journaled, writer = _life(tmp_path, [_message(number, bytes(1000)) for number in range(1, 201)])
    assert journaled.own() == 0
    await _payloads(journaled, writer)
    assert 0 < journaled.own() < 200 * 100
