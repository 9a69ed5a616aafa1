"""Bounded input on Apache Beam: a GroupByKey brings each shard's slices to a DoFn."""

import os
import shlex
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from riotd.dataflow import Plan
from riotd.errors import ConfigError, Mistake
from riotd.messages import Outcome, Portion
from riotd.platforms.spool import Spool
from riotd.platforms.work import build

OPTIONS = "RIOTD_BEAM_OPTIONS"
"""The environment variable with pipeline options, as on a command line: `--runner=... --direct_num_workers=4`."""


def run(plan: Plan, portions: Iterable[Portion], *, shards: int) -> Iterator[Outcome]:
    """An outcome for each portion, and one for the end, when the tasks are flushed; each key's results in order.

    By default the pipeline runs on Beam's in-process runner, one shard after the other; RIOTD_BEAM_OPTIONS names
    another, whose workers must see this machine's folder for temporary files. All input is read before the first
    outcome is given, and lies in that folder meanwhile, outcomes too.

    Args:
        plan: what the shards run.
        portions: in the order of the input: batches and ids ascend.
        shards: how many; a key's messages all go to one.

    Raises:
        ConfigError: at once, if Beam is not installed.
        EngineError: at once, if a stage's task can't be made; later, if the pipeline failed.
        OSError: the disk is full.
    """
    if find_spec("apache_beam") is None:
        raise ConfigError([Mistake("engine", "apache-beam is not installed", "pip install 'riotd[beam]'")])
    build(plan)
    return _outcomes(plan, portions, shards)


def _outcomes(plan: Plan, portions: Iterable[Portion], shards: int) -> Iterator[Outcome]:
    with TemporaryDirectory(prefix="riotd-beam-") as folder:
        spool = Spool(Path(folder), shards=shards)
        slices = list(spool.fill(portions))
        from riotd.platforms.beam_pipeline import execute  # noqa: PLC0415 - Beam, an extra, takes 2 s to import

        execute(spool, plan, slices, shlex.split(os.environ.get(OPTIONS, "")))
        yield from spool.outcomes()
