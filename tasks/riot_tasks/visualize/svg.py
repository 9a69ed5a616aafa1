"""Pictures in SVG, written as text: a chart takes a sixth of the time that matplotlib's renderer needs for it.

Texts stay texts: a third of the bytes, and they can be searched. There is no date and no random identifier in it; the
same calls give the same bytes.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from matplotlib.path import Path

from riot_tasks.visualize.pen import HEIGHT, POINTS, WIDTH, Align, Pen, Points

_OPENING = """\
<?xml version="1.0" encoding="utf-8" standalone="no"?>
<svg xmlns="http://www.w3.org/2000/svg" width="{0:g}pt" height="{1:g}pt" viewBox="0 0 {0:g} {1:g}" version="1.1">
<title>{2}</title>
<style type="text/css">*{{stroke-linejoin: round; stroke-linecap: butt}} \
text{{font-family: 'DejaVu Sans', 'Verdana', sans-serif}}</style>
"""
# two fonts of nearly the same widths, for viewers without the first
_ANCHORS: Final = {"left": "start", "center": "middle", "right": "end"}
_MARKUP: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_FEW: Final = 200
"""Points of a line that are all drawn; of more those are left out whose absence nobody sees."""
_UNSEEN: Final = 1 / 9  # of a pixel, which is matplotlib's own


class SvgPen(Pen):
    """Draws SVG, in UTF-8."""

    def __init__(self, title: str) -> None:
        self._parts = [_OPENING.format(WIDTH * POINTS, HEIGHT * POINTS, title.translate(_MARKUP))]

    def line(self, points: Points, color: str, width: float = 1.0, dashes: Sequence[float] = ()) -> None:
        """As `Pen.line`."""
        style = f"fill: none; stroke: {color}; stroke-width: {_short(width * POINTS)}"
        if dashes:
            style += f"; stroke-dasharray: {','.join(_short(length * POINTS) for length in dashes)}"
        self._parts.append(f'<path d="{_path(points)}" style="{style}"/>\n')

    def dots(self, points: Points, color: str, radius: float) -> None:
        """As `Pen.dots`."""
        for x, y in _turned(points).tolist():
            place = f'cx="{_short(x)}" cy="{_short(y)}" r="{_short(radius * POINTS)}"'
            self._parts.append(f'<circle {place} style="fill: {color}"/>\n')

    def box(self, left: float, bottom: float, width: float, height: float, fill: str) -> None:
        """As `Pen.box`."""
        corners = [[left, bottom], [left + width, bottom], [left + width, bottom + height], [left, bottom + height]]
        self._parts.append(f'<path d="{_path(np.array(corners))} z" style="fill: {fill}"/>\n')

    def text(self, at: tuple[float, float], text: str, size: float, color: str, align: Align = "left") -> None:
        """As `Pen.text`."""
        place = f'x="{_short(at[0] * POINTS)}" y="{_short((HEIGHT - at[1]) * POINTS)}"'
        self._parts.append(f'<text {place} style="{_lettering(size, color, align)}">{text.translate(_MARKUP)}</text>\n')

    def picture(self) -> bytes:
        """The SVG."""
        return "".join([*self._parts, "</svg>\n"]).encode()


def _path(points: Points) -> str:
    """A path's data: from point to point, anew after a gap."""
    if len(points) > _FEW:
        points = _thinned(points)
    turned = _turned(points)
    there = ~np.isnan(turned.sum(axis=1))
    if there.all():
        return ("M %.7g %.7g" + " L %.7g %.7g" * (len(turned) - 1)) % tuple(turned.ravel().tolist())
    parts, command = [], "M"
    for point in there.tolist():
        if point:
            parts.append(command + " %.7g %.7g")
        command = "L" if point else "M"
    return " ".join(parts) % tuple(turned[there].ravel().tolist())


def _thinned(points: Points) -> Points:
    """The points without those that lie on the way between their neighbours, a row of NaN for each gap."""
    path = Path(points)
    path.should_simplify, path.simplify_threshold = True, _UNSEEN  # whatever somebody's settings say
    kept: list[Points] = []
    for vertex, code in path.iter_segments(remove_nans=True, simplify=True, curves=False):
        if code == Path.MOVETO and kept:
            kept.append(np.array([np.nan, np.nan]))
        kept.append(vertex)
    return np.array(kept)


def _turned(points: Points) -> Points:
    """In points from the upper left, to a thousandth."""
    turned: Points = np.round(points * (POINTS, -POINTS) + (0.0, HEIGHT * POINTS), 3)
    return turned


@lru_cache
def _lettering(size: float, color: str, align: Align) -> str:
    return f"font-size: {_short(size * POINTS)}px; text-anchor: {_ANCHORS[align]}; fill: {color}"


def _short(number: float) -> str:
    """To a thousandth, without zeros at the end; for numbers of a picture, which have three digits before the point."""
    return f"{round(number, 3):.7g}"
