"""`riotd try`: one task over lines, to see what it does."""

import gzip
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import click

from riot_tasks.errors import TaskError
from riot_tasks.record import Record, Value
from riot_tasks.task import Task
from riotd import catalog
from riotd.cli.lines import FORMATS, Reader, sniff
from riotd.cli.options import app_dir_option
from riotd.config.document import override
from riotd.formats import encode_json

EPILOG = """\b
Examples:
  riotd try kalman_filter fields=[temperature] < readings.csv
  riotd try senml_parse --input city.csv | riotd try average fields=[temperature] window=10
  riotd try my_tasks:Smooth alpha=0.1 --app-dir src < packs.jsonl

\b
Lines may be SenML packs, <epoch ms>,<SenML>, JSON objects of fields, CSV with a
header, or what riotd writes as JSON; the first line tells. Each device (a pack's
base name, or a field called source, device, id or sensor) has its own instance.

Exit codes: 0 done, 1 a wrong task or parameter, or with --strict a refused line."""


class Trial:
    """A task at work on lines: an instance per source if it has state.

    Args:
        task: the class.
        params: its parameters.
        reader: what makes records of lines.
    """

    def __init__(self, task: type[Task], params: dict[str, Any], reader: Reader) -> None:
        self._task, self._params, self._reader = task, params, reader
        self._instances: dict[str, Task] = {}

    def run(self, number: int, line: bytes) -> Iterator[Record]:
        """What the task gives for a line.

        Raises:
            BadRecord, Unavailable: as the task says.
        """
        for record in self._reader.records(number, line):
            yield from self._instance(record.source).process(record)

    def flush(self) -> Iterator[Record]:
        """What the instances still hold back at the end."""
        for instance in self._instances.values():
            yield from instance.flush()

    def _instance(self, source: str) -> Task:
        source = source if self._task.stateful else ""
        if source not in self._instances:
            self._instances[source] = self._task(**self._params)
        return self._instances[source]


@click.command("try", epilog=EPILOG)
@click.argument("task")
@click.argument("params", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--input", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Lines; .gz too.")
@click.option("--format", "form", type=click.Choice(["auto", *FORMATS]), default="auto", show_default=True)
@click.option("--source", metavar="FIELD", help="The field that says which device it is.")
@click.option("--time", "when", metavar="FIELD", help="The field that says when: Unix seconds, milliseconds, ISO 8601.")
@click.option("--strict", is_flag=True, help="Stop at the first refused line, with exit 1.")
@app_dir_option
def command(  # noqa: PLR0917 - one for each option
    task: str,
    params: Sequence[str],
    file: Path | None,
    form: str,
    source: str | None,
    when: str | None,
    strict: bool,
    app_dir: str,  # noqa: ARG001 - its callback does the work
) -> None:
    """Run TASK over lines and print its results: JSON lines, or a table on a terminal."""
    settings: dict[str, Any] = {}
    _, mistakes = override(settings, params)
    if mistakes:
        raise click.UsageError(
            "\n".join(f"{mistake.where.removeprefix('--set ')}: {mistake.what}" for mistake in mistakes)
        )
    kind = _found(task)
    with _opened(file) as lines:
        numbered = _filled(lines)
        first = next(numbered, (0, b""))
        raw = catalog.wants_payload(kind, settings)
        chosen = sniff(first[1], raw=raw) if form == "auto" else form
        trial = _trial(kind, settings, Reader(chosen, raw=raw, source=source, time=when, now=time.time()))
        show = _printer()
        for number, line in chain([first] if first[0] else [], numbered):
            if problem := _step(trial, number, line, show):
                click.echo(f"line {number}: {problem}", err=True)
                if strict:
                    raise SystemExit(1)
        for record in trial.flush():
            show(record)


def _step(trial: Trial, number: int, line: bytes, show: Callable[[Record], None]) -> str:
    """Show a line's results, all or none; why it is refused, or ""."""
    try:
        records = list(trial.run(number, line))
    except TaskError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a task is anybody's code: its failure is one line's fate
        return f"the task failed: {type(error).__name__}: {error}"
    for record in records:
        show(record)
    return ""


def _found(name: str) -> type[Task]:
    try:
        return catalog.find(name)
    except (catalog.TaskNotFound, catalog.BrokenTask) as error:
        raise click.ClickException(str(error)) from error


def _trial(kind: type[Task], params: dict[str, Any], reader: Reader) -> Trial:
    if wrong := catalog.parameter_mistakes(kind, params):
        raise click.ClickException("\n".join(map(str, wrong)))
    return Trial(kind, params, reader)


def _opened(file: Path | None) -> AbstractContextManager[Iterable[bytes]]:
    if file is not None:
        return gzip.open(file) if file.suffix == ".gz" else file.open("rb")
    if sys.stdin.isatty():
        click.echo("reading lines from the terminal; Ctrl-D ends", err=True)
    return nullcontext(sys.stdin.buffer)


def _filled(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their numbers, from 1."""
    for number, line in enumerate(lines, start=1):
        if text := line.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").rstrip(b"\r\n"):
            yield number, text


def _printer() -> Callable[[Record], None]:
    """Shows a record: as JSON for a program, as a row for a person."""
    if not sys.stdout.isatty():
        return lambda record: click.echo(encode_json(record))
    click.secho(_ROW.format("line", "source", "time", "values"), fg="cyan")
    return lambda record: click.echo(_row(record))


_ROW = "{:>6}  {:<28}  {:<23}  {}"


def _row(record: Record) -> str:
    moment = datetime.fromtimestamp(record.time, UTC).isoformat(" ", "milliseconds")[:23]
    values = "  ".join(f"{name}={_short(value)}{record.units.get(name, '')}" for name, value in record.values.items())
    return _ROW.format(record.id, record.source, moment, values)


def _short(value: Value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "null" if value is None else str(value)
