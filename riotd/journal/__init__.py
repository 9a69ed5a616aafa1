"""What has been taken in, on disk before it is acknowledged: frames, segments, group commit, snapshots."""

from riotd.journal.checkpoints import Checkpoint, Checkpoints
from riotd.journal.damage import DamagedError
from riotd.journal.disk import Disk, Folder
from riotd.journal.frames import Dispatch, Frame, Group, Mark, Tick
from riotd.journal.log import Log
from riotd.journal.suspects import Suspects

__all__ = [
    "Checkpoint",
    "Checkpoints",
    "DamagedError",
    "Disk",
    "Dispatch",
    "Folder",
    "Frame",
    "Group",
    "Log",
    "Mark",
    "Suspects",
    "Tick",
]
