import io
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from riotd import logs


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield root
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def file(tmp_path: Path) -> Iterator[TextIO]:
    with (tmp_path / "log").open("w+", encoding="utf-8") as stream:
        yield stream


def journal_stream(stream: TextIO) -> str:
    status = os.fstat(stream.fileno())
    return f"{status.st_dev}:{status.st_ino}"


def record(text: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("riotd.pump", level, __file__, 1, text, None, None)


@pytest.mark.parametrize(
    ("level", "priority"),
    [("DEBUG", 7), ("INFO", 6), ("WARNING", 4), ("ERROR", 3), ("CRITICAL", 2)],
)
def test_journal_priority(level: str, priority: int) -> None:
    """For journald a line begins with its syslog priority and has no time."""
    line = logs.JournalFormatter().format(record("hello", logging.getLevelNamesMapping()[level]))
    assert line == f"<{priority}>riotd.pump: hello"


def test_terminal_line() -> None:
    """For a person a line has the local time, the level, the logger and the message."""
    entry = record("hello", logging.WARNING)
    entry.created, entry.msecs = 0.25, 250.0
    line = logs.TerminalFormatter().format(entry)
    assert line[2:] == ":" + line[3:5] + ":00.250 warning riotd.pump: hello"


def test_foreign_text_stays_on_its_line() -> None:
    """A message with line breaks, escapes or Unicode line separators is one line of harmless characters."""
    text = "payload: a\r\n<0>forged\x1b[2J\u2028\x85ü"
    assert logs.JournalFormatter().format(record(text)) == (
        "<6>riotd.pump: payload: a\\r\\n<0>forged\\x1b[2J\\u2028\\x85ü"
    )


def test_traceback_lines_carry_the_priority() -> None:
    """Every line of a traceback has the priority and a margin, so that an exception's text can't forge an entry."""
    error = ValueError("first\n<0>second")
    entry = record("failed", logging.ERROR)
    entry.exc_info = (ValueError, error, None)
    first, *rest = logs.JournalFormatter().format(entry).split("\n")
    assert first == "<3>riotd.pump: failed"
    assert "<3>  | ValueError: first" in rest
    assert all(line.startswith("<3>  | ") for line in rest)


def test_journal_is_told_by_the_stream(file: TextIO, tmp_path: Path) -> None:
    """The journal's form is for the very stream JOURNAL_STREAM names, not for a redirected one."""
    environment = {"JOURNAL_STREAM": journal_stream(file)}
    assert isinstance(logs.formatter(file, environment), logs.JournalFormatter)
    with (tmp_path / "other").open("w", encoding="utf-8") as other:
        assert isinstance(logs.formatter(other, environment), logs.TerminalFormatter)
    assert isinstance(logs.formatter(io.StringIO(), environment), logs.TerminalFormatter)


@pytest.mark.parametrize(
    ("environment", "coloured"), [({"TERM": "xterm"}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_needs_a_terminal_that_wants_it(environment: dict[str, str], coloured: bool) -> None:  # noqa: FBT001 - a table
    """The level is coloured on a terminal, unless NO_COLOR or TERM=dumb says no."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        line = logs.formatter(terminal, environment).format(record("hello"))
    os.close(ours)
    assert ("\x1b[" in line) is coloured


def test_no_colour_in_a_file(file: TextIO) -> None:
    """A file gets no escape sequences."""
    assert "\x1b" not in logs.formatter(file, {"TERM": "xterm"}).format(record("hello"))


def test_setup_twice_is_as_once(root: logging.Logger) -> None:
    """A second `setup` replaces the first: one line per message, at the new level."""
    stream = io.StringIO()
    logs.setup("debug", stream=stream)
    logs.setup("WARNING", stream=stream)
    root.info("too low")
    root.warning("once")
    assert [line.split(": ", 1)[1] for line in stream.getvalue().splitlines()] == ["once"]


def test_setup_refuses_an_unknown_level(root: logging.Logger) -> None:
    """A level that is none is an error, not silence, and changes nothing."""
    before = list(root.handlers)
    with pytest.raises(ValueError, match="Unknown level"):
        logs.setup("chatty")
    assert root.handlers == before


def test_import_configures_nothing() -> None:
    """Importing the module leaves logging as it was."""
    code = "import logging, riotd.logs; assert not logging.getLogger().handlers and logging.getLogger().level == 30"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
