"""Numbers and times as feeds write them: as text, in milliseconds.

Non-finite numbers are none: JSON has no way to write them.
"""

import sys
from math import isfinite, nan
from reprlib import repr as shortened

import msgspec

RELATIVE = 2.0**28
"""Seconds; a time below it is relative to now (RFC 8428 section 4.5.3)."""
LATEST = 1e11
"""Seconds (the year 5138); a time past it is in milliseconds or finer."""
HUGE = sys.float_info.max
"""The largest double; comparing with it and its negative finds NaN and infinities."""
WHOLE = 2**63
"""Integers from -WHOLE to WHOLE - 1 are kept as they are; wider ones become doubles, as RFC 8428 section 5 has it."""

_JSON_NUMBER = msgspec.json.Decoder(int | float)


def number(text: str) -> int | float:
    """The number in a text such as `8`, `-12.5`, `1e3`, `.5` or `+7`.

    Raises:
        ValueError: it is none, or not finite.
    """
    try:
        return narrow(_JSON_NUMBER.decode(text))
    except ValueError:
        return _loose(text)


def _loose(text: str) -> int | float:
    try:
        value = float(text)
    except ValueError:
        value = nan
    if "_" in text or not isfinite(value):
        raise ValueError(f"{shortened(text)} is not a finite number")
    return value


def narrow(value: float) -> int | float:
    """The number, as a double if it is an integer of more than 64 bits.

    Raises:
        ValueError: no double is that large.
    """
    if isinstance(value, int) and not -WHOLE <= value < WHOLE:
        try:
            return float(value)
        except OverflowError:
            raise ValueError("the number is larger than any double") from None
    if not isfinite(value):
        raise ValueError("the number is not finite")
    return value


def seconds(time: float) -> float:
    """Unix seconds of a time in seconds, milliseconds, microseconds or nanoseconds, told apart by size.

    Raises:
        ValueError: further from 1970 than any of them can say.
    """
    if -LATEST * 1e9 <= time <= LATEST * 1e9:  # first, as it holds for integers that no double can take
        for scale in (1.0, 1e3, 1e6, 1e9):
            if -LATEST <= (found := time / scale) <= LATEST:
                return found
    raise ValueError(f"{shortened(time)} is no time in seconds, or in milli-, micro- or nanoseconds")
