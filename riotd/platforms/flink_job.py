"""The job itself; apart from `flink` so that Flink is imported only when it runs.

The trap: Flink would restart a task that failed, with an empty Python object where the state was. So nothing is
restarted: a shard that fails ends the job.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from py4j.protocol import Py4JJavaError
from pyflink.common import Configuration, Types
from pyflink.datastream import DataStream, RuntimeExecutionMode, StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.java_gateway import get_gateway

from riotd.dataflow import Plan
from riotd.errors import EngineError
from riotd.platforms.quiet import quiet
from riotd.platforms.spool import Slice, Spool
from riotd.platforms.work import Work

_Row = tuple[int, int, int, int, int]
"""Flink's key, which says no more than the worker, the shard, and a `Slice`."""

_KEY_GROUPS = 128
"""Flink's own, `pipeline.max-parallelism`: its default for small jobs."""

_LOST = "StatusRuntimeException"
"""What Java says when the connection to a worker breaks."""

_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Java only moves slices' places: without its optimizing compiler two small jobs took it 8 s of CPU instead of 16."""


class RunShards(KeyedProcessFunction):
    """The shards that are one worker's.

    Slices come in order, since there is one source and one exchange; the last of a shard ends in its flush, so that
    no timer is needed to find the end of the stream.
    """

    def __init__(self, spool: Spool, plan: Plan) -> None:
        self._spool, self._plan = spool, plan
        self._works: dict[int, Work] = {}

    def process_element(self, value: _Row, _context: KeyedProcessFunction.Context) -> Iterator[int]:
        """Run a slice; gives the shard's number after the last."""
        _, shard, *where = value
        work = self._works.get(shard)
        if work is None:
            work = self._works[shard] = Work(self._spool, shard, self._plan)
        if work.do(Slice(*where)):
            yield shard

    def close(self) -> None:
        """Leave the files of what did not come to its end."""
        for work in self._works.values():
            work.close()


def execute(spool: Spool, plan: Plan, slices: Sequence[tuple[int, Slice]]) -> None:
    """Run the job to its end.

    Args:
        spool: holds the slices, and takes the outcomes.
        plan: what the shards run.
        slices: each with its shard, those of a shard in order.

    Raises:
        EngineError: it failed; the message is the line of its errors that names the cause.
    """
    with _surroundings(spool), quiet("py4j"):
        try:
            with _job(spool, plan, slices).execute_and_collect("riotd") as ended:
                for _ in ended:
                    pass
        except Py4JJavaError as error:
            raise EngineError(f"Flink: {_cause(str(error))}") from error


def _job(spool: Spool, plan: Plan, slices: Sequence[tuple[int, Slice]]) -> DataStream:
    environment = StreamExecutionEnvironment.get_execution_environment(_settings(spool))
    environment.set_runtime_mode(RuntimeExecutionMode.STREAMING)  # in order of arrival; BATCH would sort by key
    workers = min(spool.shards, len(os.sched_getaffinity(0)))  # each is a Python process of 150 MB
    keys = _keys(workers)
    rows = [(keys[shard % workers], shard, *piece) for shard, piece in slices]
    return (
        environment
        .from_collection(rows, Types.TUPLE([Types.INT(), Types.INT(), Types.INT(), Types.LONG(), Types.INT()]))
        .key_by(_key, Types.INT())
        .process(RunShards(spool, plan), Types.INT())
        .set_parallelism(workers)
    )


def _key(row: _Row) -> int:
    return row[0]


def _settings(spool: Spool) -> Configuration:
    folder = str(spool.folder)
    settings = Configuration()
    for name, value in {
        "python.executable": sys.executable,
        "parallelism.default": "1",
        "pipeline.max-parallelism": str(_KEY_GROUPS),
        "restart-strategy.type": "none",
        "io.tmp.dirs": folder,
        "web.tmpdir": folder,
        "web.upload.dir": folder,
        "jobmanager.bind-host": "localhost",
        "taskmanager.bind-host": "localhost",
        "rest.bind-address": "localhost",
    }.items():
        settings.set_string(name, value)
    return settings


@contextmanager
def _surroundings(spool: Spool) -> Iterator[None]:
    """Environment variables for PyFlink and the Java it starts the first time: workers are processes, logs are off.

    By itself PyFlink would run all workers in threads of this process, fill a folder of its installation with logs
    (who wants these says where by FLINK_LOG_DIR), and leave an empty folder among the temporary ones.
    """
    settings = {"_python_worker_execution_mode": "process", "JVM_ARGS": os.environ.get("JVM_ARGS", _JAVA)}
    if not {"FLINK_LOG_DIR", "LOG4J_PROPERTIES"} & os.environ.keys():
        silence = spool.folder / "log4j.properties"
        silence.write_text("rootLogger.level = OFF\n", encoding="ascii")
        settings["LOG4J_PROPERTIES"] = str(silence)
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    folder, tempfile.tempdir = tempfile.tempdir, str(spool.folder)
    try:
        yield
    finally:
        tempfile.tempdir = folder
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _keys(workers: int) -> list[int]:
    """For each worker a key that Flink gives to it: it places keys by a hash, often two on one."""
    place = get_gateway().jvm.org.apache.flink.runtime.state.KeyGroupRangeAssignment.assignKeyToParallelOperator
    keys: dict[int, int] = {}
    for key in count():
        keys.setdefault(place(key, _KEY_GROUPS, workers), key)
        if len(keys) == workers:
            break
    return [keys[worker] for worker in range(workers)]


def _cause(report: str) -> str:
    """The last line that is no stack frame: what the Python worker raised, if it could still say so."""
    lines = [line for line in report.splitlines() if line.strip() and not line[0].isspace()]
    cause = lines[-1].removeprefix("Caused by: ")
    return f"a worker has died: {cause}" if _LOST in cause else cause
