"""A program that ends with who started it: `python -m riotd.demo.leash PARENT PROGRAM ARGUMENTS…`.

A demo that is killed takes nobody with it, so what it started would run on, for ever. On Linux the kernel tells them;
but for those that change their user, as a mosquitto does that root starts.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2): a signal for when the parent is gone; kept over exec."""


def main(parent: int, program: list[str]) -> None:
    """Become the program, with SIGTERM to come when the parent is gone; does not return."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == parent:  # else it went before the kernel was asked
        os.execvp(program[0], program)  # noqa: S606 - no shell is wanted


def command(*program: str) -> list[str]:
    """The command line that runs a program on the leash of this process."""
    return [sys.executable, "-m", __name__, str(os.getpid()), *program]


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
