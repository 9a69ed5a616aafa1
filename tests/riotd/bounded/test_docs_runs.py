"""docs/runs.md says what there is."""

import re
from pathlib import Path

import click
import pytest

import riotd
from riotd.cli import bounded, run_batch, run_file
from tests.riotd.bounded.bounded_inputs import city

DOC = (Path(__file__).parents[3] / "docs" / "runs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [run_file.command, run_batch.command])
def test_every_option_is_there(command: click.Command) -> None:
    """In the table of options."""
    table = DOC.partition("## Options")[2].partition("\n## ")[0]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert all(f"`{name}" in table for name in parameter.opts), parameter.name


def test_every_form_engine_and_member_of_the_figures_is_there(tmp_path: Path) -> None:
    """By its name."""
    report = riotd.run_file("noop", city(tmp_path / "in", 5), tmp_path / "out.jsonl")
    words = [*bounded.FORMS, *bounded.ENGINES, *report.plain(), ".jsonl", ".csv", ".senml"]
    assert [word for word in words if f"`{word}`" not in DOC] == []


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands, but for the engine."""
    monkeypatch.chdir(tmp_path)
    for name in ("city.csv", "monday.csv", "tuesday.csv"):
        city(tmp_path / name, 500)
    (code,) = re.findall(r"```python\n(.*?)```", DOC, re.DOTALL)
    readings = [{"device": "a", "t": float(number)} for number in range(60)]
    exec(code.replace('engine="ray"', 'engine="inline"'), {"readings": lambda: readings})
    said = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"[45]\d\d [\d.]+ [\d.]+", said[0])
    assert said[1:] == ["a {'t': 29.5}"]
    assert sorted(path.name for path in (tmp_path / "means").iterdir()) == ["monday.jsonl", "tuesday.jsonl"]
