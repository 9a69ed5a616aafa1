"""What a person sees of `riotd train`: how far it is, and what came of it."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import click

from riotd.cli.progress import Bar, bar
from riotd.cli.tables import print_labelled, print_table

if TYPE_CHECKING:
    from riotd.training.job import Job
    from riotd.training.report import Report
    from riotd.training.trials import Trial

_NAMES = {"rmse": "RMSE", "mae": "mean error", "r2": "R²", "f1": "F1", "accuracy": "accuracy"}


class TrainView:
    """Bars of a job; keeps `riotd.training.running.Onlooker`.

    Attributes:
        trying_now: whether settings are being tried, which can be stopped without losing what is known.
    """

    def __init__(self) -> None:
        self.trying_now = False
        self._stack = ExitStack()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        """Say what takes the first seconds, on a terminal."""
        if sys.stderr.isatty():
            click.secho("starting ray …", dim=True, err=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar off the screen."""
        self._stack.close()

    def reading(self, rows: int) -> None:
        """As `Onlooker`."""
        self._bar = self._bar or self._stack.enter_context(bar("Reading"))
        self._bar.update(0, f"{rows:,} rows")

    def trying(self, trials: "Sequence[Trial]", folds: int, figure: str) -> None:
        """As `Onlooker`."""
        if not self.trying_now:
            self.trying_now = True
            self._stack.close()
            self._bar = self._stack.enter_context(bar("Trying", total=len(trials) * folds))
        from riotd.training.trials import best  # noqa: PLC0415 - `--help` must not load it

        ahead = best(trials, figure)
        note = f", best {_named(figure, ahead.figures)}: {ahead.settings}" if ahead else ""
        over = sum(trial.over for trial in trials)
        if self._bar is not None:
            done = sum(folds if trial.over else trial.folds for trial in trials)
            self._bar.update(done, f"{over} of {len(trials)} trials{note}")

    def making(self) -> None:
        """As `Onlooker`."""
        self.trying_now = False
        self._stack.close()
        self._bar = None


def show(report: "Report", job: "Job", *, verbose: bool) -> None:
    """What came of a job."""
    question, facts = report.question, report.facts
    from_to = f"{_time(facts.since)} to {_time(facts.until)}"
    left_out = facts.read - facts.rows
    more = f", {left_out:,} incomplete" if left_out else ""
    more += f", {facts.refused:,} refused" if facts.refused else ""
    print_labelled("history", f"{facts.rows:,} rows{more}, {from_to}")
    print_labelled("learnt", f"{', '.join(question.features)} → {question.target}")
    if facts.bounds:
        print_labelled("classes", ", ".join(f"{name} from {bound:g}" for name, bound in facts.bounds.items()))
    if verbose:
        _show_trials(report)
    _show_choice(report)
    _show_model(report, job)
    for reason in facts.reasons:
        click.echo(reason, err=True)


def _show_choice(report: "Report") -> None:
    done = sum(trial.done for trial in report.trials)
    figure = report.figure
    if report.stopped:
        print_labelled("stopped", f"after {done} of {len(report.trials)} trials; nothing is kept", colour="yellow")
    if report.best is None:
        return
    best, usual = report.best, report.trials[0]
    other = "" if best is usual or not usual.done else f"; usual settings {_named(figure, usual.figures)}"
    note = " (the usual settings)" if best is usual else ""
    print_labelled("best" if report.stopped else "chosen", f"{best.settings}{note}")
    print_labelled("folds", f"{_all(best.figures)}{other}, of {done} trials")
    if held := report.held_out:
        usual_text = "" if best is usual else f"; usual settings {_named(figure, held.usual)}"
        guess = f"; without a model {_named(figure, held.guess)}"
        print_labelled("held out", f"{_all(held.chosen)}{usual_text}{guess}, on the last {held.rows:,} rows")
    failed = [trial for trial in report.trials if trial.problem]
    if failed:
        click.echo(f"{len(failed)} trials came to no end: {failed[0].problem}", err=True)


def _show_model(report: "Report", job: "Job") -> None:
    model = report.model
    if model is None:
        return
    rows = model.training.rows if model.training else 0
    parts = f", {model.metrics['leaves']:,.0f} leaves" if "leaves" in model.metrics else ""
    used = f", by {', '.join(model.inputs)}" if model.inputs else ", a constant"
    print_labelled("model", f"{model.version}, of {rows:,} rows{parts}{used}")
    for place in filter(None, (report.output, report.url)):
        print_labelled("kept", place)
    if report.announced and job.announce:
        print_labelled("announced", f"{job.announce.url}, {report.announced}")
    if not (report.output or report.url):
        click.echo("nothing is kept: --store URL or -o FILE says where", err=True)


def _show_trials(report: "Report") -> None:
    names = list(dict.fromkeys(name for trial in report.trials for name in trial.figures))
    tree = report.question.kind == "tree"
    heads = ["trial", "window", *(["depth", "leaf"] if tree else []), *(_NAMES[name] for name in names), ""]
    rows = [
        [
            str(trial.number),
            str(trial.settings.window),
            *([str(trial.settings.depth), f"{trial.settings.leaf:,}"] if tree else []),
            *(f"{trial.figures[name]:.4g}" if name in trial.figures else "-" for name in names),
            trial.problem or ("chosen" if trial is report.best else "" if trial.done else f"{trial.folds} folds"),
        ]
        for trial in report.trials
    ]
    print_table(heads, rows)


def _named(figure: str, figures: Mapping[str, float]) -> str:
    return f"{_NAMES[figure]} {figures[figure]:.4g}"


def _all(figures: Mapping[str, float]) -> str:
    return ", ".join(_named(name, figures) for name in figures)


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g}"
