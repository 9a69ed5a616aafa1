"""Several series as lines in one picture: where everything goes."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riot_tasks.visualize.pen import HEIGHT, WIDTH, Pen
from riot_tasks.visualize.png import PngPen
from riot_tasks.visualize.scales import Axis, clock_axis, elapsed_axis, number_axis
from riot_tasks.visualize.svg import SvgPen

Points = Sequence[tuple[float, float | None]]
"""Times and values; None is a gap."""
Numbers = npt.NDArray[np.float64]

COLORS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
"""Ten that people with any colour vision tell apart: Petroff, "Accessible Color Sequences", arXiv 2107.02270."""
DASHES: tuple[tuple[float, ...], ...] = ((), (6.0, 3.0), (2.0, 2.0), (8.0, 3.0, 2.0, 3.0))
"""Of the first ten series, the next ten, ..."""
STYLES = len(COLORS) * len(DASHES)
"""Series that look different."""

_INK, _FAINT, _GRID = "#222222", "#555555", "#e4e4e4"
_TITLE, _SMALL = 16.0, 11.5
"""Sizes of letters, pixels."""
_TOP, _BOTTOM, _LEFT, _RIGHT = HEIGHT - 56.0, 58.0, 56.0, WIDTH - 30.0
"""Edges of the plot; the left one moves inwards for long numbers."""
_ROW, _SWATCH, _GAP = 17.0, 20.0, 18.0
"""The legend: height of a row, length of a line, space between columns."""
_ROWS = 15
"""Of the legend at most: it takes no more than half of the plot."""
_CHARACTERS = 256
"""Of a text that are looked at; more have no room."""
_TICKS = 9
"""On an axis, at most."""
_BREAK = (float("nan"), float("nan"))
"""Between two lines that are drawn as one."""
_MARGIN = 10.0
"""Between the lines and what is above and below them."""

_PENS: dict[str, type[SvgPen] | type[PngPen]] = {"svg": SvgPen, "png": PngPen}
"""Format name to what draws it."""
_LOCK = Lock()
"""Pens ask matplotlib's settings and fonts, and those are the process's: one picture at a time."""


class _Series(NamedTuple):
    """A line of the chart.

    Attributes:
        name: in the legend.
        unit: of the values, or "".
        times: seconds, of Unix or since its own beginning.
        values: one for each time; NaN is a gap.
    """

    name: str
    unit: str
    times: Numbers
    values: Numbers


class _Plot(NamedTuple):
    """The rectangle within the axes, and what its edges mean."""

    left: float
    x: Axis
    y: Axis

    def across(self, times: Numbers) -> Numbers:
        """Where times are, pixels."""
        return self.left + (times - self.x.low) * ((_RIGHT - self.left) / (self.x.high - self.x.low))

    def up(self, values: Numbers) -> Numbers:
        """Where values are, pixels."""
        return _BOTTOM + (values - self.y.low) * ((_TOP - _BOTTOM) / (self.y.high - self.y.low))


def draw(title: str, lines: Mapping[str, Points], units: Mapping[str, str], *, kind: str, axis: str) -> bytes:
    """The picture of some series, at least one value in them all.

    Args:
        title: above the chart.
        lines: name to points, at least one, in the order of time; numbers below 1e300, times of four-digit years.
        units: name to unit, where there is one.
        kind: `svg` or `png`.
        axis: `clock`: dates and times of day, in UTC; `elapsed`: time from each series' own beginning; `bare`: the
            same in milliseconds, and neither axis says what it shows.
    """
    with _LOCK, _PENS[kind](_printable(title[:_CHARACTERS])) as pen:
        series = [_series(name, units.get(name, ""), points, axis) for name, points in lines.items()]
        names, unit = _names(series) if axis != "bare" else ([each.name for each in series], "")
        legend, plot = _fitted(pen, series, names, axis)
        pen.box(0.0, 0.0, WIDTH, HEIGHT, "#ffffff")
        _axes(pen, plot, unit)
        for index, each in enumerate(series):
            _line(pen, plot, each, index)
        legend.draw(pen)
        heading = _cut(pen, title, _TITLE, 640.0)
        pen.text(((plot.left + _RIGHT) / 2, HEIGHT - 26.0), heading, _TITLE, _INK, "center")
        return pen.picture()


def _series(name: str, unit: str, points: Points, axis: str) -> _Series:
    table = np.array(points, dtype=np.float64)  # None becomes NaN
    start = 0.0 if axis == "clock" else table[0, 0]
    return _Series(name, unit, table[:, 0] - start, table[:, 1])


def _printable(text: str) -> str:
    """The text without what neither XML nor a reader can do with: control characters, line ends, half characters."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _cut(pen: Pen, text: str, size: float, most: float) -> str:
    """The text, printable, and cut to a width in pixels."""
    text = _printable(text[:_CHARACTERS])
    if pen.width(text, size) <= most:
        return text
    while text and pen.width(text + "…", size) > most:
        text = text[: min(len(text) - 1, ceil(len(text) * most / pen.width(text, size)))]
    return text.rstrip() + "…"


def _names(series: Sequence[_Series]) -> tuple[list[str], str]:
    """Names for the legend, and the unit if all have one; else it stands at each name."""
    units = {each.unit for each in series}
    if len(units) == 1:
        return [each.name for each in series], units.pop()
    return [f"{each.name} ({each.unit})" if each.unit else each.name for each in series], ""


class _Legend:
    """In the upper right corner, in as many columns as fit, so that little room is lost for the lines."""

    def __init__(self, pen: Pen, names: Sequence[str], room: float) -> None:
        most = room / min(len(names), 3) - _SWATCH - _GAP
        self._names = [_cut(pen, name, _SMALL, most) for name in names]
        self._column = max(pen.width(name, _SMALL) for name in self._names) + _SWATCH + _GAP
        self._columns = max(1, min(len(names), int(room / self._column)))
        rows = min(_ROWS, ceil(len(names) / self._columns))
        self._columns = min(self._columns, ceil(len(names) / rows))
        self._shown = rows * self._columns if len(names) <= rows * self._columns else rows * self._columns - 1
        self.height = rows * _ROW + 8.0

    def draw(self, pen: Pen) -> None:
        """Draw it over whatever is there."""
        left = _RIGHT - self._columns * self._column
        pen.box(left - 6.0, _TOP - self.height, _RIGHT - left + 6.0, self.height, "#ffffff")
        for index, name in enumerate(self._names[: self._shown]):
            x, y = self._place(index, left)
            color, dashes = _style(index)
            pen.line(np.array([[x, y], [x + _SWATCH, y]]), color, 2.0, dashes)
            pen.text((x + _SWATCH + 5.0, y - 4.0), name, _SMALL, _INK)
        if more := len(self._names[self._shown :]):
            x, y = self._place(self._shown, left)
            pen.text((x + _SWATCH + 5.0, y - 4.0), f"and {more} more", _SMALL, _FAINT)

    def _place(self, index: int, left: float) -> tuple[float, float]:
        row, column = divmod(index, self._columns)
        return left + column * self._column, _TOP - 4.0 - (row + 0.5) * _ROW


def _fitted(pen: Pen, series: Sequence[_Series], names: Sequence[str], axis: str) -> tuple[_Legend, _Plot]:
    """Legend and plot: the room that the axis' numbers take is lost to the legend, whose height decides the numbers."""
    left, x = _LEFT, _times(series, axis)
    while True:
        legend = _Legend(pen, names, _RIGHT - left - _GAP)
        plot = _plot(pen, series, legend.height, x)
        if plot.left <= left:
            return legend, plot
        left = plot.left


def _times(series: Sequence[_Series], axis: str) -> Axis:
    begin = min(float(each.times[0]) for each in series)
    end = max(float(each.times[-1]) for each in series)
    if axis == "clock":
        return clock_axis(begin, end, most=_TICKS)
    return elapsed_axis(end, most=_TICKS, milliseconds=axis == "bare")


def _plot(pen: Pen, series: Sequence[_Series], legend: float, x: Axis) -> _Plot:
    values = np.concatenate([each.values[np.isfinite(each.values)] for each in series])
    room = (_MARGIN / (_TOP - _BOTTOM), (legend + _MARGIN) / (_TOP - _BOTTOM))
    y = number_axis(float(values.min()), float(values.max()), most=_TICKS, room=room)
    widest = max((pen.width(label, _SMALL) for label in y.labels), default=0.0)
    return _Plot(max(_LEFT, widest + 24.0), x, y)


def _axes(pen: Pen, plot: _Plot, unit: str) -> None:
    """Grid, ticks, labels, titles; the grid first, so that the lines go over it."""
    ups, acrosses = plot.up(np.array(plot.y.ticks)), plot.across(np.array(plot.x.ticks))
    labels = _apart(pen, acrosses, plot.x.labels)
    rows = [point for y in ups for point in ((plot.left, y), (_RIGHT, y), _BREAK)]
    columns = [point for x in acrosses for point in ((x, _BOTTOM), (x, _TOP), _BREAK)]
    pen.line(np.array(rows + columns), _GRID)
    for y, label in zip(ups.tolist(), plot.y.labels, strict=True):
        pen.text((plot.left - 8.0, y - 4.0), label, _SMALL, _FAINT, "right")
    for x, label in zip(acrosses.tolist(), labels, strict=True):
        pen.text((x, _BOTTOM - 18.0), label, _SMALL, _FAINT, "center")
    pen.line(np.array([[plot.left, _TOP], [plot.left, _BOTTOM], [_RIGHT, _BOTTOM]]), _FAINT)
    pen.text(((plot.left + _RIGHT) / 2, _BOTTOM - 40.0), plot.x.title, _SMALL, _FAINT, "center")
    measure = f"{plot.y.title} {unit}".strip()
    pen.text((plot.left, _TOP + 10.0), _cut(pen, measure, _SMALL, 300.0), _SMALL, _FAINT)


def _apart(pen: Pen, places: Numbers, labels: Sequence[str]) -> list[str]:
    """The labels, every second one left out until none touches the next."""
    kept = list(range(len(labels)))
    while any(
        (pen.width(labels[one], _SMALL) + pen.width(labels[other], _SMALL)) / 2 + 8.0 > places[other] - places[one]
        for one, other in pairwise(kept)
    ):
        kept = kept[::2]
    return [label if index in kept else "" for index, label in enumerate(labels)]


def _line(pen: Pen, plot: _Plot, series: _Series, index: int) -> None:
    """The line of a series; a value between two gaps, of which a line shows nothing, as a dot."""
    points = np.column_stack([plot.across(series.times), plot.up(series.values)])
    color, dashes = _style(index)
    pen.line(points, color, 1.8, dashes)
    there = np.isfinite(series.values)
    if len(there) > 1 and there.all():
        return
    lone = there & ~np.append(False, there[:-1]) & ~np.append(there[1:], False)
    if lone.any():
        pen.dots(points[lone], color, 2.5)


def _style(index: int) -> tuple[str, tuple[float, ...]]:
    return COLORS[index % len(COLORS)], DASHES[index // len(COLORS) % len(DASHES)]
