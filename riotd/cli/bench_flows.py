"""`riotd bench flows`: the four dataflows, live, beside RIoTBench's published figures."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import click
import msgspec

from riotd.cli.options import set_option
from riotd.cli.progress import bar
from riotd.cli.tables import aligned, print_table

if TYPE_CHECKING:
    from riotd.benchmarks.flows.ends import Case
    from riotd.benchmarks.flows.figures import Figures
    from riotd.benchmarks.flows.measuring import Setting
    from riotd.benchmarks.flows.suite import Line

_FLOWS: Final = ("etl", "stats", "train", "pred")
_DATASETS: Final = ("city", "fit", "grid", "taxi")
_TRIAL = 10.0
"""Seconds of each trial on the way to a peak, at most."""
_COLOURS = {"good": "green", "bad": "red", "": ""}


class Wish(NamedTuple):
    """What is to be measured, and how, as the command line says it."""

    cases: Sequence["Case"]
    setting: "Setting"
    rate: float | None
    peak: bool


def _rate(_ctx: click.Context, _parameter: click.Parameter, text: str) -> float | None:
    """None for the paper's."""
    if text == "paper":
        return None
    try:
        rate = float(text)
    except ValueError:
        raise click.BadParameter("give `paper`, or messages a second") from None
    if not 0 < rate <= 1e6:
        raise click.BadParameter("must be above 0, and a million at most")
    return rate


@click.command()
@click.argument("flows", nargs=-1, type=click.Choice(_FLOWS), metavar="[etl|stats|train|pred]...")
@click.option(
    "--with", "datasets", multiple=True, type=click.Choice(_DATASETS), help="A data set; default all of them."
)
@click.option("--rate", default="paper", show_default=True, metavar="MSG/S", callback=_rate, help="`paper`: table 2's.")
@click.option(
    "--arrivals", default="constant", show_default=True, type=click.Choice(["constant", "paper"]),
    help="Evenly; or a new rate each second, by the paper's histogram, --rate the highest.",
)  # fmt: skip
@click.option(
    "--sensors", type=click.IntRange(min=1), metavar="N", show_default="as many as the paper's streams have",
    help="Devices of each data set.",
)  # fmt: skip
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(min=2), metavar="S")
@click.option("--warm-up", default=5.0, show_default=True, type=click.FloatRange(min=0), metavar="S")
@click.option("--peak", is_flag=True, help="Search for the highest stable rate, too: doubling, then bisecting.")
@click.option("--engine", default="ray", show_default=True, type=click.Choice(["inline", "ray"]))
@click.option("--shards", type=click.IntRange(min=1), show_default="2 on Ray, 1 inline")
@click.option("--qos", default="0", show_default=True, type=click.Choice(["0", "1"]), help="Of the load.")
@click.option("--url", metavar="URL", help="A broker, mqtt://host:1883; default a mosquitto of our own.")
@click.option(
    "--configs", show_default="those of riotd", type=click.Path(file_okay=False, path_type=Path),
    help="Folder of etl.yaml and its like.",
)  # fmt: skip
@set_option
@click.option("--stages", is_flag=True, help="Show what each stage takes of a message's CPU.")
@click.option(
    "-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for index.html and figures."
)
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON.")
def flows(  # noqa: PLR0917 - click hands one parameter per option, by name
    flows: tuple[Literal["etl", "stats", "train", "pred"], ...],
    datasets: tuple[Literal["city", "fit", "grid", "taxi"], ...],
    rate: float | None,
    arrivals: Literal["constant", "paper"],
    sensors: int | None,
    seconds: float,
    warm_up: float,
    peak: bool,
    engine: Literal["inline", "ray"],
    shards: int | None,
    qos: str,
    url: str | None,
    configs: Path | None,
    settings: tuple[str, ...],
    stages: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    r"""Measure RIoTBench's dataflows end to end, all of them if none is named.

    Each runs as `riotd run` on its file in --configs with the overlay of the data set; a process of its own sends
    sensors' packs to the broker, another takes the results, and both are matched message by message. The paper's
    figures stand beside: Storm on 8 to 32 cores in 2016.

    \b
    Examples:
      riotd bench flows etl --with city --seconds 20 --stages
      riotd bench flows etl pred -o report          all data sets at the paper's rates, and a page of figures
      riotd bench flows etl --with city --peak      the highest rate that it sustains
    """
    from riotd import shipped  # noqa: PLC0415 - not needed for the help
    from riotd.benchmarks.flows.ends import Case, Engine  # noqa: PLC0415 - not needed for the help
    from riotd.benchmarks.flows.measuring import Setting  # noqa: PLC0415
    from riotd.benchmarks.flows.published import PUBLISHED  # noqa: PLC0415

    setting = Setting(
        configs=configs or shipped.folder(),
        engine=Engine(engine, shards or (2 if engine == "ray" else 1)),
        url=url,
        warm_up=warm_up,
        seconds=seconds,
        arrivals=arrivals,
        qos=1 if qos == "1" else 0,
        sensors=sensors,
        settings=settings,
    )
    cases = [Case(flow, dataset) for flow in flows or _FLOWS for dataset in datasets or _DATASETS]
    wish = Wish([case for case in cases if (case.flow, case.dataset) in PUBLISHED], setting, rate, peak)
    if not wish.cases:
        raise click.UsageError("The paper neither trains nor predicts anything for GRID, and neither do the configs.")
    lines = asyncio.run(_measured(wish))
    document = _document(wish, lines)
    if out is not None:
        _write(out, document, lines, wish)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        _show(lines, stages=stages)
        if out is not None:
            click.echo(f"\nas a page: {out / 'index.html'}")
    if any(line.problem for line in lines):
        sys.exit(1)


async def _measured(wish: Wish) -> list["Line"]:
    from riotd.benchmarks.flows.suite import Suite  # noqa: PLC0415 - not needed for the help
    from riotd.clock import SystemClock  # noqa: PLC0415

    lines: list[Line] = []
    seconds = wish.setting.seconds
    with bar("measuring", total=len(wish.cases)) as progress:
        suite = Suite(
            wish.setting,
            SystemClock(),
            rate=wish.rate,
            searching=min(seconds, _TRIAL) if wish.peak else None,
            said=lambda text: progress.update(len(lines), text),
        )
        async for line in suite.run(wish.cases):
            lines.append(line)
            progress.update(len(lines), line.case.name)
    return lines


def _show(lines: Sequence["Line"], *, stages: bool) -> None:
    from riotd.benchmarks.flows.columns import HEADS, ours, remarks, theirs  # noqa: PLC0415 - not needed for the help

    rows: list[tuple[bool, Sequence[tuple[str, str]]]] = []
    for line in lines:
        below = theirs(line)
        rows += [(True, ours(line)), *([(False, below)] if below else [])]
    if sys.stdout.isatty():
        _print_coloured(HEADS, rows)
    else:
        click.echo("\n".join(aligned([HEADS, *([text for text, _ in row] for _, row in rows)])))
    for line in lines:
        for remark in remarks(line):
            click.echo(f"{line.case.name}: {remark}")
        if stages and line.figures is not None and line.figures.stages:
            _show_stages(line.case.name, line.figures)


def _print_coloured(heads: Sequence[str], rows: Sequence[tuple[bool, Sequence[tuple[str, str]]]]) -> None:
    """Rows with what they are: ours, or published ones, which are dimmed."""
    from rich.console import Console  # noqa: PLC0415 - 60 ms that only a terminal needs
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="cyan")
    for number, head in enumerate(heads):
        table.add_column(head, no_wrap=True, justify="right" if number else "left")
    for measured, row in rows:
        table.add_row(*(Text(text, _COLOURS[kind]) for text, kind in row), style="" if measured else "bright_black")
    Console(highlight=False).print(table)


def _show_stages(name: str, figures: "Figures") -> None:
    from riotd.benchmarks.flows.columns import share_text, stage_rows  # noqa: PLC0415 - not needed for the help

    click.echo(f"\n{name}, {figures.cpu:,.0f} µs of CPU a message")
    print_table(
        ("stage", "in", "out", "µs a message", "of all CPU"),
        [(row.name, row.taken, row.given, f"{row.microseconds:.1f}", share_text(row)) for row in stage_rows(figures)],
    )


def _document(wish: Wish, lines: Sequence["Line"]) -> dict[str, Any]:
    from riotd.benchmarks.machine import machine  # noqa: PLC0415 - not needed for the help

    return {
        "schema": 1,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": msgspec.to_builtins(machine()),
        "setting": msgspec.to_builtins(wish.setting, enc_hook=str),
        "flows": [{**msgspec.to_builtins(line), "ratio": line.ratio} for line in lines],
    }


def _write(out: Path, document: dict[str, Any], lines: Sequence["Line"], wish: Wish) -> None:
    """The page, its drawings, and the figures as JSON."""
    from riotd.benchmarks.flows.drawings import drawings  # noqa: PLC0415 - not needed for the help
    from riotd.benchmarks.flows.page import page  # noqa: PLC0415
    from riotd.benchmarks.machine import machine  # noqa: PLC0415

    out.mkdir(parents=True, exist_ok=True)
    (out / "flows.json").write_bytes(msgspec.json.format(msgspec.json.encode(document)))
    drawn = drawings(lines)
    for name, drawing in drawn.items():
        (out / f"{name}.svg").write_text(drawing, encoding="utf-8")
    text = page(lines, drawn, machine=machine(), when=document["when"], setting=wish.setting.text)
    (out / "index.html").write_text(text, encoding="utf-8")
