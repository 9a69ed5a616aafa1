"""From what was read to what is learnt from: complete rows, and the question that they answer.

Classes are made of numbers once, by the percentiles of the whole history, though a model learns from its window: all
trials and folds must be asked the same question. The bounds tell nothing of a row's own class that its number does not,
so foreseeing them is no help to a model that does not see the number.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from riot_tasks.algorithms.quantile_bands import bands, percentile
from riot_tasks.predict.label_quantiles import RIOTBENCH
from riotd.errors import ConfigError, Mistake
from riotd.training import fields
from riotd.training.folds import needed
from riotd.training.history import Floats, History, Question
from riotd.training.job import Job
from riotd.training.reading import Read


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a history is.

    Attributes:
        read: records that were read.
        rows: those that are complete.
        refused: lines that could not be read.
        reasons: the first of them in words.
        since: time of the first row, Unix seconds.
        until: time of the last.
        bounds: the number from which on each class is given, where classes were made of numbers.
    """

    read: int
    rows: int
    refused: int
    reasons: list[str]
    since: float
    until: float
    bounds: dict[str, float]


def frame(job: Job, features: tuple[str, ...], numbers: tuple[str, ...], read: Read) -> tuple[Question, History, Facts]:
    """The question, the rows, and what can be said of them.

    Args:
        job: what was asked for.
        features: the fields to learn from.
        numbers: the fields in the columns of what was read.
        read: all of it.

    Raises:
        ConfigError: too few rows are complete, or the target has no classes.
    """
    lacking = np.isnan(read.numbers)
    complete = ~lacking.any(axis=1)
    if job.model == "tree" and job.label is None:
        complete &= read.labels >= 0
    _enough(job, int(complete.sum()), _most_lacking(job, numbers, lacking, read))
    columns = [read.numbers[complete, numbers.index(name)] for name in features]
    bounds: dict[str, float] = {}
    if job.label is not None:
        labels = job.labels or RIOTBENCH
        found = read.numbers[complete, numbers.index(job.target)]
        target, bounds = _banded(found, labels)
        question = Question(kind=job.model, features=features, target=job.into, classes=tuple(labels))
    elif job.model == "tree":
        classes = fields.classes((read.classes[place] for place in np.unique(read.labels[complete])), job.target)
        target = _placed(read.labels[complete], read.classes, classes)
        question = Question(kind=job.model, features=features, target=job.target, classes=classes)
    else:
        target = read.numbers[complete, numbers.index(job.target)]
        question = Question(kind=job.model, features=features, target=job.target)
    history = History(read.times[complete], np.column_stack([*columns, target]))
    facts = Facts(
        read=len(read.times),
        rows=len(history),
        refused=read.refused,
        reasons=read.reasons,
        since=float(history.times[0]),
        until=float(history.times[-1]),
        bounds=bounds,
    )
    return question, history, facts


def _enough(job: Job, rows: int, lacking: str) -> None:
    least = needed(job.folds)
    if rows < least:
        what = f"{rows:,} rows are complete{lacking}; {job.folds} folds and what is held out need {least:,}"
        raise ConfigError([Mistake("inputs", what, "give more of the history, or fewer folds")])


def _most_lacking(job: Job, numbers: tuple[str, ...], lacking: npt.NDArray[np.bool_], read: Read) -> str:
    """The field that most rows lack, if any does."""
    counts = dict(zip(numbers, lacking.sum(axis=0).tolist(), strict=True))
    if job.model == "tree" and job.label is None:
        counts[job.target] = int((read.labels < 0).sum())
    name = max(counts, key=lambda name: counts[name])
    return f" of {len(read.times):,}, of which {counts[name]:,} lack {name}" if counts[name] else ""


def _banded(numbers: Floats, labels: Mapping[str, float]) -> tuple[Floats, dict[str, float]]:
    """The class of each number, as label_quantiles gives it, and where classes begin."""
    ordered = np.sort(numbers).tolist()
    bounds = {label: percentile(ordered, percent) for label, percent in labels.items()}
    return np.array(bands(numbers.tolist(), list(labels.values())), dtype=np.float64), bounds


def _placed(labels: npt.NDArray[np.intp], read: list[str], classes: tuple[str, ...]) -> Floats:
    """Positions in `classes` instead of those in what was read."""
    places = np.array([classes.index(name) if name in classes else -1 for name in read], dtype=np.float64)
    return places[labels]
