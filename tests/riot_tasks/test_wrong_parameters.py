"""Every registered task, with each of its parameters wrong in turn; its example in docs/tasks.md is what is right."""

import re
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml

from riot_tasks import Task

DOCS = Path(__file__).resolve().parents[2] / "docs/tasks.md"
REGISTERED = sorted(entry_points(group="riotd.tasks"), key=lambda entry: entry.name)
WRONG: list[Any] = [object(), [object()], {"": None}, b"\xff", -7.5, float("nan")]


def _right(name: str) -> dict[str, Any]:
    section = DOCS.read_text().partition(f"\n## {name}\n")[2]
    stages = yaml.safe_load(re.findall(r"^```yaml\n(.+?)^```", section, re.MULTILINE | re.DOTALL)[0])
    params: dict[str, Any] = stages[0].get("params", {})
    return params


@pytest.mark.parametrize("entry", REGISTERED, ids=lambda entry: entry.name)
def test_what_can_not_be_is_refused_by_name(entry: EntryPoint) -> None:
    """A value of the wrong kind raises a ValueError that begins with the parameter's name, or is right after all."""
    cls, params = entry.load(), _right(entry.name)
    said = [(name, _complaint(cls, {**params, name: wrong})) for name in signature(cls).parameters for wrong in WRONG]
    assert [(name, text) for name, text in said if text and not re.match(rf"{name}\b", text)] == []


def _complaint(cls: type[Task], params: dict[str, Any]) -> str:
    try:
        cls(**params)
    except ValueError as error:
        return str(error)
    return ""
