"""Reports of bounded runs, for people and for programs."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from riotd.cli.bounded import Asked
from riotd.cli.tables import print_table

if TYPE_CHECKING:
    from riotd.bounded.report import Report, ShardFigures, StageFigures

_BATCH = ("input", "lines", "results", "refused", "filtered", "seconds", "lines/s", "output")
_SHARD = (
    "shard",
    "lines",
    "results",
    "refused",
    "filtered",
    "devices",
    "busy s",
    "lines/busy s",
    "p50 ms",
    "p99 ms",
    "max ms",
)
_STAGE = ("stage", "in", "passed", "filtered", "refused", "out", "busy s")


def show_report(report: "Report", asked: Asked, *, err: bool = False) -> None:
    """One run: what it took and gave, then whatever may not be as it was meant."""
    if asked.as_json:
        click.echo(json.dumps(report.plain(), ensure_ascii=False), err=err)
        return
    where = report.about.engine if report.about.shards == 1 else f"{report.about.engine}, {report.about.shards} shards"
    name = click.style(f"{report.about.input} → {report.about.output}", bold=True)
    click.echo(f"{name}  {_taken(report)} in {report.seconds:,.2f} s: {report.throughput:,.0f}/s ({where})", err=err)
    if asked.verbose:
        _show_parts(report)
    _show_trouble(report, asked.rejects)


def show_reports(reports: "Sequence[Report]", asked: Asked) -> None:
    """Many runs: a row each."""
    if asked.as_json:
        click.echo(json.dumps([report.plain() for report in reports], ensure_ascii=False))
        return
    _print(_BATCH, [_row(report) for report in reports], texts=("input", "output"))
    for report in reports:
        if asked.verbose and not report.failure:
            click.secho(f"\n{report.about.input}", bold=True)
            _show_parts(report)
        _show_trouble(report, asked.rejects, name=f"{report.about.input}: ")


def _row(report: "Report") -> tuple[str, ...]:
    counts = (report.records, report.results, report.errors, report.filtered)
    if report.failure:
        return (report.about.input, *("-" for _ in counts), "-", "-", "failed")
    return (
        report.about.input,
        *(f"{count:,}" for count in counts),
        f"{report.seconds:,.2f}",
        f"{report.throughput:,.0f}",
        report.about.output,
    )


def _taken(report: "Report") -> str:
    text = f"{report.records:,} lines, {report.results:,} results"
    text += f", {report.filtered:,} filtered" if report.filtered else ""
    return text + (click.style(f", {report.errors:,} refused", fg="yellow") if report.errors else "")


def _show_parts(report: "Report") -> None:
    _print(_SHARD, [_shard(each) for each in report.per_shard], texts=())
    click.echo()
    _print(_STAGE, [_stage(each) for each in report.stages], texts=("stage",))


def _shard(figures: "ShardFigures") -> tuple[str, ...]:
    counts = (figures.records, figures.results, figures.errors, figures.filtered, figures.devices)
    latency = figures.latency_ms
    return (
        "all" if figures.shard < 0 else str(figures.shard),
        *(f"{count:,}" for count in counts),
        f"{figures.busy_s:,.2f}",
        f"{figures.throughput:,.0f}",
        *(f"{value:,.1f}" for value in (latency.p50, latency.p99, latency.max)),
    )


def _stage(figures: "StageFigures") -> tuple[str, ...]:
    counts = (figures.received, figures.passed, figures.filtered, figures.errors, figures.emitted)
    return (figures.id, *(f"{count:,}" for count in counts), f"{figures.busy_s:,.2f}")


def _print(heads: Sequence[str], rows: Sequence[Sequence[str]], *, texts: Sequence[str]) -> None:
    """A table; columns that are no texts are numbers, one below the other."""
    columns = []
    for head, *cells in zip(heads, *rows, strict=True):
        width = 0 if head in texts else max(map(len, (head, *cells)))
        columns.append([cell.rjust(width) for cell in (head, *cells)])
    head, *body = zip(*columns, strict=True)
    print_table(head, body)


def _show_trouble(report: "Report", rejects: Path | None, *, name: str = "") -> None:
    if report.failure:
        click.secho(report.failure, fg="red", err=True)
    for line in _trouble(report, rejects):
        click.echo(f"{name}{line}", err=True)


def _trouble(report: "Report", rejects: Path | None) -> Iterator[str]:
    if report.about.task == "mqtt_publish":
        yield "nothing was published: mqtt_publish is a sink of `riotd run`; for a file there is `riotd replay`"
    for each in report.refused:
        yield f"line {each.id}: {each.stage}: {each.reason}"
    if more := report.errors - len(report.refused):
        yield f"… and {more:,} more; " + (f"all are in {rejects}" if rejects else "--rejects FILE keeps them all")
    if report.unnamed:
        many = "no line says" if report.unnamed == report.records else f"{report.unnamed:,} lines do not say"
        yield f"{many} which device it is of, so they share one state; --key FIELD names the field that does"
