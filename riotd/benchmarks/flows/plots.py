"""Panels of box plots and bars in one SVG, ours beside the published: as in RIoTBench's figures 6 to 11.

Colours are variables that a page may set; on its own a drawing has those for white paper.
"""

from collections.abc import Sequence
from typing import Literal
from xml.sax.saxutils import escape

import msgspec

from riotd.benchmarks.flows.scales import Scale, scale, written

_INK, _FAINT, _GRID = "var(--ink,#1f2937)", "var(--faint,#6b7280)", "var(--grid,#e5e7eb)"
_SERIES = {"riotd": "var(--ours,#0072b2)", "published": "var(--theirs,#999999)"}
_WIDTH, _HEIGHT, _LEFT, _TOP, _FOOT, _GAP = 268, 190, 46, 44, 46, 16
_SLOT = 0.34
"""Of the width of a group: a box with the space around it."""
_BOX = 0.24
_FIELD_END = 0.06

Series = Literal["riotd", "published"]


class Box(msgspec.Struct, frozen=True):
    """A box from quartile to quartile with its median, and whiskers where they are known; or a bar, if it is `bar`.

    Attributes:
        series: whose.
        middle: the median, or how high the bar is.
        quartiles: the lower and the upper.
        whiskers: 5 % and 95 %.
        tip: what a reader sees who points at it.
    """

    series: Series
    middle: float
    quartiles: tuple[float, float] | None = None
    whiskers: tuple[float, float] | None = None
    tip: str = ""

    @property
    def extent(self) -> tuple[float, ...]:
        """All that has to have a place on the axis."""
        return (self.middle, *(self.quartiles or ()), *(self.whiskers or ()))


class Group(msgspec.Struct, frozen=True):
    """Boxes side by side above their label."""

    label: str
    boxes: Sequence[Box]


class Panel(msgspec.Struct, frozen=True):
    """An axis with its groups.

    Attributes:
        title: above it.
        unit: of the numbers.
        groups: from the left.
        bars: bars from the axis' foot, with their numbers on top, instead of boxes.
    """

    title: str
    unit: str
    groups: Sequence[Group]
    bars: bool = False


def svg(title: str, panels: Sequence[Panel]) -> str:
    """The panels side by side as a whole SVG document."""
    width, height = len(panels) * (_WIDTH + _GAP) + _GAP, _TOP + _HEIGHT + _FOOT
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui,sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
    ]
    for index, panel in enumerate(panels):
        parts.append(f'<g transform="translate({_GAP + index * (_WIDTH + _GAP)},0)">')
        parts += _panel(panel)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"])


def _panel(panel: Panel) -> list[str]:
    values = [value for group in panel.groups for box in group.boxes for value in box.extent]
    axis = scale(values or [0.0, 1.0])
    return [
        _text(0, 14, panel.title, weight="600", size=13),
        _text(0, 30, panel.unit + (", logarithmic" if axis.log else ""), colour=_FAINT, size=10),
        *_axis(axis),
        *(part for number, group in enumerate(panel.groups) for part in _group(panel, axis, number, group)),
    ]


def _axis(axis: Scale) -> list[str]:
    parts = []
    for tick in axis.ticks:
        y = _y(axis, tick)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_GRID}"/>')
        parts.append(_text(_LEFT - 6, y + 4, written(tick), anchor="end", colour=_FAINT, size=10))
    return parts


def _group(panel: Panel, axis: Scale, number: int, group: Group) -> list[str]:
    width = (_WIDTH - _LEFT) / max(len(panel.groups), 1)
    middle = _LEFT + (number + 0.5) * width
    slot = min(width * _SLOT, 44)
    parts = [_text(middle, _TOP + _HEIGHT + 18, group.label, anchor="middle")]
    draw = _bar if panel.bars else _box
    for index, box in enumerate(group.boxes):
        x = middle + (index - (len(group.boxes) - 1) / 2) * slot
        parts.append(f"<g><title>{escape(box.tip)}</title>{draw(axis, x, slot, box)}</g>")
    return parts


def _box(axis: Scale, x: float, slot: float, box: Box) -> str:
    colour, half = _SERIES[box.series], slot * _BOX / _SLOT / 2
    parts = []
    if box.whiskers:
        low, high = (_y(axis, value) for value in box.whiskers)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{high:.1f}" y2="{low:.1f}" stroke="{colour}"/>')
        parts += [_rule(x, half / 2, y, colour, 1) for y in (low, high)]
    if box.quartiles:
        low, high = (_y(axis, value) for value in box.quartiles)
        parts.append(
            f'<rect x="{x - half:.1f}" y="{high:.1f}" width="{2 * half:.1f}" height="{max(low - high, 1):.1f}"'
            f' rx="1.5" fill="{colour}" fill-opacity="0.28" stroke="{colour}"/>'
        )
    parts.append(_rule(x, half, _y(axis, box.middle), colour, 2.5))
    return "".join(parts)


def _bar(axis: Scale, x: float, slot: float, box: Box) -> str:
    half, top, foot = slot * 0.42, _y(axis, box.middle), float(_TOP + _HEIGHT)
    return (
        f'<rect x="{x - half:.1f}" y="{top:.1f}" width="{2 * half:.1f}" height="{max(foot - top, 0.5):.1f}"'
        f' rx="1.5" fill="{_SERIES[box.series]}"/>'
        + _text(x, top - 4, written(box.middle), anchor="middle", colour=_FAINT, size=9)
    )


def _rule(x: float, half: float, y: float, colour: str, width: float) -> str:
    ends = f'x1="{x - half:.1f}" x2="{x + half:.1f}" y1="{y:.1f}" y2="{y:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"/>'


def _y(axis: Scale, value: float) -> float:
    room = _HEIGHT * (1 - _FIELD_END)
    return _TOP + _HEIGHT - axis.place(value) * room


def _text(  # noqa: PLR0913 - SVG's attributes
    x: float, y: float, text: str, *, anchor: str = "start", colour: str = _INK, size: float = 11, weight: str = "400"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size:g}"'
        f' font-weight="{weight}">{escape(text)}</text>'
    )
