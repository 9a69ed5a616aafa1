"""How log lines look: for a person at a terminal, or for journald with its priorities.

One line for one message: line breaks and other control characters in it are escaped, so that no payload can forge a
line or move a cursor. A traceback follows on lines of its own that begin with `  | `.
"""

import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import TextIO

_ESCAPES = {code: ascii(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
_MARGIN = "  | "
_RESET = "\x1b[0m"
_STYLES = (
    # from this level on: syslog priority of sd-daemon(3), colour
    (logging.CRITICAL, 2, "\x1b[1;31m"),
    (logging.ERROR, 3, "\x1b[31m"),
    (logging.WARNING, 4, "\x1b[33m"),
    (logging.INFO, 6, "\x1b[32m"),
    (logging.NOTSET, 7, "\x1b[2m"),
)


class JournalFormatter(logging.Formatter):
    """`<6>logger: message`; journald knows the time and the unit itself."""

    def format(self, record: logging.LogRecord) -> str:
        """Every line with its priority, since journald takes each line for an entry of its own."""
        priority, _ = _style(record.levelno)
        return "\n".join(f"<{priority}>{line}" for line in [f"{record.name}: {_message(record)}", *_trace(record)])


class TerminalFormatter(logging.Formatter):
    """`14:03:11.204 warning riotd.pump: message`, in local time.

    Args:
        colour: whether the level is coloured.
    """

    def __init__(self, *, colour: bool = False) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """One line, then the traceback's."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = f"{record.levelname.lower():7}"
        if self._colour:
            level = f"{_style(record.levelno)[1]}{level}{_RESET}"
        first = f"{clock}.{int(record.msecs):03d} {level} {record.name}: {_message(record)}"
        return "\n".join([first, *_trace(record)])


def setup(level: int | str = "INFO", *, stream: TextIO | None = None) -> None:
    """Send all logging to `stream` (default: standard error) in the form that suits it. Twice is as once.

    Raises:
        ValueError: `level` is no level of the logging module.
    """
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    handler.set_name("riotd")
    handler.setFormatter(formatter(out, os.environ))
    root = logging.getLogger()
    root.setLevel(level.upper() if isinstance(level, str) else level)
    for old in [old for old in root.handlers if old.name == "riotd"]:
        root.removeHandler(old)
    root.addHandler(handler)


def formatter(stream: TextIO, environment: Mapping[str, str]) -> logging.Formatter:
    """The form for this stream: journald's if the stream is the one that JOURNAL_STREAM names."""
    if _is_journal(stream, environment.get("JOURNAL_STREAM", "")):
        return JournalFormatter()
    plain = "NO_COLOR" in environment or environment.get("TERM") == "dumb"  # https://no-color.org
    return TerminalFormatter(colour=stream.isatty() and not plain)


def _is_journal(stream: TextIO, named: str) -> bool:
    """Whether the stream is the file with this `device:inode`; a redirected one is not, though the variable is set."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or never a file
        return False
    return named == f"{status.st_dev}:{status.st_ino}"


def _style(level: int) -> tuple[int, str]:
    return next((priority, colour) for least, priority, colour in _STYLES if level >= least)


def _message(record: logging.LogRecord) -> str:
    return record.getMessage().translate(_ESCAPES)


def _trace(record: logging.LogRecord) -> list[str]:
    parts = []
    if record.exc_info and record.exc_info[0] is not None:
        parts.append(logging.Formatter().formatException(record.exc_info))
    if record.stack_info:
        parts.append(record.stack_info)
    return [_MARGIN + line.translate(_ESCAPES) for part in parts for line in part.split("\n")]
