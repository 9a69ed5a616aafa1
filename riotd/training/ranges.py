"""Ranges as a person writes them: 8, 2..20, 1000..all, 6h..30d, all."""

from riotd import units
from riotd.training.space import Span
from riotd.training.window import Unit

ALL = "all"
DEEPEST = 50
"""Comparisons for a row, at most, as `decision_tree_train` has it."""
_BETWEEN = ".."


def numbers(text: str | int, *, least: int, most: float) -> Span:
    """A range of whole numbers: `8` or `2..20`.

    Raises:
        ValueError: it is none, or leaves what is possible.
    """
    low, high = (_whole(part, text) for part in _ends(text))
    if not least <= low <= high <= most:
        bound = f" and at most {most:,.0f}" if most < float("inf") else ""
        raise ValueError(f"{text!r}: must rise, and be at least {least}{bound}")
    return Span(low, high)


def windows(text: str | int, *, whole: int, seconds: float) -> tuple[Span, Unit, float]:
    """A range of windows, in rows (`1000`, `1000..50000`) or in time (`6h`, `6h..30d`); `all` ends either.

    Args:
        text: the range.
        whole: rows of all the history.
        seconds: its length.

    Returns:
        The range, its unit, and what all the history is in that unit.

    Raises:
        ValueError: it is no range, or rows and time in one.
    """
    ends = _ends(text)
    timed = any(end != ALL and not end.isdigit() for end in ends)
    length = max(seconds, 1e-3) if timed else float(whole)
    low, high = (min(_amount(end, text, length, timed=timed), length) for end in ends)
    if not 0 < low <= high:
        raise ValueError(f"{text!r}: must rise from above 0")
    return Span(low, high), "seconds" if timed else "rows", length


def _ends(text: str | int) -> tuple[str, str]:
    low, between, high = str(text).replace(",", "").replace("_", "").strip().partition(_BETWEEN)
    return low.strip(), high.strip() if between else low.strip()


def _whole(part: str, text: object) -> int:
    if not part.isdigit():
        raise ValueError(f"{text!r}: write a whole number such as 8, or a range of them such as 2{_BETWEEN}20")
    return int(part)


def _amount(part: str, text: object, length: float, *, timed: bool) -> float:
    if part == ALL:
        return length
    if part.isdigit() and timed:
        raise ValueError(f"{text!r}: rows and time in one range; write 1000{_BETWEEN}50000 or 6h{_BETWEEN}30d")
    try:
        return units.seconds(part) if timed else float(part)
    except ValueError:
        raise ValueError(f"{text!r}: write rows (1000{_BETWEEN}50000), time (6h{_BETWEEN}30d) or {ALL}") from None
