"""What can be known before Ray is started: the fields, the pieces, the store; and every mistake in these."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from riot_tasks import models
from riot_tasks.errors import Unavailable
from riot_tasks.models.registry import Registry
from riot_tasks.record import Record
from riot_tasks.stores import blobs
from riotd.errors import ConfigError, Mistake, TransportError
from riotd.training import fields, files, tables
from riotd.training.job import Job, times
from riotd.training.reading import Piece, Wanted

_NAME = 60
"""Characters of a file's or a table's name that a version begins with."""
_DIGITS = "-DTC-1422748810000000-0a1b2c3d"
"""As much as may come behind it."""
_SAMPLED = 20
"""Files whose first records are looked at; of the others only the form."""
_STRETCHES = 8
"""Stretches of time for each worker: rows may be dense in one and rare in another."""


class Prepared(NamedTuple):
    """What is to be read, and what then.

    Attributes:
        features: the fields to learn from.
        wanted: what is read of each record.
        pieces: where.
        name: what the model's version begins with.
        registry: where it is kept, if anywhere.
    """

    features: tuple[str, ...]
    wanted: Wanted
    pieces: Sequence[Piece]
    name: str
    registry: Registry | None


def prepare(job: Job, *, now: float, workers: int) -> Prepared:
    """Look at a job's inputs.

    Args:
        job: what is to be done.
        now: Unix seconds.
        workers: that read side by side.

    Raises:
        ConfigError: something is wrong with the job, with every mistake of its kind.
        TransportError: a file or store is out of reach.
    """
    _check_folder(job)
    since, until = times(job, now)
    look = _look_at_table if job.from_table else _look_at_files
    sample, pieces, name = look(job, since, until, workers)
    name = job.name or name[:_NAME]
    registry = _registry(job, name)
    without = (job.target,) if job.label is None else (job.target, job.into)
    features = fields.features(sample, job.features, job.target, without=without)
    from_numbers = job.model == "regression" or job.label is not None
    numbers = tuple(dict.fromkeys([*features, *([job.target] if from_numbers else [])]))
    fields.check_numbers(sample, numbers, target=job.target)
    wanted = Wanted(numbers, None if from_numbers else job.target, since, until)
    return Prepared(features, wanted, pieces, name, registry)


def _registry(job: Job, name: str) -> Registry | None:
    """Where the model will be kept: a place that can be, and that answers; better told now than after the work."""
    if job.store is None:
        return None
    target = job.target if job.label is None else job.into
    longest = models.LinearModel(
        format=models.FORMAT, version=f"{name}{_DIGITS}", features=[], target=target, coefficients={}, intercept=0.0
    )
    try:
        registry = Registry(job.store, job.prefix, job.credentials)
        registry.name(longest)
        if not job.store.startswith("file:"):  # whose folder is made by being looked at
            blobs.blobs(job.store, job.credentials).exists("riotd")
    except ValueError as error:
        raise ConfigError([Mistake("store", str(error).removeprefix("store: "))]) from error
    except Unavailable as error:
        raise TransportError(str(error)) from error
    return registry


def _check_folder(job: Job) -> None:
    if job.output is not None and not Path(job.output).absolute().parent.is_dir():
        what = f"the folder {Path(job.output).absolute().parent} is not there"
        raise ConfigError([Mistake("output", what, "make it")])


def _look_at_files(job: Job, since: float, until: float, workers: int) -> tuple[list[Record], list[Piece], str]:
    del since, until, workers
    paths = files.named(job.inputs)
    sample: list[Record] = []
    pieces: list[Piece] = []
    for number, path in enumerate(paths):
        form, records = files.look(path, form=job.format, schema=job.schema, sample=number < _SAMPLED)
        sample += records
        pieces += files.pieces(path, number, form)
    return sample, pieces, Path(paths[0]).name.partition(".")[0]


def _look_at_table(job: Job, since: float, until: float, workers: int) -> tuple[list[Record], list[Piece], str]:
    place = tables.Place(job.inputs[0], job.table or "", job.partition, job.credentials)
    place.check()
    try:
        table = place.opened()
        found = tables.extent(table, place.partition, since, until)
        sample = tables.sample(table, place.partition, *found) if found else []
    except Unavailable as error:
        raise TransportError(str(error)) from error
    if found is None:
        what = f"table {place.table}, partition {place.partition}, has no rows in that time"
        raise ConfigError([Mistake("inputs", what, "look at table, partition, since and until")])
    pieces = tables.pieces(place, *found, workers * _STRETCHES)
    return sample, list(pieces), place.table
