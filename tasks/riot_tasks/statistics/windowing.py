"""Windows as the parameters of `window` ask for them: of which kind, how long, how many at once."""

from math import ceil
from typing import NamedTuple

from riot_tasks.algorithms.event_windows import Allowance, EventWindows
from riot_tasks.algorithms.panes import Panes
from riot_tasks.algorithms.sessions import Sessions
from riot_tasks.algorithms.summary import measure
from riot_tasks.parameters import duration, names
from riot_tasks.showing import shown

KINDS = {"tumbling": ("size",), "sliding": ("size", "every"), "session": ("gap",)}
"""Kinds of windows, with the lengths they have."""
LEAST = 1e-3
"""Seconds of a window."""
_ROUNDING = 1e-9
"""Share by which a multiple may be off for being no binary number."""


class Lengths(NamedTuple):
    """Seconds, or None where windows of the kind have no such length."""

    size: float | None
    every: float | None
    gap: float | None


def lengths(kind: str, size: object, every: object, gap: object) -> Lengths:
    """The lengths of windows of a kind.

    Raises:
        ValueError: one is missing, is none of this kind's, or is no duration.
    """
    given = Lengths._fields, (size, every, gap)
    return Lengths(*(_length(kind, parameter, value) for parameter, value in zip(*given, strict=True)))


def _length(kind: str, parameter: str, value: object) -> float | None:
    needed = KINDS[kind]
    if parameter in needed and value is None:
        raise ValueError(f"{parameter}: {kind} windows need it; write 10s, 1m, 1h30m")
    if parameter not in needed and value is not None:
        raise ValueError(f"{parameter}: {kind} windows have none, but {' and '.join(needed)}; is it another kind?")
    return None if value is None else duration(parameter, value, least=LEAST)


def windows(of: Lengths, offset: float, allowance: Allowance, *, quantiles: bool, max_open: int) -> EventWindows:
    """Windows of these lengths.

    Raises:
        ValueError: `every` does not divide `size`, `offset` is not below it or is for sessions, or a key may need more
            than `max_open`.
    """
    if of.size is None:
        gap = of.gap or LEAST
        if offset:
            raise ValueError(f"offset: session windows are not aligned to anything (is {offset:g} s)")
        _limit(1 + sum(allowance) / gap, max_open)
        return Sessions(gap=gap, allowance=allowance, quantiles=quantiles)
    every = of.size if of.every is None else of.every
    panes = round(of.size / every)
    if not panes or abs(panes * every - of.size) > _ROUNDING * of.size:
        raise ValueError(f"every: size must be a multiple of it (is {every:g} s, size {of.size:g} s)")
    if offset >= of.size:
        raise ValueError(f"offset: must be below size, {of.size:g} s (is {offset:g} s)")
    _limit(panes + 1 + sum(allowance) / every, max_open)
    return Panes(panes=panes, every=every, offset=offset, allowance=allowance, quantiles=quantiles)


def _limit(needed: float, most: int) -> None:
    if needed > most:
        raise ValueError(f"max_open: a key may have {ceil(needed)} windows open at once (is {most})")


def aggregates(parameter: str, value: object) -> list[str] | None:
    """A parameter that lists what is told of a window, or None.

    Raises:
        ValueError: it is something else, is empty, or lists a word twice, or one that says nothing.
    """
    asked = names(parameter, value)
    for each in asked or ():
        try:
            measure(each)
        except KeyError:
            raise ValueError(f"{parameter}: {shown(each)} is none of mean, min, max, count, sum, p0 to p100") from None
    return asked
