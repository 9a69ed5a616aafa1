"""Where a chart's ticks are, and what stands at them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil, floor, log10
from typing import Any, NamedTuple

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

DAY = 86_400.0
_SHORTEST = 0.02
"""Seconds: a shorter span of clock time is shown as one second; matplotlib's dates do not go much further."""
_PLAIN = 1e6
"""Numbers from here on, and below 1 / _PLAIN, are written as multiples of a power of 1000."""
_FULL = 1e15
"""Numbers below it have a digit for 1."""
_MOST, _LONGEST = 5, 15
"""Digits behind the point: with a power of ten left out, and ever."""
_CLOCK: tuple[tuple[int, tuple[int, ...]], ...] = (
    (3600, (1, 2, 3, 4, 6, 12)),
    (60, (1, 5, 10, 15, 30)),
    (1, (1, 5, 10, 15, 30)),
)
"""Seconds of a unit, and how many of it may be between two ticks: matplotlib's."""
_SEVERAL = 3
"""Ticks, of which matplotlib chooses the labels by what differs among them."""
_UNITS = (("days", DAY), ("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))
_TIMES = "\N{MULTIPLICATION SIGN}"
_ALIKE = 1e-12
"""Numbers that differ by a smaller share of them are one and the same."""
_NOTHING = 1e-280
"""Smaller numbers are 0: what is between them is hard to say in a double, and matplotlib does not try."""

_Dates: Any = AutoDateLocator  # neither has types
_Concise: Any = ConciseDateFormatter


class Axis(NamedTuple):
    """One direction of a chart.

    Attributes:
        low: the number at its beginning.
        high: the number at its end.
        ticks: numbers between them, in order.
        labels: what stands at each tick.
        title: what the labels leave out: the date, the unit.
    """

    low: float
    high: float
    ticks: Sequence[float]
    labels: Sequence[str]
    title: str


def number_axis(low: float, high: float, *, most: int, room: tuple[float, float] = (0.0, 0.0)) -> Axis:
    """An axis of plain numbers; its title is the power of ten left out.

    Args:
        low: the lowest number, at least -1e300.
        high: the highest, at most 1e300.
        most: intervals between ticks at most.
        room: shares of the axis that stay free below the lowest number and above the highest.
    """
    low, high = _widened(low, high)
    whole = (high - low) / (1.0 - room[0] - room[1])
    low, high = low - room[0] * whole, high + room[1] * whole
    found = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    ticks = [float(tick) for tick in found if low <= tick <= high]
    labels, exponent = _numbers(ticks)
    return Axis(low, high, ticks, labels, f"{_TIMES}1e{exponent}" if exponent else "")


def elapsed_axis(high: float, *, most: int, milliseconds: bool = False) -> Axis:
    """An axis of seconds from 0, in the largest unit of which there are two, or in milliseconds and not saying so."""
    unit, seconds = ("", 1e-3) if milliseconds else next((each for each in _UNITS if high >= 2 * each[1]), _UNITS[-1])
    low, top, ticks, labels, factor = number_axis(0.0, high / seconds or 1.0, most=most)
    title = f"{unit} {factor}".strip()
    return Axis(low * seconds, max(high, top * seconds), [tick * seconds for tick in ticks], labels, title)


def clock_axis(low: float, high: float, *, most: int) -> Axis:
    """An axis of Unix seconds, in UTC; its title is the date, or the first and the last.

    Args:
        low: from the year 2 on.
        high: to the year 9998.
        most: ticks at most, at least 9: from 1, 5, 10, 15 or 30 seconds or minutes, ... one can be chosen then.
    """
    if high - low < _SHORTEST:
        low, high = low - 0.5, high + 0.5
    begin, end = (datetime.fromtimestamp(time, UTC) for time in (low, high))
    dates = dict.fromkeys(f"{moment:%Y-%m-%d}" for moment in (begin, end))
    ticks, labels = _of_a_day(low, high, most) or _of_any_time(low, high, most)
    return Axis(low, high, ticks, labels, f"{' to '.join(dates)} UTC")


def _of_a_day(low: float, high: float, most: int) -> tuple[list[float], list[str]] | None:
    """Ticks and labels by plain arithmetic where matplotlib would choose hours, minutes or seconds; else None.

    The same ones, in a tenth of the time.
    """
    begin, end = (datetime.fromtimestamp(time, UTC) for time in (low, high))  # to the microsecond
    seconds, least = (end - begin) // timedelta(seconds=1), (most - 1) // 2
    unit, steps = next(((unit, steps) for unit, steps in _CLOCK if seconds // unit >= least), (1, ()))
    step = unit * next((each for each in steps if seconds // unit <= each * (most - 1)), 0)
    if not step or seconds >= least * DAY:
        return None
    ticks = [float(tick) for tick in range(ceil(low / step) * step, floor(high / step) * step + 1, step)]
    if len(ticks) < _SEVERAL:
        return None
    moments = [datetime.fromtimestamp(tick, UTC) for tick in ticks]
    if unit == 1 and len({moment.second for moment in moments}) > 1:
        return ticks, [f"{moment:%H:%M:%S}" for moment in moments]
    if len({moment.minute for moment in moments}) > 1:
        return ticks, [f"{moment:%H:%M}" for moment in moments]
    return ticks, [f"{moment:%H:%M}" if moment.hour else f"{moment:%m-%d}" for moment in moments]


def _of_any_time(low: float, high: float, most: int) -> tuple[list[float], list[str]]:
    """Ticks and labels by matplotlib."""
    begin, end = (datetime.fromtimestamp(time, UTC) for time in (low, high))
    locator = _Dates(tz=UTC, minticks=(most - 1) // 2, maxticks=most)
    found = [tick for tick in locator.tick_values(begin, end) if low <= tick * DAY <= high]
    # by numbers, not by names of months, which depend on the process's locale
    formatter = _Concise(
        locator,
        tz=UTC,
        formats=["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%H:%M:%S.%f"],
        zero_formats=["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M:%S.%f"],
        usetex=False,
    )
    return [tick * DAY for tick in found], formatter.format_ticks(found) if found else []


def _widened(low: float, high: float) -> tuple[float, float]:
    """The range, or one around it if it is no more than a point."""
    largest = max(abs(low), abs(high))
    if high - low > max(_ALIKE * largest, _NOTHING):
        return low, high
    around = 0.05 * largest if largest > _NOTHING else 1.0
    return low - around, high + around


def _numbers(ticks: Sequence[float]) -> tuple[list[str], int]:
    """The ticks' labels, as many digits each as tell them apart, and the power of ten left out."""
    largest = max(map(abs, ticks), default=0.0)
    exponent = 0 if not largest or 1 / _PLAIN <= largest < _PLAIN else 3 * floor(log10(largest) / 3)
    digits = _digits(ticks, exponent)
    if digits > _MOST and largest < _FULL:  # a long number that hardly changes: better in full
        exponent, digits = 0, _digits(ticks, 0)
    return [f"{round(tick / 10.0**exponent, digits) + 0.0:.{digits}f}" for tick in ticks], exponent


def _digits(ticks: Sequence[float], exponent: int) -> int:
    """Digits behind the point that tell neighbours apart."""
    scaled = [tick / 10.0**exponent for tick in ticks]
    step = min((other - one for one, other in pairwise(scaled)), default=1.0)
    right = (digits for digits in range(_LONGEST) if all(abs(round(x, digits) - x) < step / 100 for x in scaled))
    return next(right, _LONGEST)
