"""The local Ray an engine brings up: what it listens on, what it leaves behind, what happens when it is lost."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
import pytest

from riotd.engines.ray_actors import RayEngine
from riotd.messages import Outcome
from tests.contracts.feeds import ROOT, chain, direct, feed, plain

pytestmark = pytest.mark.ray

VISITOR = """
import asyncio, sys, msgspec
from riotd.engines.ray_actors import RayEngine
from riotd.messages import Outcome
from tests.contracts.feeds import chain, feed, plain
async def main():
    async with RayEngine(chain(), address=sys.argv[1]) as engine:
        return [plain(await engine.submit(0, each)) for each in feed(3)]
sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(main())))
"""


class Program:
    """`pool_program`, with a home directory of its own."""

    def __init__(self, home: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.contracts.pool_program"],
            cwd=ROOT,
            env={**environment, "HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.up = self.heard()
        self.pool = [psutil.Process(int(pid)) for pid in self.up["children"]]
        self.token = Path(self.up["token"])
        self.token_mode = self.token.stat().st_mode & 0o777

    def heard(self) -> Any:
        """What it finds next; whatever is on its stdout that is not JSON is an error."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def tell(self, command: str) -> None:
        """Let it go on."""
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()


class Life(NamedTuple):
    """A program that has run to its end."""

    program: Program
    interrupted: dict[str, int]
    end: Any
    errors: str


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Up; a Ctrl-C to all its processes; some work; the end."""
    program = Program(tmp_path_factory.mktemp("home"))
    os.killpg(program.process.pid, signal.SIGINT)
    program.tell("go on")
    interrupted, end = program.heard(), program.heard()
    _, errors = program.process.communicate()
    return Life(program, interrupted, end, errors)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A program that is up."""
    running = Program(tmp_path)
    yield running
    running.process.kill()
    running.process.communicate()


class TestLife:
    def test_listens_on_loopback_only(self, life: Life) -> None:
        """No process of the pool listens on an address that others can reach."""
        assert life.program.up["listening"] == ["127.0.0.1"]

    def test_keeps_the_signal_handlers(self, life: Life) -> None:
        """SIGTERM and SIGINT do after the start what they did before."""
        assert life.program.up["handlers_kept"] is True

    def test_keeps_its_token_to_the_user(self, life: Life) -> None:
        """The token is in a file of mode 0600, and nothing is written to the home directory."""
        assert life.program.token_mode == 0o600
        assert list(life.program.home.iterdir()) == []

    def test_goes_on_after_an_interrupt(self, life: Life) -> None:
        """Ctrl-C, which reaches all processes of a terminal, costs no worker, so that the daemon can drain."""
        assert life.interrupted["restarts"] == 0

    def test_leaves_no_process_within_three_seconds(self, life: Life) -> None:
        """After leaving the engine there are no processes below ours, and none of those there were."""
        assert len(life.program.pool) >= 6
        assert life.end["children"] == []
        assert psutil.wait_procs(life.program.pool, timeout=3.0 - life.end["seconds"])[1] == []

    def test_leaves_no_file_and_no_variable(self, life: Life) -> None:
        """The private folder is removed and the environment is as before."""
        assert not life.program.token.parent.exists()
        assert life.end["environment"] == []

    def test_is_quiet(self, life: Life) -> None:
        """Nothing of Ray's comes on stderr, and the program ends well."""
        assert life.errors == ""
        assert life.program.process.returncode == 0


class TestLoss:
    def test_of_the_raylet_is_made_good(self, program: Program) -> None:
        """With the raylet killed amid 40 portions Ray is started anew, and outcomes and state are as if nothing was."""
        program.tell("lose the raylet")
        loss, end = program.heard(), program.heard()
        assert loss == {"right": True, "rebuilt": 1}
        assert end["children"] == []

    def test_of_the_program_is_the_end_of_its_pool(self, program: Program) -> None:
        """After kill -9 of the program GCS, raylet and workers end by themselves; Ray's agents take another minute."""
        pool = [each for each in program.pool if not program.up["children"][str(each.pid)].endswith("Agent")]
        program.process.kill()
        program.process.communicate()
        _, alive = psutil.wait_procs(pool, timeout=20)
        assert alive == []


async def visit(address: str) -> tuple[bytes, str]:
    """What another process's engine at an address gives, and its stderr."""
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", VISITOR, address, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = await other.communicate()
    return output, errors.decode()


class TestAddress:
    async def test_is_used_and_left_running(self, ray_pool: str) -> None:
        """Another process's engine at the pool's address gives the right outcomes; the pool goes on after it."""
        output, errors = await visit(ray_pool)
        assert errors == ""
        expected = direct(chain(), feed(3))
        assert msgspec.json.decode(output, type=list[Outcome]) == expected
        async with RayEngine(chain()) as engine:
            assert [plain(await engine.submit(0, each)) for each in feed(3)] == expected

    async def test_where_nobody_listens_is_an_error(self) -> None:
        """A cluster that can't be reached is an EngineError with its address, at once."""
        _, errors = await visit("127.0.0.1:1")
        assert errors.splitlines()[-1].startswith("riotd.errors.EngineError: no Ray at 127.0.0.1:1")
