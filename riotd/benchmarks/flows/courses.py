"""How a run went, second by second, as lines: what came in, what went out, what was waiting."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

import msgspec

from riotd.benchmarks.flows.scales import scale, written

_WIDTH, _HEIGHT, _LEFT, _TOP, _FOOT = 420, 110, 52, 26, 22


class Line(msgspec.Struct, frozen=True):
    """A number for each second, and how it is drawn."""

    label: str
    colour: str
    values: Sequence[float]
    dashed: bool = False


def svg(title: str, lines: Sequence[Line]) -> str:
    """The lines above one axis of seconds as a whole SVG document."""
    axis = scale([0.0, *(value for line in lines for value in line.values)])
    longest = max(max((len(line.values) for line in lines), default=1), 2)
    height = _TOP + _HEIGHT + _FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"',
        f' font-family="system-ui,sans-serif" font-size="10" role="img"><title>{escape(title)}</title>',
        f'<text x="0" y="12" font-size="12" font-weight="600" fill="var(--ink,#1f2937)">{escape(title)}</text>',
    ]
    for tick in axis.ticks:
        y = _TOP + _HEIGHT * (1 - axis.place(tick))
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--grid,#e5e7eb)"/>')
        parts.append(_small(_LEFT - 6, y + 3, "end", written(tick)))
    for number, line in enumerate(lines):
        points = " ".join(
            f"{_LEFT + (_WIDTH - _LEFT) * second / (longest - 1):.1f},{_TOP + _HEIGHT * (1 - axis.place(value)):.1f}"
            for second, value in enumerate(line.values)
        )
        dash = ' stroke-dasharray="4 3"' if line.dashed else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="1.6"{dash}/>')
        parts.append(_small(_LEFT + number * 110 + 6, height - 6, "start", f"— {line.label}", line.colour))
    return "\n".join([*parts, "</svg>"])


def _small(x: float, y: float, anchor: str, text: str, colour: str = "var(--faint,#6b7280)") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
