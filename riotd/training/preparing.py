"""What can be known before Ray is started: the fields, the pieces, the store; and every mistake in these."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from riot_tasks.errors import Unavailable
from riot_tasks.models.registry import Registry
from riot_tasks.record import Record
from riotd.errors import ConfigError, Mistake, TransportError
from riotd.training import fields, files, tables
from riotd.training.job import Job, times
from riotd.training.reading import Piece, Wanted

NEEDED = ("ray", "pandas", "pyarrow", "sklearn")
"""Modules of the extra `train` that a job can't do without."""
_STRETCHES = 8
"""Stretches of time for each worker: rows may be dense in one and rare in another."""
_WORKERS = 16


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


def prepare(job: Job, *, now: float, workers: int = _WORKERS) -> Prepared:
    """Look at a job's inputs.

    Args:
        job: what is to be done.
        now: Unix seconds.
        workers: that read side by side.

    Raises:
        ConfigError: something is wrong with the job, with every mistake of its kind.
        TransportError: a file or store is out of reach.
    """
    check_installed()
    registry = _registry(job)
    _check_folder(job)
    since, until = times(job, now)
    look = _look_at_table if job.from_table else _look_at_files
    sample, pieces, name = look(job, since, until, workers)
    features = fields.features(sample, job.features, job.target)
    labelled = job.model == "regression" or job.label is not None
    numbers = tuple(dict.fromkeys([*features, *([job.target] if labelled else [])]))
    fields.numbers_only(sample, numbers)
    wanted = Wanted(numbers, None if labelled else job.target, since, until)
    return Prepared(features, wanted, pieces, job.name or name, registry)


def check_installed(found: Callable[[str], object] = find_spec) -> None:
    """See that the extra is there.

    Raises:
        ConfigError: it is not.
    """
    missing = [name for name in NEEDED if found(name) is None]
    if missing:
        raise ConfigError([Mistake("train", f"{', '.join(missing)} not installed", "pip install 'riotd[train]'")])


def _registry(job: Job) -> Registry | None:
    if job.store is None:
        return None
    try:
        return Registry(job.store, job.prefix, job.credentials)
    except ValueError as error:
        raise ConfigError([Mistake("store", str(error).removeprefix("store: "))]) from error


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
        form, records = files.look(path, form=job.format, schema=job.schema)
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
