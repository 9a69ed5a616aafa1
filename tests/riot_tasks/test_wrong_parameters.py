"""Every registered task, its parameters made wrong; its example in docs/tasks.md is what is right."""

import re
from decimal import Decimal
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

DOCS = Path(__file__).resolve().parents[2] / "docs/tasks.md"
REGISTERED = sorted(entry_points(group="riotd.tasks"), key=lambda entry: entry.name)
WRONG: list[Any] = [object(), [object()], {"": None}, b"\xff", -7.5, float("nan")]


def _nested(depth: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]
    return nested


LOOP: list[Any] = []
LOOP.append(LOOP)  # as `&a [*a]` makes it in YAML

ODD: dict[str, Any] = {
    **{repr(value): value for value in (None, True, 0, -1, 2**31, 2**63, -0.0, 1e308, 5e-324, 3 + 4j, b"", b"\xff")},
    **{repr(value): value for value in ("", "temperature", "no such", "\0", "\ud800", "http://[", "{", "5s\n", "v")},
    **{str(value): value for value in map(float, ("nan", "inf", "-inf"))},
    "signalling nan": Decimal("sNaN"),
    "no double": 10**400,
    "no double below 0": -(10**400),
    "not printable": 16**5000,
    "an object": object(),
    "a class": object,
    "a tuple": (),
    "a set": {"x"},
    "a range": range(10**9),
    "a long name": "a" * 300,
    "a long path": "b/" * 3000,
    "deep": _nested(3000),
    "endless": LOOP,
}
"""What a parameter may be by mistake, by what a failed test can call it: not all of it can be written."""
KEYS = ["''", "'temperature'", "None", "0", "nan", "not printable", "'\\ud800'"]
COLUMN = ["name", "path", "unit", "type"]

odd = st.sampled_from(sorted(ODD))
plans = st.recursive(
    odd,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=2)
        | st.dictionaries(st.sampled_from(COLUMN), inner, max_size=4).map(lambda column: {"": column})
    ),
    max_leaves=6,
)


def _value(plan: Any) -> Any:
    """What a plan stands for: names of `ODD`, in lists and mappings; under "" a mapping with keys of its own."""
    if isinstance(plan, list):
        return [_value(each) for each in plan]
    if not isinstance(plan, dict):
        return ODD[plan]
    if "" in plan:
        return {key: _value(each) for key, each in plan[""].items()}
    return {ODD[key]: _value(each) for key, each in plan.items()}


@cache
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


@pytest.mark.parametrize("entry", REGISTERED, ids=lambda entry: entry.name)
@settings(deadline=None)  # a first import, a folder that is slow: not what is tested
@given(data=st.data())
def test_nothing_breaks_a_constructor(entry: EntryPoint, data: st.DataObject) -> None:
    """Whatever some of its parameters are, a task is made, or refused by a ValueError that begins with one's name."""
    cls, right = entry.load(), _right(entry.name)
    known = list(signature(cls).parameters)
    wrong = data.draw(st.dictionaries(st.sampled_from(known), plans, min_size=1, max_size=2)) if known else {}
    text = _complaint(cls, {**right, **{name: _value(plan) for name, plan in wrong.items()}})
    assert not text or re.match(rf"({'|'.join(known)})\b", text), text


def _complaint(cls: type[Any], params: dict[str, Any]) -> str:
    try:
        cls(**params)
    except ValueError as error:
        return str(error)
    return ""
