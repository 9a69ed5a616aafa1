"""After a repair of the journal: what is lost is refused once, and all else is as if it had never come."""

import asyncio
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from riotd.journal import DamagedError, Folder, Group, Suspects
from riotd.journal.repair import REASON, planned, repaired
from riotd.journal.salvage import Hole, pieces
from riotd.journal.survey import surveyed
from riotd.testing import PAUSE, ListSink, ListSource
from tests.contracts.test_recovery import Life, feed, said, straight

FIRST = 1_000_000
"""Number of the first message, by the clock of `Life`."""


async def killed(source: ListSource, folder: Path) -> None:
    """A life that takes in what there is, and has no time for a snapshot."""
    life = Life(source, ListSink(), folder, every=100)
    await life.keeper.open()
    living = asyncio.create_task(life.live())
    await source.paused()
    living.cancel()
    with suppress(asyncio.CancelledError):
        await living
    await life.die()


def damage(folder: Path) -> range:
    """Turn a bit in the middle of what came in; the numbers of the messages that were there."""
    (file,) = folder.glob("*.journal")
    data = bytearray(file.read_bytes())
    groups = [piece for piece in pieces(bytes(data)) if not isinstance(piece, Hole) and isinstance(piece.frame, Group)]
    middle = groups[len(groups) // 2]
    data[middle.at + 40] ^= 4
    file.write_bytes(data)
    assert isinstance(middle.frame, Group)
    return range(middle.frame.first, middle.frame.end)


async def test_the_others_go_on(tmp_path: Path) -> None:
    """A lost message is a dead letter unless its results are out; the rest is as in a feed in which it is empty."""
    messages, state = feed(120), tmp_path / "state"
    await killed(ListSource([*messages[:70], PAUSE], at_once=7), state)
    lost = damage(state)
    source, sink = ListSource(messages[70:], at_once=7), ListSink()
    refusing = Life(source, sink, state)
    with pytest.raises(DamagedError, match="riotd journal repair"):
        await refusing.keeper.open()
    refusing.keeper._folder.close()
    folder = Folder(state)
    settled = repaired(folder, planned(folder, surveyed(folder)), Suspects(folder, state)).settled
    life = Life(source, sink, state)
    await life.keeper.open()
    await life.live()
    await life.die()
    empty = [
        msgspec.structs.replace(each, payload=b"") if FIRST + n in lost else each for n, each in enumerate(messages)
    ]
    expected = said(await straight(empty, tmp_path / "straight"))
    assert said(sink) == {where: what for where, what in expected.items() if where[0] >= settled}
    assert [(each.id, each.reason) for each in life.rejects.letters] == [(n, REASON) for n in lost if n >= settled]
    assert life.pump.audit() == []
