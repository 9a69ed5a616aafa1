"""tasks/README.md, "write your own" included: everything in it runs as it stands there."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from riotd import catalog, config
from riotd.cli.verbs import riotd

README = Path(__file__).resolve().parents[2] / "tasks/README.md"
PACK = b'[{"bn":"dev7:","bt":%d,"n":"temperature","u":"Cel","v":%d}]\n'


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.+?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def my_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with my_tasks.py, as the README has it, feed and flow."""
    (definition,) = (block for block in _blocks("python") if "class Jumps" in block)
    (stages,) = _blocks("yaml")
    flow: dict[str, Any] = {"name": "mine", "source": {"type": "file", "path": "packs.jsonl"}, **yaml.safe_load(stages)}
    flow["sinks"] = {"out": {"type": "file", "path": "out.jsonl"}}
    (tmp_path / "my_tasks.py").write_text(definition)
    (tmp_path / "packs.jsonl").write_bytes(b"".join(PACK % (time, 20 + 10 * (time > 3)) for time in range(1, 6)))
    (tmp_path / "flow.yaml").write_text(yaml.safe_dump(flow))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    sys.modules.pop("my_tasks", None)


def test_the_python_in_the_readme_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The README's blocks run one after another, and its task passes the battery it shows."""
    module = ModuleType("my_tasks")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in _blocks("python"):
        exec(compile(block, README.name, "exec"), vars(module))
    assert capsys.readouterr().out.splitlines()[0] == "{'temperature': 20.0}"


@pytest.mark.usefixtures("my_tasks")
def test_the_config_in_the_readme_is_right() -> None:
    """Its stages, with a source and a sink, are a configuration that can be run."""
    loaded = config.load("flow.yaml")
    assert [stage.task for stage in loaded.stages] == ["senml_parse", "my_tasks:Jumps"]


@pytest.mark.usefixtures("my_tasks")
def test_the_entry_point_in_the_readme_names_the_task() -> None:
    """What its pyproject.toml registers is the class, in the group that riotd looks in."""
    (block,) = _blocks("toml")
    points = tomllib.loads(block)["project"]["entry-points"][catalog.GROUP]
    assert points == {"jumps": "my_tasks:Jumps"}
    assert catalog.find(points["jumps"]).__name__ == "Jumps"


@pytest.mark.usefixtures("my_tasks")
def test_the_commands_in_the_readme_work() -> None:
    """Each does what it says: one jump of five readings, the task's own parameters, a right configuration."""
    (block,) = _blocks("sh")
    said = [
        CliRunner().invoke(riotd, line.partition(" < ")[0].split()[1:], input=Path("packs.jsonl").read_bytes())
        for line in block.splitlines()
    ]
    assert [done.exit_code for done in said] == [0, 0, 0]
    (jump,) = said[0].stdout.splitlines()
    assert json.loads(jump)["values"] == {"temperature": 30.0}
    assert "  step  float, default 1.0\n    the smallest difference that passes.\n" in said[1].stdout
    assert said[2].stdout.startswith("flow.yaml is right: mine would run\n")


def test_the_page_is_a_page() -> None:
    """It can be read in one go."""
    assert len(README.read_text().split()) < 700
