"""A dataflow as a drawing: text for a terminal, Mermaid, Graphviz' dot."""

import json

import msgspec

from riotd import config as cfg
from riotd.cli.outline import call_text, sink_text, source_text
from riotd.dataflow import Plan


class Node(msgspec.Struct, frozen=True):
    """A source, a stage or a sink.

    Attributes:
        name: unique in the drawing: a stage's id, `source:`, or `sink:` and the sink's name; ids have no colon.
        kind: `source`, `stage` or `sink`.
        title: what it is called.
        about: what it does.
    """

    name: str
    kind: str
    title: str
    about: str


class Drawing(msgspec.Struct, frozen=True):
    """Nodes, each after those it takes from, and edges from name to name."""

    nodes: list[Node]
    edges: list[tuple[str, str]]

    def after(self, name: str) -> list[str]:
        """Names of those that take from this one."""
        return [target for origin, target in self.edges if origin == name]


def draw(config: cfg.Config, plan: Plan) -> Drawing:
    """The drawing of a configuration."""
    source = Node("source:", "source", config.source.type, source_text(config))
    stages = [Node(stage.id, "stage", stage.id, call_text(stage)) for stage in plan.stages]
    sinks = [Node(f"sink:{name}", "sink", name, sink_text(sink)) for name, sink in config.sinks.items()]
    edges = [(origin, stage.id) for stage in plan.stages for origin in stage.after or ("source:",)]
    edges += [(stage, f"sink:{outlet.sink}") for outlet in plan.outlets for stage in outlet.stages]
    return Drawing([source, *stages, *sinks], edges)


def text(drawing: Drawing) -> str:
    """A tree; what takes from several is drawn below the first of them, and only named below the others."""
    nodes = {node.name: node for node in drawing.nodes}
    root = drawing.nodes[0]
    lines = [f"{root.title}  {root.about}"]
    drawn: set[str] = set()

    def branch(name: str, indent: str) -> None:
        targets = drawing.after(name)
        for target in targets:
            node, end, here = nodes[target], target == targets[-1], target not in drawn
            drawn.add(target)
            arrow = "▶ " if node.kind == "sink" else ""
            lines.append(f"{indent}{'└─' if end else '├─'} {arrow}{node.title}  {node.about if here else '(above)'}")
            if here:
                branch(target, indent + ("   " if end else "│  "))

    branch(root.name, "")
    return "\n".join(lines)


_SHAPES = {"source": ("([", "])"), "stage": ("[", "]"), "sink": ("[/", "/]")}
"""Mermaid's brackets for each kind."""


def mermaid(drawing: Drawing) -> str:
    """A Mermaid flowchart, as Markdown viewers draw it."""
    numbers = {node.name: f"n{index}" for index, node in enumerate(drawing.nodes)}
    lines = ["flowchart LR"]
    for node in drawing.nodes:
        opening, closing = _SHAPES[node.kind]
        label = "<br>".join(_entities(part) for part in (node.title, node.about))
        lines.append(f'  {numbers[node.name]}{opening}"{label}"{closing}')
    return "\n".join([*lines, *(f"  {numbers[origin]} --> {numbers[target]}" for origin, target in drawing.edges)])


def _entities(label: str) -> str:
    """Mermaid's escapes for what would end a label or begin markup."""
    for sign, code in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        label = label.replace(sign, code)
    return label


_DOT_SHAPES = {"source": "cds", "stage": "box", "sink": "note"}


def dot(drawing: Drawing) -> str:
    """A graph for Graphviz."""
    lines = ["digraph riotd {", "  rankdir=LR;", '  node [fontname="sans-serif", fontsize=11];']
    for node in drawing.nodes:
        label = _quoted(f"{node.title}\n{node.about}")
        lines.append(f"  {_quoted(node.name)} [shape={_DOT_SHAPES[node.kind]}, label={label}];")
    edges = [f"  {_quoted(origin)} -> {_quoted(target)};" for origin, target in drawing.edges]
    return "\n".join([*lines, *edges, "}"])


def _quoted(label: str) -> str:
    return json.dumps(label, ensure_ascii=False)


def layers(drawing: Drawing) -> list[list[Node]]:
    """Nodes by the length of the longest way to them."""
    depth: dict[str, int] = {}
    for node in drawing.nodes:
        depth[node.name] = max(
            (depth[origin] + 1 for origin, target in drawing.edges if target == node.name), default=0
        )
    return [[node for node in drawing.nodes if depth[node.name] == level] for level in range(max(depth.values()) + 1)]
