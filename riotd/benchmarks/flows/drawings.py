"""The figures of all dataflows as drawings: latency, throughput, jitter, CPU, memory, each a panel a dataflow."""

from collections.abc import Callable, Sequence

from riotd.benchmarks.flows import plots
from riotd.benchmarks.flows.figures import DAEMON, Figures
from riotd.benchmarks.flows.plots import Box, Group, Panel
from riotd.benchmarks.flows.published import FLOWS
from riotd.benchmarks.flows.scales import written
from riotd.benchmarks.flows.spreads import Spread
from riotd.benchmarks.flows.suite import Line

_MS, _MB = 1e3, 1e-6
Boxes = Callable[[Line, Figures], Sequence[Box]]


def drawings(lines: Sequence[Line]) -> dict[str, str]:
    """Name to SVG; none if nothing was measured."""
    measured = [(line, line.figures) for line in lines if line.figures is not None]
    if not measured:
        return {}
    made: dict[str, tuple[str, str, Boxes, bool]] = {
        "latency": ("End-to-end latency", "ms", _latency, False),
        "throughput": ("Throughput", "messages/s in, results/s out", _throughput, True),
        "jitter": ("Jitter of a second's results", "share of the expected", _jitter, False),
        "cpu": ("CPU", "cores", _cpu, False),
        "memory": ("Memory", "MB", _memory, False),
    }
    return {
        name: plots.svg(title, _panels(measured, unit, boxes, bars=bars))
        for name, (title, unit, boxes, bars) in made.items()
    }


def _panels(measured: Sequence[tuple[Line, Figures]], unit: str, boxes: Boxes, *, bars: bool) -> list[Panel]:
    """A panel for each dataflow that was measured, a group for each of its data sets."""
    panels = []
    for flow in FLOWS:
        groups = [
            Group(line.case.dataset.upper(), boxes(line, figures))
            for line, figures in measured
            if line.case.flow == flow
        ]
        if groups:
            panels.append(Panel(flow.upper(), unit, groups, bars))
    return panels


def _ours(spread: Spread | None, factor: float, unit: str) -> list[Box]:
    if spread is None:
        return []
    low, middle, high = (factor * each for each in (spread.q1, spread.median, spread.q3))
    tip = (
        f"riotd: median {written(middle)} {unit}, half of them {written(low)} to {written(high)}, "
        f"95 % {written(factor * spread.p95)}, 99 % {written(factor * spread.p99)}, most {written(factor * spread.max)}"
    )
    return [Box("riotd", middle, (low, high), (factor * spread.p5, factor * spread.p95), tip)]


def _theirs(middle: float, unit: str, quartiles: tuple[float, float] | None = None) -> Box:
    between = f", half of them {written(quartiles[0])} to {written(quartiles[1])}" if quartiles else ""
    return Box("published", middle, quartiles, tip=f"published: median {written(middle)} {unit}{between}")


def _latency(line: Line, figures: Figures) -> list[Box]:
    boxes = _ours(figures.latency, _MS, "ms")
    if line.published:
        low, middle, high = (_MS * each for each in line.published.latency)
        boxes.append(_theirs(middle, "ms", (low, high)))
    return boxes


def _throughput(_line: Line, figures: Figures) -> list[Box]:
    return [
        Box("published", figures.rate, tip=f"in: {written(figures.rate)} messages/s"),
        Box("riotd", figures.results, tip=f"out: {written(figures.results)} results/s"),
    ]


def _jitter(line: Line, figures: Figures) -> list[Box]:
    boxes = _ours(figures.jitter, 1.0, "")
    return [*boxes, _theirs(line.published.jitter, "")] if line.published else boxes


def _cpu(line: Line, figures: Figures) -> list[Box]:
    boxes = _ours(figures.cores.get(DAEMON), 1.0, "cores")
    return [*boxes, _theirs(line.published.busy, "cores")] if line.published else boxes


def _memory(line: Line, figures: Figures) -> list[Box]:
    boxes = _ours(figures.memory.get(DAEMON), _MB, "MB")
    return [*boxes, _theirs(_MB * line.published.bytes, "MB")] if line.published else boxes
