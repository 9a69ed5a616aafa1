"""Files of a state folder: the journal, snapshots, positions, what is remembered of deaths."""

from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from riotd import config
from riotd.errors import EngineError
from riotd.journal import Checkpoint, Checkpoints, DamagedError, Dispatch, Group, Log, Mark, Suspects, Tick
from riotd.journal.frames import packed
from riotd.journal.history import History
from riotd.messages import Message
from riotd.sinks import extents
from riotd.sources.files import FileSource
from riotd.sources.merged import Merged
from riotd.testing import ManualClock
from tests.riotd.journal.fake_disk import FakeDisk

_NAME = f"{7:020d}"
_FRAMES = (
    Group(7, 1.5, [(0, "t/a", b"one", 1), (1, "t/b", b"two", 2)]),
    Dispatch(7, 2, 2.0),
    Tick(3.0),
    Mark(9),
    Group(9, 4.0, [(0, "t/a", b"three", 0)]),
)
JOURNALS = (b"".join(packed(frame, 40 * at) for at, frame in enumerate(_FRAMES)), packed(_FRAMES[0], 0))
_FILES = config.FileSource.model_validate({"type": "file", "path": "/nowhere/*"})
_FOLDER = Path(mkdtemp(prefix="riotd-fuzz-"))


def _disk(name: str, data: bytes) -> FakeDisk:
    disk = FakeDisk()
    disk.append(name, data)
    return disk


def _kept(disk: FakeDisk) -> bytes:
    Checkpoints(disk).save(Checkpoint(7, 1.5, [b"state"], {"out": b"12"}, {"position": b"x"}))
    return disk.read(f"{_NAME}.snapshot")


SNAPSHOTS = (_kept(FakeDisk()),)
SUSPECTS = (
    b'{"alive":true,"began":1.5,"boot":"b","mark":7,"deaths":3,"until":9,"refused":{"7":"why"},"tried":7}',
    b"{}",
)
PLACES = (
    b"\x82\xa6source\xc4\x01x\xa3due\x91\x94\x00\x01\x02\x03",
    b"\x81\xa1a\xc4\x01x",
    b"\x93\x01\x02\xc4\x03abc",
    b"",
)


def journal(data: bytes) -> str:
    """A segment: opened, read, done again and written on; or said to be damaged."""
    log = Log(_disk(f"{_NAME}.journal", data))
    try:
        log.open(start=7)
        history = History(log.read(since=8), received=0.0)
        history.watched = frozenset({1})
        past = list(history)
    except DamagedError:
        return "damaged"
    log.append([Group(log.next, 5.0, [(0, "t", b"more", 0)])], sync=True)
    assert list(log.read())[-1].messages[0][2] == b"more"  # type: ignore[union-attr]  # the group of just now
    return f"{len(past)} again, {len(history.left)} left, {log.cut > 0}"


def snapshot(data: bytes) -> str:
    """The newest of two snapshots: read, or passed over with a reason, for the one before it."""
    disk = _disk(f"{_NAME}.snapshot", data)
    disk.append(f"{6:020d}.snapshot", SNAPSHOTS[0])
    checkpoints = Checkpoints(disk)
    assert checkpoints.latest() is not None
    return f"{sorted(checkpoints.refused)}"


def places(data: bytes) -> str:
    """Positions that a snapshot has: taken, or said to be of no use."""
    extents.unpacked(data)
    Merged({}).resume(data)
    FileSource(_FILES, clock=ManualClock()).resume(data)
    return "read"


def suspects(data: bytes) -> str:
    """What is remembered of deaths: taken, or done without."""
    found = Suspects(_disk("suspects", data), _FOLDER)
    with suppress(EngineError):
        found.begin(5.0, boot="b", first=7, settled=7, following=9)
        history = History(iter(_FRAMES), received=0.0)
        history.left.append((7, Message("t", b"", 0.0)))
        assert sum(len(step.messages) for step in found.steps(history)) >= 1
    found.leave()
    return f"{found.until} {len(found.refused)}"
