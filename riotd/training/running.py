"""A job from its first look to its last word."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from riotd.engines.cluster import Cluster
from riotd.errors import ConfigError, EngineError, Mistake, TransportError
from riotd.training import ranges
from riotd.training.folds import Fold, folds
from riotd.training.framing import Facts, frame
from riotd.training.history import History, Question
from riotd.training.job import Job
from riotd.training.keeping import Announcer, keep, named, write
from riotd.training.learning import Model, guessed, judged, learn, least
from riotd.training.preparing import Prepared, prepare
from riotd.training.quiet import quiet
from riotd.training.report import HeldOut, Report
from riotd.training.space import Settings, Space, Span, candidates
from riotd.training.trials import Trial, best

_SHORTEST = 100
"""Rows of the shortest window that is tried unless somebody wants a shorter one."""


class Onlooker(Protocol):
    """Who is told how far a job is."""

    def reading(self, rows: int) -> None:
        """So many rows have come."""

    def trying(self, trials: Sequence[Trial], folds: int, figure: str) -> None:
        """A trial has got further, or the first is about to begin.

        Args:
            trials: all of them.
            folds: rounds that each has.
            figure: what the best is told by.
        """

    def making(self) -> None:
        """No more is tried; the model is made, and brought where it belongs."""


class _Frame(NamedTuple):
    """What trials are about."""

    question: Question
    history: History
    facts: Facts
    folds: list[Fold]
    held_out: Fold


def train(job: Job, *, now: float, onlooker: Onlooker, stop: Callable[[], bool]) -> Report:
    """Do a job.

    Args:
        job: what.
        now: Unix seconds.
        onlooker: told how far it is.
        stop: asked while settings are tried; true ends that, and nothing is kept then.

    Raises:
        ConfigError: something is wrong with the job; before anything was begun, but for what only the rows can tell.
        TransportError: an input, the store or the broker is out of reach.
        EngineError: Ray can't be started or gave up, or there is nothing to choose from.
    """
    began = time.monotonic()
    announcer = Announcer(job.announce) if job.announce else None
    workers = job.workers or os.cpu_count() or 1
    prepared = prepare(job, now=now, workers=workers)
    if announcer:
        announcer.check()
    with _ray(job.address, workers), quiet():
        framed = _read(job, prepared, onlooker)
        trials = _tried(job, framed, onlooker, stop)
    report = Report(
        question=framed.question, facts=framed.facts, figure=job.figure, trials=trials, best=best(trials, job.figure)
    )
    report.stopped = stop()
    onlooker.making()
    if not report.stopped:
        _make(prepared, framed, report)
        _hand_over(job, prepared, announcer, report, now=now)
    report.seconds = time.monotonic() - began
    return report


def _read(job: Job, prepared: Prepared, onlooker: Onlooker) -> _Frame:
    from riotd.training import dataset  # noqa: PLC0415 - Ray reads its environment when imported, which `_ray` sets

    read = dataset.read(prepared.pieces, prepared.wanted, most=job.max_rows, watch=onlooker.reading)
    question, history, facts = frame(job, prepared.features, prepared.wanted.numbers, read)
    return _Frame(question, history, facts, *folds(history.times, job.folds))


def _tried(job: Job, framed: _Frame, onlooker: Onlooker, stop: Callable[[], bool]) -> list[Trial]:
    from riotd.training.search import search  # noqa: PLC0415 - as above

    settings = candidates(_space(job, framed), trials=job.trials, seed=job.seed)
    return search(
        framed.question,
        framed.history,
        framed.folds,
        settings,
        workers=job.workers if job.address else job.workers or os.cpu_count(),
        watch=lambda trials: onlooker.trying(trials, len(framed.folds), job.figure),
        stop=stop,
    )


def _space(job: Job, framed: _Frame) -> Space:
    history, rows = framed.history, len(framed.history)
    shortest = max(_SHORTEST, 10 * (len(framed.question.features) + 1))
    window, unit, whole = ranges.windows(
        job.window or f"{min(shortest, rows)}..{ranges.ALL}",
        whole=rows,
        seconds=float(history.times[-1] - history.times[0]),
    )
    if job.model == "regression":
        return Space(window, unit, whole, rows)
    depth = ranges.numbers(job.depth, least=1, most=ranges.DEEPEST)
    try:
        leaf = ranges.numbers(job.leaf, least=1, most=rows // 2) if job.leaf else Span(1, max(2, rows // 50))
    except ValueError as error:
        raise ConfigError([Mistake("leaf", str(error), f"there are {rows:,} rows")]) from error
    return Space(window, unit, whole, rows, depth, leaf)


def _make(prepared: Prepared, framed: _Frame, report: Report) -> None:
    """The model of the best settings, from the end of the history, with what they are worth."""
    if report.best is None:
        problem = next((trial.problem for trial in report.trials if trial.problem), "none was begun")
        raise EngineError(f"no trial came to an end: {problem}")
    settings, history = report.best.settings, framed.history
    report.held_out = held_out = _held_out(framed, settings, report.trials[0].settings)
    model = _learnt(framed, settings, len(history), prepared.name)
    metrics = {f"cv_{name}": value for name, value in report.best.figures.items()}
    metrics |= {f"test_{name}": value for name, value in held_out.chosen.items()}
    report.model = named(replace(model, metrics={**model.metrics, **metrics}))


def _held_out(framed: _Frame, settings: Settings, usual: Settings) -> HeldOut:
    fold, question = framed.held_out, framed.question
    unseen = framed.history.part(*fold)
    chosen = judged(question, _learnt(framed, settings, fold.start), unseen)
    return HeldOut(
        rows=len(unseen),
        chosen=chosen,
        usual=chosen if settings == usual else judged(question, _learnt(framed, usual, fold.start), unseen),
        guess=guessed(question, framed.history.part(0, fold.start), unseen),
    )


def _learnt(framed: _Frame, settings: Settings, end: int, name: str = "trial") -> Model:
    """The model of the window that ends before a row."""
    start = settings.window.start(framed.history.times, end)
    if end - start < (needed := least(framed.question, settings)):
        raise EngineError(f"the last {settings.window} have {end - start:,} rows, and a model needs {needed:,}")
    return learn(framed.question, framed.history.part(start, end), settings=settings, name=name)


def _hand_over(job: Job, prepared: Prepared, announcer: Announcer | None, report: Report, *, now: float) -> None:
    """Keep the model, and tell of it. What fails now is told beside what the work has brought."""
    model, registry = report.model, prepared.registry
    assert model is not None  # noqa: S101 - `_make` raises otherwise
    failing = "kept"
    try:
        if job.output:
            write(model, Path(job.output))
            report.output = job.output
        if registry is not None:
            report.entry = entry = keep(model, registry, created=now)
            report.url = f"{registry.store.rstrip('/')}/{entry.name}"
            if announcer is not None:
                failing = "announced"
                report.announced = announcer.tell(registry, entry)
    except TransportError as error:
        report.trouble = f"the model was not {failing}: {error}"


@contextmanager
def _ray(address: str | None, workers: int) -> Iterator[None]:
    """A Ray, ours or one that runs; left as it was found."""
    cluster = Cluster(address, shards=workers)
    try:
        asyncio.run(cluster.start(lambda: None))
        if current_thread() is main_thread():
            # Ray puts a handler of its own below Python's, which dumps a stack; the program's own shall hold
            signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        yield
    finally:
        asyncio.run(cluster.stop())
