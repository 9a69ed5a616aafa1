"""Bounded input on Apache Flink: a keyed exchange brings each shard's slices to a KeyedProcessFunction."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from riotd.dataflow import Plan
from riotd.errors import ConfigError, Mistake
from riotd.messages import Outcome, Portion
from riotd.platforms import java
from riotd.platforms.spool import Spool
from riotd.platforms.work import build

_MISSING = Mistake(
    "engine",
    "apache-flink is not installed in this environment",
    "it wants older libraries than the rest and so an environment of its own, of Python 3.11 or 3.12: "
    "`./scripts/setup flink`, then `.venv-flink/bin/riotd`; or there `pip install 'riotd[flink]'`",
)


def run(plan: Plan, portions: Iterable[Portion], *, shards: int) -> Iterator[Outcome]:
    """An outcome for each portion, and one for the end, when the tasks are flushed; each key's results in order.

    The job runs on a Flink in a Java process that this one starts, and keeps until its end for further runs; the
    shards are in Python processes, as many as there are cores for. All input is read before the first outcome is
    given, and lies in the folder for temporary files meanwhile, outcomes too.

    Args:
        plan: what the shards run.
        portions: in the order of the input: batches and ids ascend.
        shards: how many; a key's messages all go to one.

    Raises:
        ConfigError: at once, if Flink is not installed, or its Java is missing or of a version it does not run on.
        EngineError: at once, if a stage's task can't be made; later, if the job failed, which nothing restarts.
        OSError: the disk is full.
    """
    if find_spec("pyflink") is None:
        raise ConfigError([_MISSING])
    java.check()
    build(plan)
    return _outcomes(plan, portions, shards)


def _outcomes(plan: Plan, portions: Iterable[Portion], shards: int) -> Iterator[Outcome]:
    with TemporaryDirectory(prefix="riotd-flink-", ignore_cleanup_errors=True) as folder:
        spool = Spool(Path(folder), shards=shards)
        slices = list(spool.fill(portions))
        from riotd.platforms.flink_job import execute  # noqa: PLC0415 - imports Flink, which is an extra

        execute(spool, plan, slices)
        yield from spool.outcomes()
