import re
from importlib.metadata import EntryPoint, entry_points
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import pytest
import yaml

from riot_tasks import Task

DOCS = Path(__file__).resolve().parents[2] / "docs/tasks.md"
REGISTERED = sorted(entry_points(group="riotd.tasks"), key=lambda entry: entry.name)
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \|", re.MULTILINE)
EXAMPLE = re.compile(r"^```yaml\n(.+?)^```", re.MULTILINE | re.DOTALL)


def _sections() -> dict[str, str]:
    """Each second-level heading with the text below it."""
    parts = re.split(r"^## (.+)\n", DOCS.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(params=REGISTERED, ids=lambda entry: entry.name)
def entry(request: pytest.FixtureRequest) -> EntryPoint:
    """Each registered task in turn."""
    found: EntryPoint = request.param
    return found


def test_every_registered_task_has_a_heading() -> None:
    """The page's headings are the registered names, no more and no fewer."""
    assert sorted(_sections()) == [entry.name for entry in REGISTERED]


def test_the_head_says_code_pattern_and_state(entry: EntryPoint) -> None:
    """A section begins with the class's own code, pattern and whether it keeps state."""
    cls: type[Task] = entry.load()
    state = "keeps state" if cls.stateful else "no state"
    expected = " · ".join(part for part in (cls.code, f"`{cls.pattern}`", state) if part)
    assert _sections()[entry.name].lstrip().startswith(f"{expected}. ")


def test_the_table_is_the_constructor(entry: EntryPoint) -> None:
    """The table has the constructor's parameters in its order, with its defaults as YAML."""
    rows = [
        (name, Parameter.empty if default == "required" else yaml.safe_load(default))
        for name, default in ROW.findall(_sections()[entry.name])
    ]
    assert rows == [(name, parameter.default) for name, parameter in signature(entry.load()).parameters.items()]


def test_the_example_can_be_made(entry: EntryPoint) -> None:
    """Each example is a stage of this task whose parameters it takes."""
    stages: list[dict[str, Any]] = [
        stage for text in EXAMPLE.findall(_sections()[entry.name]) for stage in yaml.safe_load(text)
    ]
    assert [stage["task"] for stage in stages] == [entry.name]
    for stage in stages:
        entry.load()(**stage.get("params", {}))
