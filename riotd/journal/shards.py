"""How many shards there were last, for a daemon that was scaled while it ran."""

import msgspec

from riotd.journal.disk import Disk

_NAME, _PART = "shards", "shards.part"


class _Scaled(msgspec.Struct):
    """What a daemon was scaled to, and what its config asked for then."""

    asked: int
    shards: int


def kept_shards(disk: Disk, asked: int) -> int:
    """With how many shards to begin: as many as there were last, if the config asks for what it asked for then.

    Blocks. What can't be read is nothing: any number of shards goes on from the same state.
    """
    try:
        found = msgspec.json.decode(disk.read(_NAME), type=_Scaled)
    except (OSError, msgspec.DecodeError):
        return asked
    return found.shards if found.asked == asked else asked


def keep_shards(disk: Disk, asked: int, shards: int) -> None:
    """Have it on disk. Blocks.

    Raises:
        OSError: it is not there; what was there before is.
    """
    if asked == shards:
        disk.remove(_NAME)
    else:
        disk.remove(_PART)
        disk.append(_PART, msgspec.json.encode(_Scaled(asked, shards)))
        disk.sync(_PART)
        disk.rename(_PART, _NAME)
    disk.sync_names()
