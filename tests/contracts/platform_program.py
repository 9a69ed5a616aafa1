"""Runs jobs on a platform one after the other: `platform_program MODULE JOBS ANSWERS`.

For a Python that has what pytest's has not: Flink's own environment.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import msgspec

from riotd.dataflow import Plan
from riotd.errors import RiotdError
from riotd.messages import Outcome, Portion


class Job(msgspec.Struct):
    """What to run; `remove` is a file that goes away when the portions are asked for."""

    plan: Plan
    portions: list[Portion]
    shards: int
    remove: str = ""


class Answer(msgspec.Struct):
    """What came of it: the outcomes, or the error."""

    outcomes: list[Outcome] = []
    error: str = ""


def done(platform: str, job: Job) -> Answer:
    """Run a job."""
    try:
        return Answer(list(import_module(platform).run(job.plan, _given(job), shards=job.shards)))
    except RiotdError as error:
        return Answer(error=f"{type(error).__name__}: {error}")


def _given(job: Job) -> Iterator[Portion]:
    if job.remove:
        Path(job.remove).unlink()
    yield from job.portions


def main(platform: str, jobs: str, answers: str) -> None:
    """Read the jobs, write the answers; MessagePack both."""
    asked = msgspec.msgpack.decode(Path(jobs).read_bytes(), type=list[Job])
    Path(answers).write_bytes(msgspec.msgpack.encode([done(platform, job) for job in asked]))


if __name__ == "__main__":
    main(*sys.argv[1:])
