"""A dataflow as a drawing: text for a terminal, Mermaid, Graphviz' dot."""

import json
from collections.abc import Iterator

import msgspec

from riotd import config as cfg
from riotd.cli.outline import call_text, sink_text, source_text
from riotd.dataflow import Plan
from riotd.segments import Step, arranged


class Node(msgspec.Struct, frozen=True):
    """A source, a stage or a sink.

    Attributes:
        name: unique in the drawing: a stage's id, `source:` or `sink:` and the name there; ids have no colon.
        kind: `source`, `stage` or `sink`.
        title: what it is called.
        about: what it does.
    """

    name: str
    kind: str
    title: str
    about: str


class Edge(msgspec.Struct, frozen=True):
    """Records on their way from one node to another.

    Attributes:
        origin: name of the node that gives them.
        target: of the one that takes them.
        label: the output they are of, if it is not the main one, and the key by which they change shards.
    """

    origin: str
    target: str
    label: str = ""


class Drawing(msgspec.Struct, frozen=True):
    """Nodes, each after those it takes from, and what goes from one to another."""

    nodes: list[Node]
    edges: list[Edge]

    def after(self, name: str) -> list[Edge]:
        """What goes out from this one."""
        return [edge for edge in self.edges if edge.origin == name]


def draw(config: cfg.Config, plan: Plan) -> Drawing:
    """The drawing of a configuration."""
    sources = [_source(inlet) for inlet in config.inlets]
    stages = [Node(stage.id, "stage", stage.id, call_text(stage)) for stage in plan.stages]
    sinks = [Node(f"sink:{name}", "sink", name, sink_text(sink)) for name, sink in config.sinks.items()]
    edges = [edge for step in arranged(plan) for edge in _inputs(plan, step)]
    edges += [_edge(name, f"sink:{outlet.sink}") for outlet in plan.outlets for name in outlet.stages]
    return Drawing([*sources, *stages, *sinks], edges)


def _source(inlet: cfg.Inlet) -> Node:
    return Node(f"source:{inlet.name}", "source", inlet.name or inlet.block.type, source_text(inlet.block))


def _inputs(plan: Plan, step: Step) -> Iterator[Edge]:
    """What goes to a stage; all raw messages are those of each source."""
    for each in step.inputs:
        names = [each.name] if each.name else [f"source:{name}" for name in plan.sources or ("",)]
        key = f"⇄ {cfg.key_text(step.key)}" if plan.shards > 1 and each.edge is not None else ""
        for name in names:
            yield _edge(f"source:{name}" if name in plan.sources else name, step.stage.id, key)


def _edge(name: str, target: str, key: str = "") -> Edge:
    """An edge from what `name` stands for: a node, or `<stage>/<output>`."""
    origin, _, output = name.partition("/")
    return Edge(origin, target, ", ".join(filter(None, (output, key))))


def text(drawing: Drawing) -> str:
    """A tree below each source; what takes from several is drawn below the first, and only named below the others."""
    nodes = {node.name: node for node in drawing.nodes}
    lines: list[str] = []
    drawn: set[str] = set()

    def branch(name: str, indent: str) -> None:
        edges = drawing.after(name)
        for edge in edges:
            node, end, here = nodes[edge.target], edge is edges[-1], edge.target not in drawn
            drawn.add(edge.target)
            arrow, label = "▶ " if node.kind == "sink" else "", f"({edge.label}) " if edge.label else ""
            about = node.about if here else "(above)"
            lines.append(f"{indent}{'└─' if end else '├─'} {label}{arrow}{node.title}  {about}")
            if here:
                branch(edge.target, indent + ("   " if end else "│  "))

    for root in drawing.nodes:
        if root.kind == "source":
            lines.append(f"{root.title}  {root.about}")
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
    for edge in drawing.edges:
        label = f'|"{_entities(edge.label)}"|' if edge.label else ""
        lines.append(f"  {numbers[edge.origin]} -->{label} {numbers[edge.target]}")
    return "\n".join(lines)


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
    for edge in drawing.edges:
        label = f" [label={_quoted(edge.label)}]" if edge.label else ""
        lines.append(f"  {_quoted(edge.origin)} -> {_quoted(edge.target)}{label};")
    return "\n".join([*lines, "}"])


def _quoted(label: str) -> str:
    return json.dumps(label, ensure_ascii=False)


def layers(drawing: Drawing) -> list[list[Node]]:
    """Nodes by the length of the longest way to them."""
    depth: dict[str, int] = {}
    for node in drawing.nodes:
        depth[node.name] = max(
            (depth[edge.origin] + 1 for edge in drawing.edges if edge.target == node.name), default=0
        )
    return [[node for node in drawing.nodes if depth[node.name] == level] for level in range(max(depth.values()) + 1)]
