"""Keeps a disk busy: writes and syncs a file as fast as it goes: `python -m riotd.drill.churn FILE`, until ended."""

import os
import sys

_BLOCK = bytes(1 << 20)
_BLOCKS = 64
"""Of the file, again and again."""


def main(path: str) -> None:
    """Write until ended."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    while True:
        for block in range(_BLOCKS):
            os.pwrite(file, _BLOCK, block << 20)
            os.fdatasync(file)


if __name__ == "__main__":
    main(sys.argv[1])
