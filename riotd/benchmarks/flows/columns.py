"""What the tables of dataflows say, cell by cell: for the terminal and for the page."""

from collections.abc import Sequence

import msgspec

from riotd.benchmarks.chart import rate_text, ratio_text
from riotd.benchmarks.flows.figures import DAEMON, Figures
from riotd.benchmarks.flows.published import rate
from riotd.benchmarks.flows.scales import written
from riotd.benchmarks.flows.suite import Line

HEADS = (
    "dataflow",
    "msg/s",
    "results/s",
    "held",
    "latency ms",
    "99 %",
    "ratio",
    "jitter",
    "cores",
    "memory",
    "µs/msg",
    "peak/s",
)
Cell = tuple[str, str]
"""A text, and what it is: `good`, `bad`, or "" for neither."""
_NONE: Cell = ("", "")


class StageRow(msgspec.Struct, frozen=True):
    """A part of a message's CPU.

    Attributes:
        name: the stage's.
        taken, given: records a message, "" for what is no stage.
        microseconds: a message.
        share: of all of it; None where it is not all work.
    """

    name: str
    taken: str
    given: str
    microseconds: float
    share: float | None


def ours(line: Line) -> Sequence[Cell]:
    """What was measured, a cell for each of `HEADS`; but for the name nothing where nothing was."""
    figures = line.figures
    if figures is None:
        return [(line.case.name, ""), *[_NONE] * (len(HEADS) - 1)]
    cores, memory = figures.cores.get(DAEMON), figures.memory.get(DAEMON)
    return [
        (line.case.name, ""),
        (rate_text(figures.rate), ""),
        (rate_text(figures.results) if figures.results else "0", ""),
        ("yes", "good") if figures.stable else ("no", "bad"),
        *_latency(line, figures),
        (f"{figures.jitter.median:+.3f}", "") if figures.jitter else _NONE,
        (f"{cores.median:.2f}", "") if cores else _NONE,
        (f"{memory.median / 1e6:,.0f} MB", "") if memory else _NONE,
        (f"{figures.cpu:,.0f}", ""),
        (rate_text(line.peak), "") if line.peak else _NONE,
    ]


def theirs(line: Line) -> Sequence[Cell] | None:
    """What was published; None if nothing was."""
    published = line.published
    if published is None:
        return None
    return [
        ("published", ""),
        (rate_text(rate(line.case.flow, line.case.dataset)), ""),
        *[_NONE] * 2,
        (_quartiles(published.latency), ""),
        *[_NONE] * 2,
        (f"{published.jitter:+.2f}", ""),
        (f"{published.busy:.1f} of {published.cores}", ""),
        (f"{published.bytes / 1e9:.1f} GB", ""),
        *[_NONE] * 2,
    ]


def remarks(line: Line) -> list[str]:
    """What a reader must know beside."""
    found = [*line.notes, *(f"a dead letter: {letter}" for letter in line.letters[:1])]
    return [*found, line.problem] if line.problem else found


def stage_rows(figures: Figures) -> list[StageRow]:
    """What the stages took of a message's CPU, and what is left for all else: reading, writing, MQTT, the engine.

    A stage's is time by the clock: where cores are scarce it holds what the shard waited for one. Of a stage that waits
    for something outside nobody knows which part is work, and that part is in what is left.
    """
    whole = max(figures.cpu, 1e-9)
    rows = [
        StageRow(
            stage.id + (" (waits)" if stage.waits else ""),
            f"{stage.taken:.3g}",
            f"{stage.given:.3g}",
            stage.busy,
            None if stage.waits else stage.busy / whole,
        )
        for stage in figures.stages
    ]
    rest = figures.cpu - sum(stage.busy for stage in figures.stages if not stage.waits)
    return [*rows, StageRow("all else", "", "", rest, rest / whole)] if rows else []


def share_text(row: StageRow) -> str:
    """A part's share in words."""
    return "" if row.share is None else f"{row.share:.0%}"


def _latency(line: Line, figures: Figures) -> list[Cell]:
    found = figures.latency
    if found is None:
        return [_NONE] * 3
    ratio = _NONE if line.ratio is None else (ratio_text(line.ratio), "good" if line.ratio <= 1 else "bad")
    return [(_quartiles((found.q1, found.median, found.q3)), ""), (_ms(found.p99), ""), ratio]


def _quartiles(seconds: Sequence[float]) -> str:
    return " / ".join(map(_ms, seconds))


def _ms(seconds: float) -> str:
    return written(seconds * 1e3)
