"""What a task's parameters may be: checked as they come from a config, each refusal saying what to write."""

import os
import re
import sys
from collections.abc import Sequence

from riot_tasks.showing import shown

_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(us|µs|ms|min|s|m|h|d)\s*", re.ASCII)
_LONGEST = 1e11
"""Seconds of a duration: as many as a time may be from 1970."""


def names(parameter: str, value: object) -> list[str] | None:
    """A parameter that lists field names, or None.

    Raises:
        ValueError: it is something else, is empty, or lists a name twice.
    """
    if value is None:
        return None
    if (
        not isinstance(value, Sequence)
        or isinstance(value, str)
        or not value
        or not all(isinstance(name, str) and name for name in value)
        or len(set(value)) < len(value)
    ):
        raise ValueError(
            f"{parameter}: {shown(value)} is no list of different field names; write [temperature, humidity]"
        )
    return value if type(value) is list else list(value)  # the instances of many keys share what their stage has


def whole(parameter: str, value: object, *, least: int, most: int = 2**31 - 1) -> int:
    """A parameter that is a whole number from `least` to `most`.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{parameter}: must be a whole number from {least} to {most} (is {shown(value)})")
    return value


def positive(parameter: str, value: object) -> float:
    """A parameter that is a finite number above 0.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
        raise ValueError(f"{parameter}: must be a number above 0 (is {shown(value)})")
    return float(value)


def duration(parameter: str, value: object, *, least: float = 0.0) -> float:
    """A parameter that is a duration, in seconds: a number of them from `least` on, or a text such as `5ms` or `1h30m`.

    Raises:
        ValueError: it is something else.
    """
    seconds = _seconds(value) if isinstance(value, str) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not least <= seconds <= _LONGEST:
        raise ValueError(
            f"{parameter}: must be a duration from {least:g} to {_LONGEST:g} seconds, like 90, 5s or 1h30m"
            f" (is {shown(value)})"
        )
    return float(seconds)


def _seconds(text: str) -> float | None:
    total, at = 0.0, 0
    while match := _DURATION.match(text, at):
        total, at = total + float(match[1]) * _SECONDS[match[2]], match.end()
    return total if at and at == len(text) else None


def one_of(parameter: str, value: object, choices: Sequence[str]) -> str:
    """A parameter that is one of a few words.

    Raises:
        ValueError: it is something else.
    """
    if value not in choices:
        raise ValueError(f"{parameter}: must be {' or '.join(map(repr, choices))} (is {shown(value)})")
    return str(value)


def flag(parameter: str, value: object) -> bool:
    """A parameter that is true or false.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{parameter}: must be true or false (is {shown(value)})")  # noqa: TRY004 - one error for all of config
    return value


def name(parameter: str, value: object) -> str:
    """A parameter that is a field's name.

    Raises:
        ValueError: it is something else, or empty.
    """
    if not isinstance(value, str) or not value:
        raise ValueError(f"{parameter}: must be a field's name (is {shown(value)})")
    return value


def path(parameter: str, value: object, *, kind: str = "file") -> str:
    """A parameter that is the path of a file, or of another `kind` of thing, which need not be there.

    Raises:
        ValueError: it is something else, is empty, or has a character that no path can have.
    """
    if not isinstance(value, str) or not value or "\0" in value or not _encodable(value):
        raise ValueError(f"{parameter}: must be the path of a {kind} (is {shown(value)})")
    return value


def _encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True
