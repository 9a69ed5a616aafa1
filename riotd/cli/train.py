"""`riotd train`: a model of recorded history, its settings chosen by cross-validation."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from riotd.cli.train_view import TrainView, show

if TYPE_CHECKING:
    from riotd.training.job import Job

KINDS = ("tree", "regression")
FORMS = ("senml", "riotbench", "csv", "json")
_JOBS = (".yaml", ".yml")
_ANNOUNCEMENT = ("topic", "username", "password_file", "shadow")

EPILOG = """\b
What is learnt from is complete rows: records that have every feature and the target. They are put in the order of
their times. The first half is only learnt from; in the other, each fold foretells rows by what was before them, and
the last block has no say in the choice: it tells what the model is worth.

\b
Ranges: --window 1000..50000, 6h..30d, all; --depth 2..12; --leaf 5. One value is not searched for.

\b
Exit codes: 0 done, 1 failed, 2 wrong usage, 78 a wrong job, told before it begins; 130 Ctrl-C, 143 SIGTERM: then the
best so far is shown, and nothing is kept."""


def _split(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> list[str]:
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _labels(_context: click.Context, _option: click.Parameter, text: str | None) -> str | dict[str, float] | None:
    """`quantiles`, or LOW=50,HIGH=90."""
    if text is None or "=" not in text:
        return text
    try:
        parts = (each.partition("=") for each in text.split(","))
        return {label.strip(): float(percent) for label, _, percent in parts}
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither quantiles nor like LOW=50,HIGH=90") from None


@click.command("train", epilog=EPILOG)
@click.argument("words", nargs=-1, metavar="[tree|regression INPUT... | JOB.yaml]")
@click.option("--target", metavar="FIELD", help="What to foretell; with --label, what to make classes of.")
@click.option("--features", multiple=True, callback=_split, metavar="FIELD,...", help="[default: all other numbers]")
@click.option(
    "--label", callback=_labels, metavar="quantiles|NAME=PERCENT,...", help="Classes of a number's percentiles."
)
@click.option("--into", metavar="FIELD", help="What the class is called then.  [default: label]")
@click.option("--name", metavar="NAME", help="The version's beginning.  [default: the table's or the file's]")
@click.option("--table", metavar="NAME", help="Of an INPUT like sqlite:///var/lib/riotd/tables.db.")
@click.option("--partition", metavar="NAME", help="Of the table.  [default: all]")
@click.option("--credentials", metavar="FILE", help="Lines NAME=value for the stores.  [default: the environment]")
@click.option("--since", metavar="TIME", help="2026-11-01T12:00Z or, before now, 7d.")
@click.option("--until", metavar="TIME", help="The same; this instant is not in it.")
@click.option("--format", type=click.Choice(FORMS), help="Of the lines.  [default: as the first ones are]")
@click.option("--schema", metavar="FILE", help="Columns of CSV: lines of names, units and types (v or sv).")
@click.option("--window", metavar="RANGE", help="History to learn from.  [default: 100 rows or so..all]")
@click.option("--depth", metavar="RANGE", help="Comparisons for a row, of a tree.  [default: 1..20]")
@click.option("--leaf", metavar="RANGE", help="Rows of a leaf, at least.  [default: 1..a fiftieth of the rows]")
@click.option("--score", type=click.Choice(["accuracy", "f1", "rmse", "mae"]), help="[default: accuracy, rmse]")
@click.option("--trials", type=click.IntRange(1), metavar="N", help="Settings to try.  [default: 20]")
@click.option("--folds", type=click.IntRange(1, 20), metavar="N", help="Rounds for each.  [default: 5]")
@click.option("--seed", type=int, metavar="N", help="The same gives the same model.  [default: 0]")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes.  [default: one for each processor]")
@click.option("--address", metavar="HOST:PORT", help="A running Ray, or `auto`; default one of our own.")
@click.option("--max-rows", type=click.IntRange(80), metavar="N", help="[default: 5,000,000]")
@click.option("--store", metavar="URL", help="Where models are kept: file:///var/lib/riotd/models, s3://bucket/...")
@click.option("--prefix", metavar="NAME", help="Of their names there.")
@click.option("-o", "--output", metavar="FILE", help="A file for the model.")
@click.option("--announce", metavar="URL", help="A broker to be told: mqtt://localhost:1883.")
@click.option("--topic", metavar="TOPIC", help="To which.  [default: riotd/models/{kind}]")
@click.option("--shadow", type=click.IntRange(0), metavar="N", help="Messages to be scored beside the old model first.")
@click.option("--username", help="For the broker.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False), help="Holds the password.")
@click.option("-v", "--verbose", is_flag=True, help="Every trial.")
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def command(words: tuple[str, ...], *, verbose: bool, as_json: bool, **said: Any) -> None:  # noqa: ANN401 - one for each option
    """Train a model on history: a tree that tells classes apart, or a regression that foretells a number.

    The history is in files (patterns in quotes are taken too) or in a table that riotd has written. It is read through
    Ray Data; Ray Tune tries windows of history, depths and leaf sizes; the best by cross-validation in the order of
    time is learnt from the end of the history, kept with its figures, and announced. It is the learning of
    decision_tree_train and linear_regression_train, and a model for decision_tree_classify and linear_regression.

    \b
    Examples:
      riotd train regression 'city*.csv' --target airquality_raw -o air.json
      riotd train tree sqlite:///var/lib/riotd/tables.db --table sysdata --since 7d --target airquality_raw \\
          --label quantiles --store file:///var/lib/riotd/models --announce mqtt://localhost:1883
      riotd train /etc/riotd/train.yaml --trials 50
    """  # noqa: D301 - click's mark for text not to be wrapped
    file, given = _given(words, said)
    from riotd import logs  # noqa: PLC0415 - `--help` must not load it
    from riotd.errors import ConfigError, RiotdError  # noqa: PLC0415
    from riotd.training.extra import check_installed  # noqa: PLC0415

    logs.setup("warning")
    try:
        check_installed()
        from riotd.training.job import load  # noqa: PLC0415 - needs what has just been looked for

        code = _run(load(file, given), verbose=verbose, as_json=as_json)
    except ConfigError:
        raise
    except RiotdError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt as interrupt:
        code = 143 if isinstance(interrupt, _Terminated) else 130
    sys.exit(code)


def _run(job: "Job", *, verbose: bool, as_json: bool) -> int:
    """The job with its bar and its summary; the exit code."""
    from riotd.training.running import train  # noqa: PLC0415 - as above

    with TrainView() as view, _stoppable(lambda: view.trying_now) as caught:
        report = train(job, now=time.time(), onlooker=view, stop=lambda: bool(caught))
    if as_json:
        click.echo(json.dumps(report.plain(), ensure_ascii=False))
    else:
        show(report, job, verbose=verbose)
    if report.trouble:
        click.echo(report.trouble, err=True)
        return 1
    return 128 + caught[0] if report.stopped else 0


def _given(words: tuple[str, ...], said: Mapping[str, Any]) -> tuple[Path | None, dict[str, Any]]:
    """The job's file, if there is one, and what the command line says of the job."""
    given = {name: value for name, value in said.items() if value is not None and value != []}
    announcement = {name: given.pop(name) for name in _ANNOUNCEMENT if name in given}
    if "announce" in given or announcement:
        given["announce"] = announcement | ({"url": given["announce"]} if "announce" in given else {})
    if "credentials" in given:
        given["credentials"] = {"file": given["credentials"]}
    first = words[0] if words else ""
    if first.endswith(_JOBS):
        if not Path(first).is_file():
            raise click.UsageError(f"There is no file {first!r}.")
        return Path(first), given | ({"inputs": list(words[1:])} if words[1:] else {})
    if first not in KINDS:
        raise click.UsageError(f"Begin with tree or regression and an INPUT, or give a JOB.yaml (is {first!r}).")
    if len(words) == 1:
        raise click.UsageError("Give an INPUT: files, or the URL of a store of tables.")
    if "target" not in given:
        raise click.UsageError("Give --target, the field to foretell.")
    return None, given | {"model": first, "inputs": list(words[1:])}


class _Terminated(KeyboardInterrupt):
    """SIGTERM: leave as from Ctrl-C."""


@contextmanager
def _stoppable(gently: Callable[[], bool]) -> Iterator[list[int]]:
    """SIGINT and SIGTERM are put into the list where that is gentle, the first time; else they end the block."""
    caught: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if caught or not gently():
            raise _Terminated if number == signal.SIGTERM else KeyboardInterrupt
        caught.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
