"""`riotd bench`: how fast the tasks are on this machine, beside RIoTBench's published figures."""

import asyncio
import os
import platform
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import click
import msgspec

from riotd import __version__
from riotd.benchmarks.chart import Bar, rate_text, ratio_text, svg
from riotd.benchmarks.machine import processor
from riotd.benchmarks.measuring import Setting
from riotd.benchmarks.suite import KNOWN, Line, Suite, one_core
from riotd.cli.bench_flows import flows
from riotd.cli.progress import bar
from riotd.cli.tables import print_table

_RAY_WAIT = 0.002


class Wish(NamedTuple):
    """What the command line asks for."""

    tasks: Sequence[str]
    engine: str
    shards: int
    warm_up: float
    seconds: float
    repetitions: int
    live: bool
    url: str | None


@click.group()
def command() -> None:
    """Measure riotd on this machine."""


command.add_command(flows)


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--engine", default="inline", show_default=True, type=click.Choice(["inline", "ray"]))
@click.option("--shards", default=1, show_default=True, type=click.IntRange(min=1), help="Workers of the Ray engine.")
@click.option("--warm-up", default=0.5, show_default=True, type=click.FloatRange(min=0), metavar="S")
@click.option("--seconds", default=2.0, show_default=True, type=click.FloatRange(min=0.05), metavar="S")
@click.option("--repetitions", default=3, show_default=True, type=click.IntRange(min=1), help="The median counts.")
@click.option("--live", is_flag=True, help="Search for the highest rate at which neither latency nor backlog grows.")
@click.option("--url", metavar="URL", help="A broker for the MQTT tasks; default a mosquitto of our own.")
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for tasks.json, tasks.svg.")
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON.")
def tasks(
    *,
    names: tuple[str, ...],
    engine: str,
    shards: int,
    warm_up: float,
    seconds: float,
    repetitions: int,
    live: bool,
    url: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    r"""Measure the peak rate of tasks, all of them if none is named.

    Each runs alone through the daemon's pump, inline on one core, over records of a city's sensors out of memory; a
    stage that parses them stands in front and is paid for. Blobs and tables are local files. The published rates were
    measured on one core too, in 2016, mostly over constants.

    \b
    Examples:
      riotd bench tasks                          all, about two and a half minutes
      riotd bench tasks kalman_filter SLR        two
      riotd bench tasks --engine ray --shards 2 -o figures
    """
    chosen = [_resolved(name) for name in names] or list(KNOWN)
    wish = Wish(chosen, engine, shards, warm_up, seconds, repetitions, live, url)
    from riotd.mqtt import Loop  # noqa: PLC0415 - not needed for the help

    with asyncio.Runner(loop_factory=Loop) as runner:
        lines = runner.run(_measured(wish))
    document = _document(wish, lines)
    if out is not None:
        _write(out, document, lines)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        _show(lines)
        if out is not None:
            click.echo(f"\nin full: {out / 'tasks.json'}, {out / 'tasks.svg'}")
    if any(line.problem for line in lines):
        sys.exit(1)


def _resolved(name: str) -> str:
    from riotd import catalog  # noqa: PLC0415 - not needed for the help

    try:
        task = catalog.resolve(name)
    except catalog.TaskNotFound as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None
    if task not in KNOWN:
        close = get_close_matches(task, KNOWN, n=1)
        raise click.BadParameter(f"{task} has no workload" + (f"; {close[0]} has" if close else ""), param_hint="NAME")
    return task


async def _measured(wish: Wish) -> list[Line]:
    from riotd.clock import SystemClock  # noqa: PLC0415 - not needed for the help

    lines: list[Line] = []
    async with _engine(wish) as setting, _broker(wish) as url:
        suite = Suite(setting, SystemClock(), repetitions=wish.repetitions, live=wish.live, url=url)
        with (
            bar("measuring", total=len(wish.tasks)) as progress,
            one_core() if wish.engine == "inline" else nullcontext(),
        ):
            progress.update(0, wish.tasks[0])
            async for line in suite.run(wish.tasks):
                lines.append(line)
                progress.update(len(lines), f"{line.task} {rate_text(line.rate)}/s")
    return lines


@asynccontextmanager
async def _engine(wish: Wish) -> AsyncIterator[Setting]:
    times = {"warm_up": wish.warm_up, "seconds": wish.seconds}
    if wish.engine == "inline":
        from riotd.engines.inline import InlineEngine  # noqa: PLC0415 - not needed for the help

        yield Setting(lambda plan, shards: InlineEngine(plan, shards=shards), shards=wish.shards, **times)
        return
    from riotd.engines.cluster import Cluster  # noqa: PLC0415
    from riotd.engines.ray_actors import RayEngine  # noqa: PLC0415

    cluster = Cluster(None, shards=wish.shards)
    await cluster.start(lambda: None)
    try:
        yield Setting(lambda plan, shards: RayEngine(plan, shards=shards), wait=_RAY_WAIT, shards=wish.shards, **times)
    finally:
        await cluster.stop()


@asynccontextmanager
async def _broker(wish: Wish) -> AsyncIterator[str | None]:
    """The URL of a broker, if there can be one and somebody needs it."""
    from riotd.benchmarks.broker import mosquitto, private_broker  # noqa: PLC0415 - not needed for the help
    from riotd.benchmarks.brokered import TASKS  # noqa: PLC0415

    program = mosquitto()
    if wish.url is not None or program is None or not set(TASKS) & set(wish.tasks):
        yield wish.url
        return
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="riotd-bench-")))
        yield await stack.enter_async_context(private_broker(program, folder))


def _show(lines: Sequence[Line]) -> None:
    heads = ("task", "code", "msg/s", "published", "ratio", "CPU µs/msg", "task µs/record", "")
    print_table(
        heads,
        [
            (
                line.task,
                line.code,
                rate_text(line.rate) if line.rate else "-",
                rate_text(line.published) if line.published else "-",
                ratio_text(line.ratio) if line.ratio else "-",
                f"{line.cpu:.3g}",
                f"{line.busy:.3g}",
                line.problem or line.note,
            )
            for line in lines
        ],
    )


def _document(wish: Wish, lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "schema": 1,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "riotd": __version__,
        "python": platform.python_version(),
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "run": wish._asdict(),
        "tasks": [{**msgspec.to_builtins(line), "ratio": line.ratio} for line in lines],
    }


def _write(out: Path, document: dict[str, Any], lines: Sequence[Line]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "tasks.json").write_bytes(msgspec.json.format(msgspec.json.encode(document)))
    bars = [Bar(line.task, line.rate, line.published) for line in lines if line.rate]
    wish = document["run"]
    caption = (
        f"{document['machine']['processor']}, Python {document['python']}, {wish['engine']}, "
        f"median of {wish['repetitions']}; parsing included. Published: arXiv 1701.08530, figure 5a."
    )
    if bars:
        (out / "tasks.svg").write_bytes(svg(bars, title="Peak rate of RIoTBench's tasks", caption=caption))
