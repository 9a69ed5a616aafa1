"""`riotd` whose wall clock is off by what a file says: `python -m riotd.drill.skewed FILE run CONFIG …`.

The file holds eight bytes, a double of seconds, which the drill changes while the daemon runs.
"""

import mmap
import runpy
import struct
import sys
import time
from pathlib import Path

from riotd.clock import SystemClock

_FORM = struct.Struct("<d")


def write(path: Path, seconds: float) -> None:
    """Set the clocks of all that read this file."""
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.write(_FORM.pack(seconds))


def main(path: str, arguments: list[str]) -> None:
    """Be `riotd` with these arguments."""
    with Path(path).open("rb") as file:
        offset = mmap.mmap(file.fileno(), _FORM.size, access=mmap.ACCESS_READ)

    def wall() -> float:
        return time.time() + float(_FORM.unpack_from(offset)[0])

    SystemClock.wall = staticmethod(wall)  # in this process only
    sys.argv[1:] = arguments
    runpy.run_module("riotd", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
