"""Durations and sizes as people write them: 5ms, 1h30m, 90kB, 256MiB."""

import re

_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(us|µs|ms|min|s|m|h|d)\s*")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)")


def seconds(text: str | float) -> float:
    """Seconds in a duration such as `5ms`, `1h30m` or a bare number of seconds.

    Raises:
        ValueError: it is none, with an example of what is.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    total, at = 0.0, 0
    for match in _DURATION.finditer(str(text)):
        if match.start() != at:
            break
        total, at = total + float(match[1]) * _SECONDS[match[2]], match.end()
    if at == 0 or at != len(str(text)):
        raise ValueError(f"{text!r} is not a duration; write it like 5ms, 2s, 1m30s or 1d")
    return total


def size(text: str | float) -> int:
    """Bytes in a size such as `90kB`, `256MiB` or a bare number of bytes.

    Raises:
        ValueError: it is none, with an example of what is.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return int(text)
    match = _SIZE.fullmatch(str(text).strip())
    if match is None or match[2].lower() not in _BYTES:
        raise ValueError(f"{text!r} is not a size; write it like 90kB, 4MiB or 1GB")
    return int(float(match[1]) * _BYTES[match[2].lower()])


def duration_text(value: float) -> str:
    """A duration in the unit that reads best: 0.005 is `5ms`."""
    for unit, factor in (("d", 86400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if value >= factor:
            return f"{value / factor:.4g}{unit}"
    return f"{value * 1e6:.4g}us" if value else "0s"


def size_text(value: float) -> str:
    """A size in the unit that reads best: 90000 is `90kB`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if value >= factor:
            return f"{value / factor:.4g}{unit}"
    return f"{int(value)}B"
