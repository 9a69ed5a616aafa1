"""The local Ray an engine brings up: what it listens on, what it leaves behind, what happens when it is lost."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from riotd.engines.ray_actors import RayEngine
from riotd.errors import EngineError
from tests.contracts.feeds import ROOT, chain

pytestmark = pytest.mark.ray


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
        )
        self.up = self.heard()
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


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Any, str]:
    """A program that has run to its end, what it said at last, and its stderr."""
    program = Program(tmp_path_factory.mktemp("home"))
    program.tell("go on")
    end = program.heard()
    _, errors = program.process.communicate()
    return program, end, errors


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A program that is up."""
    running = Program(tmp_path)
    yield running
    running.process.kill()
    running.process.communicate()


class TestLife:
    def test_listens_on_loopback_only(self, life: tuple[Program, Any, str]) -> None:
        """No process of the pool listens on an address that others can reach."""
        assert life[0].up["listening"] == ["127.0.0.1"]

    def test_keeps_the_signal_handlers(self, life: tuple[Program, Any, str]) -> None:
        """SIGTERM and SIGINT do after the start what they did before."""
        assert life[0].up["handlers_kept"] is True

    def test_keeps_its_token_to_the_user(self, life: tuple[Program, Any, str]) -> None:
        """The token is in a file of mode 0600, and nothing is written to the home directory."""
        assert life[0].token_mode == 0o600
        assert list(life[0].home.iterdir()) == []

    def test_leaves_no_process_within_three_seconds(self, life: tuple[Program, Any, str]) -> None:
        """After leaving the engine there are no processes below ours, and none of those there were."""
        program, end, _ = life
        assert program.up["children"]
        assert end["children"] == []
        assert [pid for pid in program.up["children"] if psutil.pid_exists(int(pid))] == []
        assert end["seconds"] < 3.0

    def test_leaves_no_file_and_no_variable(self, life: tuple[Program, Any, str]) -> None:
        """The private folder is removed and the environment is as before."""
        assert not life[0].token.parent.exists()
        assert life[1]["environment"] == []

    def test_is_quiet(self, life: tuple[Program, Any, str]) -> None:
        """Nothing of Ray's comes on stderr, and the program ends well."""
        assert life[2] == ""
        assert life[0].process.returncode == 0


class TestLoss:
    def test_of_the_raylet_is_an_error_not_a_wait(self, program: Program) -> None:
        """Without a raylet there are no workers: EngineError within the patience, and the engine can be left."""
        program.tell("lose the raylet")
        loss, end = program.heard(), program.heard()
        assert "shard 0" in loss["error"]
        assert loss["seconds"] < 60.0, "Ray's 15 s to notice, and the patience of 20"
        assert end["children"] == []

    def test_of_the_program_is_the_end_of_its_pool(self, program: Program) -> None:
        """After kill -9 of the program GCS, raylet and workers end by themselves; Ray's agents take another minute."""
        names = program.up["children"]
        pool = [psutil.Process(int(pid)) for pid, name in names.items() if not name.endswith("Agent")]
        program.process.kill()
        program.process.communicate()
        _, alive = psutil.wait_procs(pool, timeout=20)
        assert alive == []


class TestAddress:
    async def test_where_there_is_none_is_an_error(self) -> None:
        """A cluster that can't be reached is an EngineError with its address."""
        with pytest.raises(EngineError, match=r"no Ray at 127\.0\.0\.1:1"):
            await RayEngine(chain(), address="127.0.0.1:1").__aenter__()
