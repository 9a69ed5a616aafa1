"""`riotd drill`: hurt a daemon, and see that nothing is lost."""

import asyncio
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from riotd.cli.drill_running import Wish, drill
from riotd.cli.options import set_option, with_option

if TYPE_CHECKING:
    from rich.console import Console

    from riotd.drill.report import Report
    from riotd.drill.scratch import Options
    from riotd.drill.session import Drill
    from riotd.drill.subject import Subject

_FRAMES_PER_SECOND = 4


def _chosen(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[str, ...]:
    from riotd.drill.faults import FAULTS  # noqa: PLC0415 - `riotd --help` must not load the drill

    names = tuple(name for name in (text or ",".join(FAULTS)).split(",") if name)
    if text != "none" and (unknown := [name for name in names if name not in FAULTS]):
        raise click.BadParameter(f"{', '.join(unknown)}: there are none, and {', '.join(FAULTS)}")
    return () if text == "none" else names


def _seconds(_ctx: click.Context, _parameter: click.Parameter, text: str) -> float:
    from riotd.units import seconds  # noqa: PLC0415

    try:
        return float(seconds(text))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.argument("config", required=False, type=click.Path(path_type=Path))
@with_option
@set_option
@click.option(
    "--feed", type=click.Path(path_type=Path), help="Recorded messages for CONFIG, as `riotd replay` has them."
)
@click.option("--topic", help="Where they go, such as in/{source}; default the source's first filter.")
@click.option("--faults", metavar="NAME,…", callback=_chosen, help="Which; see --list. Default all; none for none.")
@click.option("--list", "listing", is_flag=True, help="Say which faults there are, and end.")
@click.option("--messages", type=click.IntRange(1), help="Send so many; default as many as --seconds has.")
@click.option(
    "--kills", type=click.IntRange(1), help="Kill so often, spread over the messages; --faults are the kills then."
)
@click.option("--seconds", default=60.0, show_default=True, help="Feed for so long.")
@click.option("--rate", default=1000.0, show_default=True, help="Messages a second.")
@click.option("--devices", default=10, show_default=True, type=click.IntRange(1), help="That send, in turn.")
@click.option("--every", default="3s", show_default=True, callback=_seconds, help="Quiet between faults, on average.")
@click.option("--seed", default=1, show_default=True, help="Of schedule and feed: the same one, the same drill.")
@click.option("--engine", type=click.Choice(["inline", "ray"]), default="inline", show_default=True)
@click.option("--shards", default=2, show_default=True, type=click.IntRange(1, 128))
@click.option("--url", help="A broker of your own, mqtt://host:1883; default a mosquitto that is started, and ended.")
@click.option("--running", is_flag=True, help="Hurt the daemon of CONFIG that is in use, by --faults that you name.")
@click.option("--within", default="60s", callback=_seconds, help="With --running: time to be back, and well.  [60s]")
@click.option("--yes", "sure", is_flag=True, help="With --running: do not ask whether you are sure.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on standard output.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to keep: state, configuration, log, report.json. Default a temporary one, kept if all is not well.",
)
def command(  # noqa: PLR0917 - click gives them by keyword
    config: Path | None,
    overlays: tuple[str, ...],
    settings: tuple[str, ...],
    feed: Path | None,
    topic: str | None,
    faults: tuple[str, ...],
    listing: bool,
    messages: int | None,
    kills: int | None,
    seconds: float,
    rate: float,
    devices: int,
    every: float,
    seed: int,
    engine: Literal["inline", "ray"],
    shards: int,
    url: str | None,
    running: bool,
    within: float,
    sure: bool,
    as_json: bool,
    output: Path | None,
) -> None:
    """Feed a scratch daemon, hurt it, and judge what comes out.

    A feeder numbers the messages of each device and owes a result for each that the broker has acknowledged; a judge
    listens, and compares with what a single thread makes of the same feed. In between the daemon is killed, stopped,
    cut off and starved. Doubled results are counted, and no fault: over MQTT at least once is what there is.

    Without CONFIG the dataflow is the drill's own. With it, it is yours, on scratch brokers and with scratch state, fed
    with --feed, and compared with a run without faults before; --devices, --engine and --shards are the file's then
    (--set engine.type=ray). What your tasks reach by themselves, such as stores, is reached indeed.

    With --running nothing is scratch: the daemon of CONFIG that is in use is hurt, by the faults you name, after you
    have said yes. It goes on with its own feed, and is judged by its books: whether it is back, and they are closed.

    Exit 0: nothing lost, nothing out of order, state right, to the bit. Exit 1: something was not.

    \b
    Examples:
      riotd drill --seconds 30
      riotd drill --engine ray --faults kill-actor,kill-daemon --rate 5000 --messages 100000
      riotd drill --messages 1000000 --kills 200 --rate 2000
      riotd drill config/stats.yaml --feed city.csv --seconds 30
      riotd drill /etc/riotd/city.yaml --running --faults kill-daemon
    """  # noqa: D301 - click's mark for text not to be wrapped
    from rich.console import Console  # noqa: PLC0415 - `riotd --help` must not load the drill

    from riotd.drill import screen  # noqa: PLC0415
    from riotd.drill.flow import OwnFlow, Settings  # noqa: PLC0415
    from riotd.drill.guest import Command, guest  # noqa: PLC0415
    from riotd.drill.scratch import Options  # noqa: PLC0415
    from riotd.errors import RiotdError  # noqa: PLC0415

    if running:
        named = click.get_current_context().get_parameter_source("faults") is not ParameterSource.DEFAULT
        drill(Wish(config, overlays, settings, faults if named else (), within, sure, as_json))
    console = Console(stderr=as_json)
    if listing:
        console.print(screen.listing())
        return
    if rate <= 0 or seconds <= 0:
        raise click.UsageError("--rate and --seconds are above 0.")
    if kills is not None:
        messages, faults = messages or max(1, int(seconds * rate)), _kills(faults)
    if (config is None) != (feed is None):
        raise click.UsageError("CONFIG and --feed go together; without both the drill has a dataflow of its own.")
    program, subject = _mosquitto(url), None
    if config is not None and feed is not None:
        messages = messages or max(1, int(seconds * rate))
        subject = guest(Command(config, overlays, settings), feed, topic, count=messages)
    folder = _folder(output)
    own = OwnFlow(Settings(devices, seed, rate, engine, shards, "fill-quota" in faults))
    options = Options(faults, messages, seconds, rate, every, seed, folder, program, _address(url), kills)
    console.print(f"seed {seed}; faults: {', '.join(faults) or 'none'}; in {folder}", style="dim", highlight=False)
    try:
        report = _run(options, subject or own, console)
    except RiotdError as error:
        raise click.ClickException(str(error)) from error
    _leave(report, folder, console, as_json=as_json, keep=output is not None)
    sys.exit(1 if report.complaints else 0)


def _kills(faults: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the faults that kill; all that do if all were asked for."""
    from riotd.drill.report import KILLS  # noqa: PLC0415 - as above

    return tuple(fault for fault in faults if fault in KILLS) or KILLS


def _folder(output: Path | None) -> Path:
    """An empty one."""
    folder = (output or Path(mkdtemp(prefix="riotd-drill-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty; give another folder to -o.")
    return folder


def _mosquitto(url: str | None) -> str | None:
    from riotd.benchmarks.broker import mosquitto  # noqa: PLC0415 - as above
    from riotd.errors import ConfigError, Mistake  # noqa: PLC0415

    program = None if url else mosquitto()
    if url is None and program is None:
        raise ConfigError([Mistake("drill", "there is no mosquitto", "install it, or give --url")])
    return program


def _address(url: str | None) -> tuple[str, int] | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or not parts.hostname:
        raise click.UsageError("--url is mqtt://host:1883; the drill's own clients speak no TLS.")
    return parts.hostname, parts.port or 1883


def _run(options: "Options", subject: "Subject", console: "Console") -> "Report":
    from riotd.mqtt import Loop  # noqa: PLC0415 - as above

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(_drilled(options, subject, console))


async def _drilled(options: "Options", subject: "Subject", console: "Console") -> "Report":
    from riotd.clock import SystemClock  # noqa: PLC0415 - as above
    from riotd.drill import screen  # noqa: PLC0415
    from riotd.drill.rehearsal import expect, rehearsed  # noqa: PLC0415
    from riotd.drill.session import Drill  # noqa: PLC0415

    live, clock = console.is_terminal, SystemClock()
    drill = Drill(
        options,
        subject,
        clock=clock,
        tell=lambda episode: None if live else console.print(screen.line(episode), highlight=False),
    )
    if not subject.immediate:
        console.print("first, what comes of it when nothing happens …", style="dim")
        expect(drill.judge, await rehearsed(options, subject, clock=clock))
    return await (_watched(drill, console) if live else drill.run())


async def _watched(drill: "Drill", console: "Console") -> "Report":
    from rich.live import Live  # noqa: PLC0415 - as above

    from riotd.drill import screen  # noqa: PLC0415

    life = asyncio.create_task(drill.run(), name="drill")
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while not life.done():
            live.update(screen.picture(drill.feeder, drill.judge, drill.episodes, drill.doing), refresh=True)
            await asyncio.wait({life}, timeout=1 / _FRAMES_PER_SECOND)
    return await life


def _leave(report: "Report", folder: Path, console: "Console", *, as_json: bool, keep: bool) -> None:
    import shutil  # noqa: PLC0415 - as above

    import msgspec  # noqa: PLC0415

    from riotd.drill import screen  # noqa: PLC0415

    data = msgspec.json.format(msgspec.json.encode(report.data()))
    (folder / "report.json").write_bytes(data + b"\n")
    if as_json:
        click.echo(data.decode())
    console.print(screen.summary(report))
    if keep or report.complaints:
        console.print(f"kept in {folder}: configuration, state, daemon.log, report.json", style="dim", highlight=False)
    else:
        shutil.rmtree(folder)
