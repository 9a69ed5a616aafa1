"""What `run-file` and `run-batch` have in common: options, the pool they run in, the summary."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from riotd.cli.options import app_dir_option, with_option
from riotd.cli.patience import impatient
from riotd.cli.progress import bar

if TYPE_CHECKING:
    from riotd.bounded.flows import Flow
    from riotd.bounded.pool import Pool
    from riotd.bounded.running import Progress
    from riotd.bounded.scheduling import Watch

_F = TypeVar("_F", bound=Callable[..., Any])

FORMS = ("senml", "riotbench", "csv", "json", "raw")
ENGINES = ("inline", "ray", "beam", "flink")

EPILOG = """\b
Lines may be SenML packs, `<epoch ms>,<SenML>`, CSV with a header or a --schema, JSON (records as riotd writes
them, or objects of fields) or any text (field `payload`); .gz is unpacked. The first lines tell which.
Each device keeps its own state: the device in a SenML base name, or the entry `source`; of CSV and JSON the
field source, device, id or sensor; --key FIELD names another (--key bn: the whole base name).
Results: .jsonl with id (the line's number), source, time, values, meta; .csv; .senml; each also as .gz.

\b
Exit codes: 0 done, 1 failed or (--strict) a line was refused, 2 wrong usage, 78 a wrong task, parameter,
field or configuration, told before the first line; 130 Ctrl-C, 143 SIGTERM."""

_OPTIONS = (
    click.option("-c", "--config", type=click.Path(path_type=Path), help="A whole dataflow instead of TASK."),
    with_option,
    click.option(
        "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter, in YAML; with -c any key of it."
    ),
    click.option("--engine", type=click.Choice(ENGINES), help="Where tasks run.  [default: inline, or what -c says]"),
    click.option("--shards", type=click.IntRange(1, 128), metavar="N", help="Parts the devices are divided into."),
    click.option("--address", metavar="HOST:PORT", help="A running Ray, or `auto`; default one of our own."),
    click.option("--key", metavar="FIELD", help="The field that says which device a line is of."),
    click.option("--format", "form", type=click.Choice(FORMS), help="Of the lines.  [default: as the first ones are]"),
    click.option(
        "--schema",
        type=click.Path(exists=True, dir_okay=False),
        help="Columns of CSV: lines of names, units and types (v or sv).",
    ),
    click.option("--strict", is_flag=True, help="Stop at the first refused line, with exit 1."),
    click.option("--rejects", type=click.Path(path_type=Path), metavar="FILE", help="Refused lines, with the reasons."),
    click.option("--metrics", type=click.Path(path_type=Path), metavar="FILE", help="All figures, .json or .csv."),
    app_dir_option,
    click.option("-v", "--verbose", is_flag=True, help="Figures of each shard and stage."),
    click.option("--json", "as_json", is_flag=True, help="The summary as JSON."),
)


class Asked(msgspec.Struct, frozen=True):
    """What both verbs are told."""

    config: Path | None
    overlays: tuple[str, ...]
    settings: tuple[str, ...]
    engine: str | None
    shards: int | None
    address: str | None
    key: str | None
    form: str | None
    schema: str | None
    strict: bool
    rejects: Path | None
    metrics: Path | None
    app_dir: str
    verbose: bool
    as_json: bool


def options(command: _F) -> _F:
    """Give a command the options of `Asked`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def split(words: Sequence[str], asked: Asked) -> tuple[str, list[str]]:
    """The task, or the configuration, and the inputs that are named.

    Raises:
        UsageError: one of them is missing.
    """
    task, inputs = (str(asked.config), list(words)) if asked.config else (words[0] if words else "", list(words[1:]))
    if not task:
        raise click.UsageError("Give a TASK, or -c CONFIG.")
    if asked.overlays and not asked.config:
        raise click.UsageError("--with lays a file over another: it goes with -c CONFIG.")
    if not inputs:
        raise click.UsageError("Give an INPUT." + ("" if asked.config else f" ({task!r} was taken for the task.)"))
    if missing := next((each for each in inputs if each != "-" and not Path(each).exists()), ""):
        raise click.UsageError(f"There is no input {missing!r}.")
    return task, inputs


def flow_of(task: str, asked: Asked) -> "Flow":
    """What is to be run; ConfigError with everything that is wrong with it."""
    from riotd.bounded.naming import flow  # noqa: PLC0415 - `--help` must not load it

    return flow(task, _params(asked), path=(asked.app_dir,), overlays=asked.overlays)


def _params(asked: Asked) -> Mapping[str, Any]:
    if not asked.settings:
        return {}
    from riotd.config.document import override, parse  # noqa: PLC0415 - pydantic takes 0.2 s
    from riotd.errors import ConfigError  # noqa: PLC0415

    params: dict[str, Any] = {}
    _, mistakes = override(params, asked.settings)
    if mistakes:
        raise ConfigError(mistakes)
    return (
        {key: parse(text) for key, _, text in (each.partition("=") for each in asked.settings)}
        if asked.config
        else params
    )


@contextmanager
def session(flow: "Flow", asked: Asked, inputs: Sequence[str]) -> Iterator["tuple[Pool, Watch]"]:
    """The engine that is asked for, and what keeps the bar up to date.

    What fails becomes one line and exit 1, a signal its exit code; nothing half-written stays, and no process.
    """
    from riotd import logs  # noqa: PLC0415 - as above
    from riotd.bounded.pool import Pool  # noqa: PLC0415
    from riotd.errors import ConfigError, RiotdError  # noqa: PLC0415

    logs.setup("warning")
    address = asked.address or flow.address
    engine, shards = asked.engine or ("ray" if asked.address else flow.engine) or "inline", asked.shards or flow.shards
    if engine != "ray" and asked.address:
        raise click.UsageError(f"--address is a Ray's; with --engine {engine} it means nothing.")
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        with Pool(engine=engine, shards=shards, address=address if engine == "ray" else None) as pool:
            if engine != "inline" and sys.stderr.isatty():
                click.secho(f"starting {engine} …", dim=True, err=True)
            with _watched(f"Running {flow.name}", inputs, ray=engine == "ray") as watch:
                yield pool, watch
    except ConfigError:
        raise
    except RiotdError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt as interrupt:
        sys.exit(143 if isinstance(interrupt, _Terminated) else 130)
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _watched(label: str, inputs: Sequence[str], *, ray: bool) -> Iterator["Watch"]:
    """A bar; and a word when nothing moves on Ray, whose workers log elsewhere what they wait for."""
    size = sum(Path(each).stat().st_size for each in inputs if each != "-") or None
    began = monotonic()
    with bar(label, total=size) as shown, impatient() as moved:

        def watch(progress: "Progress") -> None:
            if ray:
                moved()
            rate = progress.records / max(monotonic() - began, 1e-6)
            refused = f", {progress.errors:,} refused" if progress.errors else ""
            shown.update(progress.bytes, f"{progress.records:,} lines, {rate:,.0f}/s{refused}")

        yield watch


class _Terminated(KeyboardInterrupt):
    """SIGTERM: leave as from Ctrl-C. Not SystemExit, which a shard takes for its task's."""


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise _Terminated
