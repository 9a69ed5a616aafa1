import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

README = Path(__file__).resolve().parents[2] / "tasks/README.md"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.+?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


def test_the_python_in_the_readme_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The README's blocks run one after another, and its task passes the battery it shows."""
    module = ModuleType("my_tasks")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in _blocks("python"):
        exec(compile(block, README.name, "exec"), vars(module))
    assert capsys.readouterr().out.splitlines()[0] == "{'temperature': 20.0}"


def test_the_config_in_the_readme_is_read() -> None:
    """The README's stages are YAML with the names of its task."""
    (block,) = _blocks("yaml")
    assert [stage["task"] for stage in yaml.safe_load(block)["stages"]] == ["senml_parse", "my_tasks:Jumps"]
