"""What a drill shows while it goes on, and at its end."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from riotd.drill.faults import FAULTS
from riotd.drill.feeder import Feeder
from riotd.drill.judge import Judge
from riotd.drill.report import KILLS, Episode, Report

_LAST = 8
"""Faults on the screen."""


def picture(feeder: Feeder, judge: Judge, episodes: list[Episode], now: str) -> RenderableType:
    """The state of things.

    Args:
        feeder: what it has sent.
        judge: what it has counted.
        episodes: the faults so far.
        now: what is being done.
    """
    counts = judge.counts
    figures = Table.grid(padding=(0, 3))
    figures.add_row(
        _figure("sent", feeder.sent),
        _figure("acknowledged", feeder.acknowledged),
        _figure("results", counts.heard),
        _figure("outstanding", judge.outstanding, style="yellow" if judge.outstanding else "green"),
        _figure("doubled", counts.doubled),
        _figure("out of order", counts.late, style=_bad(counts.late)),
        _figure("wrong", counts.wrong + counts.unknown, style=_bad(counts.wrong + counts.unknown)),
    )
    table = Table("at", "fault", "silence", "doubled", box=None, header_style="dim")
    for episode in episodes[-_LAST:]:
        table.add_row(*_row(episode))
    return Group(figures, Text(f"{len(episodes)} faults so far; now: {now}", style="cyan"), table)


def line(episode: Episode) -> str:
    """A fault, in a pipe."""
    at, fault, silence, doubled = (str(cell) for cell in _row(episode))
    return f"{at:>9}  {fault:<15} silence {silence:>8}  doubled {doubled}"


def summary(report: Report) -> RenderableType:
    """The report."""
    table = Table(title="riotd drill", title_style="bold", header_style="bold")
    for name in ("fault", "times", "doubled", "most at once", "silence, median", "longest"):
        table.add_column(name, justify="left" if name == "fault" else "right")
    for name, row in report.faults().items():
        table.add_row(
            name,
            f"{row['times']:,.0f}",
            f"{row['doubled']:,.0f}",
            f"{row['doubled_most']:,.0f}",
            f"{row['silence_median_s']:.2f} s",
            f"{row['silence_most_s']:.2f} s",
        )
    for name, why in report.skipped.items():
        table.add_row(Text(name, style="dim"), Text("-", style="dim"), "", "", Text(why, style="dim"), "")
    return Group(table, _totals(report), _verdict(report))


def listing() -> RenderableType:
    """All faults there are."""
    table = Table("fault", "what happens", box=None, header_style="bold")
    for name, text in FAULTS.items():
        table.add_row(Text(name, style="cyan"), text)
    return table


def _totals(report: Report) -> RenderableType:
    counts, table = report.results, Table.grid(padding=(0, 3))
    table.add_row(
        _figure("acknowledged", report.acknowledged),
        _figure("results", counts.heard),
        _figure("doubled", counts.doubled),
    )
    table.add_row(
        _figure("lost", report.lost, style=_bad(report.lost)),
        _figure("out of order", counts.late, style=_bad(counts.late)),
        _figure("wrong state", counts.wrong, style=_bad(counts.wrong)),
    )
    doubled = ""
    if report.batch and any(episode.fault in KILLS for episode in report.episodes):
        doubled = (
            f"; at most {report.doubled_by_a_kill:,} results again after a kill, a batch has up to {report.batch:,}"
        )
    kills = f"{report.kills:,} kills, " if report.kills_asked else ""
    gap = f"longest gap {report.longest:.2f} s (the feeder itself was held up for {report.feeder_pause:.2f} s at most)"
    return Group(
        table, Text(f"{gap}; {kills}{report.lives} lives of the daemon{doubled}; seed {report.seed}", style="dim")
    )


def _verdict(report: Report) -> RenderableType:
    if not report.complaints:
        return Text("nothing lost, nothing out of order, state right", style="bold green")
    lines = [Text(complaint, style="bold red") for complaint in report.complaints]
    return Group(*lines, *(Text(f"  {example}", style="red") for example in report.examples))


def _row(episode: Episode) -> tuple[str, Text, str, str]:
    late = episode.recovered is False
    fault = Text(episode.fault + " (not caught up)" * late, style="red" if late else "")
    return f"{episode.at:.1f} s", fault, f"{episode.silence:.2f} s", f"{episode.doubled:,}"


def _figure(name: str, value: int, *, style: str = "bold") -> Text:
    return Text.assemble((f"{name} ", "dim"), (f"{value:,}", style))


def _bad(count: int) -> str:
    return "bold red" if count else "green"
