"""A dataflow as SVG, without Graphviz: a column for each step from the source."""

from textwrap import wrap
from xml.sax.saxutils import escape

from riotd.cli.drawing import Drawing, Node, layers

_WIDTH, _GAP, _LINE, _MARGIN, _ROW = 210, 60, 15, 20, 24
"""Pixels: of a box, between columns, of a line of text, around all, between boxes."""
_CHARACTERS = 34
"""That fit into a line of a box at 10 px."""
_LINES = 3
_TIP = """<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">
<path d="M0 0 8 4 0 8z" fill="#6b7280"/></marker></defs>"""
_FILL = {"source": "#dbeafe", "stage": "#f3f4f6", "sink": "#dcfce7"}
_HEIGHT = (_LINES + 1) * _LINE + 12


def svg(drawing: Drawing) -> str:
    """The drawing as a whole SVG document; labels too long for their box are cut, and whole in its tooltip."""
    columns = layers(drawing)
    tallest = max(map(len, columns))
    places = {
        node.name: (_MARGIN + column * (_WIDTH + _GAP), _top(row, len(nodes), tallest))
        for column, nodes in enumerate(columns)
        for row, node in enumerate(nodes)
    }
    width = 2 * _MARGIN + len(columns) * (_WIDTH + _GAP) - _GAP
    height = 2 * _MARGIN + tallest * (_HEIGHT + _ROW) - _ROW
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">',
        _TIP,
        *(_edge(places[edge.origin], places[edge.target]) for edge in drawing.edges),
        *(_box(node, places[node.name]) for node in drawing.nodes),
        *(_label(places[edge.origin], places[edge.target], edge.label) for edge in drawing.edges if edge.label),
        "</svg>",
    ])


def _top(row: int, rows: int, tallest: int) -> float:
    """Upper edge of a box, its column centred on the tallest."""
    return _MARGIN + (row + (tallest - rows) / 2) * (_HEIGHT + _ROW)


def _edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1, x2, y2 = start[0] + _WIDTH, start[1] + _HEIGHT / 2, end[0], end[1] + _HEIGHT / 2
    bend = _GAP * 0.6
    path = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    return f'<path d="{path}" fill="none" stroke="#6b7280" marker-end="url(#tip)"/>'


def _label(start: tuple[float, float], end: tuple[float, float], label: str) -> str:
    """The label of an edge, in its middle, on a white ground: it may be longer than the gap."""
    x, y = (start[0] + _WIDTH + end[0]) / 2, (start[1] + end[1] + _HEIGHT) / 2 - 5
    ground = 'stroke="#fff" stroke-width="3" paint-order="stroke"'
    return f'<text x="{x:g}" y="{y:g}" font-size="10" text-anchor="middle" {ground}>{escape(label)}</text>'


def _box(node: Node, place: tuple[float, float]) -> str:
    x, y = place
    texts = [f'<text x="{x + 8:g}" y="{y + 18:g}" font-size="13" font-weight="bold">{escape(node.title)}</text>']
    for index, line in enumerate(_wrapped(node.about), start=1):
        texts.append(f'<text x="{x + 8:g}" y="{y + 18 + index * _LINE:g}" font-size="10">{escape(line)}</text>')
    shape = f'x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"'
    rectangle = f'<rect {shape} fill="{_FILL[node.kind]}" stroke="#9ca3af"/>'
    return f"<g><title>{escape(node.about)}</title>{rectangle}{''.join(texts)}</g>"


def _wrapped(label: str) -> list[str]:
    return wrap(label, _CHARACTERS, max_lines=_LINES, placeholder="…")
