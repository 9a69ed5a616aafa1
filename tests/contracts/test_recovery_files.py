"""Files behind the journal: what is on disk there already is left out when it is read again."""

from pathlib import Path

from riotd import config as cfg
from riotd.clock import SystemClock
from riotd.keeping import Keeper
from riotd.messages import Cut
from riotd.sources.files import FileSource
from riotd.sources.journaled import Journaled


async def life(folder: Path, *, receives: int) -> list[bytes]:
    """A daemon that goes on where it was, makes a snapshot before it reads, and is killed after some reads."""
    clock = SystemClock()
    keeper = Keeper(folder / "state", {}, every=1000, quota=10**8, clock=clock)
    await keeper.open()
    block = cfg.FileSource(type="file", path=str(folder / "*.log"))
    source = FileSource(block, clock=clock)
    journaled = Journaled(source, keeper.writer, clock, room=keeper.room)
    if keeper.position:
        journaled.resume(keeper.position)
    keeper.history.watched = frozenset([0])
    journaled.go_on(next_number=keeper.log.next, first=keeper.first, marked=0, history=keeper.history)
    again = [message for past in keeper.history for message in past.messages]
    again += [message for _, message in keeper.history.left]
    keeper.history.left.clear()
    async with journaled:
        await keeper.save(Cut(keeper.log.next, [], {}, journaled.position()))
        given = [message for _ in range(receives) for message in await journaled.receive()]
    await keeper.writer.stop()
    await keeper.leave()
    return [message.payload for message in (*again, *given)]


async def test_a_snapshot_amid_the_reading_again(tmp_path: Path) -> None:
    """Lines that are in the journal and were not read again by the time of a snapshot are left out after it too."""
    for number in range(4):
        (tmp_path / f"{number}.log").write_bytes(b"a %d\nb %d\n" % (number, number))
    lives = [await life(tmp_path, receives=receives) for receives in (2, 0, 0, 1, 1)]
    assert lives == [
        [b"a 0", b"b 0", b"a 1", b"b 1"],
        [b"a 0", b"b 0", b"a 1", b"b 1"],  # from the journal
        [],
        [b"a 2", b"b 2"],
        [b"a 2", b"b 2", b"a 3", b"b 3"],
    ]
