"""The contract on Flink, which lives in an environment of its own: one Java for all jobs."""

import os
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil
import pytest

from riotd.dataflow import Plan, Stage
from riotd.errors import ConfigError
from riotd.platforms import flink, java
from tests.contracts.feeds import ROOT, chain, feed
from tests.contracts.feeds import plan as plan_of
from tests.contracts.platform_examples import one_thread, plan, together, views
from tests.contracts.platform_program import Answer, Job

PYTHON = Path(ROOT, ".venv-flink", "bin", "python")
TASKS = "tests.contracts.platform_tasks"

pytestmark = pytest.mark.timeout(400)


class Life(NamedTuple):
    """A program that has run its jobs, and come to its end."""

    answers: dict[str, Answer]
    examples: Plan
    said: str
    session: int
    temporary: Path


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """All jobs, in one program."""
    if not PYTHON.exists():
        pytest.skip("there is no .venv-flink; ./scripts/setup flink makes it")
    try:
        java.check()
    except ConfigError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("flink")
    model, temporary = folder / "model", folder / "temporary"
    model.touch()
    temporary.mkdir()
    examples = plan(folder)
    jobs = {
        "one shard": Job(examples, together(), 1),
        "four shards": Job(examples, together(), 4),
        "vanished": Job(plan_of(Stage("it", f"{TASKS}:Vanishing", {"path": str(model)})), feed(2), 1, str(model)),
        "dead": Job(plan_of(Stage("it", f"{TASKS}:Dying")), feed(2), 1),
    }
    (folder / "jobs").write_bytes(msgspec.msgpack.encode(list(jobs.values())))
    names = [str(each) for each in (folder / "jobs", folder / "answers")]
    program = subprocess.Popen(
        [str(PYTHON), "-m", "tests.contracts.platform_program", "riotd.platforms.flink", *names],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = program.communicate(timeout=360)
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        raise
    assert program.returncode == 0, said
    answers = msgspec.msgpack.decode((folder / "answers").read_bytes(), type=list[Answer])
    return Life(dict(zip(jobs, answers, strict=True)), examples, said, program.pid, temporary)


class TestResults:
    @pytest.mark.parametrize("shards", ["one shard", "four shards"])
    def test_are_those_of_one_thread(self, life: Life, shards: str) -> None:
        """For every stateful task each key has the same results in the same order, the same refusals and counts."""
        assert life.answers[shards].error == ""
        assert views(life.answers[shards].outcomes, life.examples) == one_thread(life.examples)


class TestFailures:
    def test_of_a_worker_name_the_cause(self, life: Life) -> None:
        """A task that can't be made when the job has started is an EngineError with the task's own words."""
        assert life.answers["vanished"].error.startswith("EngineError: Flink: ")
        assert "path: there is no " in life.answers["vanished"].error

    def test_of_a_worker_that_dies_are_no_wait(self, life: Life) -> None:
        """A worker that is gone ends the run with an EngineError: nothing is restarted without its state."""
        assert life.answers["dead"].error.startswith("EngineError: Flink: a worker has died: ")


class TestEnd:
    def test_leaves_no_process(self, life: Life) -> None:
        """With the program its Java and all workers end."""
        mine = [process for process in psutil.process_iter() if _session(process) == life.session]
        assert psutil.wait_procs(mine, timeout=15)[1] == []

    def test_leaves_no_file(self, life: Life) -> None:
        """Nothing stays in the folder for temporary files, after failures neither."""
        assert [each.name for each in life.temporary.iterdir()] == []

    def test_is_quiet(self, life: Life) -> None:
        """Neither Java nor its workers say a word on standard output or error."""
        assert life.said == ""


class TestStart:
    def test_without_flink_says_where_it_is_to_be_had(self) -> None:
        """In an environment without pyflink the first thing said is how to come by one with it."""
        if find_spec("pyflink") is not None:
            pytest.skip("pyflink is installed here")
        with pytest.raises(ConfigError, match=r"\./scripts/setup flink.*riotd\[flink\]"):
            flink.run(chain(), [], shards=1)


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return -1
