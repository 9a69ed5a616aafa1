"""The demo shows what does not add up, and nothing of the kind where all does."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from riotd import wiring
from riotd.config import load
from riotd.demo.view import Screen

CONFIG = """
name: demo
source: {type: timer, every: 1h}
stages: [{task: noop}]
sinks: {out: {type: file, path: out.jsonl}}
"""


@pytest.fixture
def report(tmp_path: Path) -> dict[str, Any]:
    """What a daemon that has done nothing publishes."""
    (tmp_path / "demo.yaml").write_text(CONFIG)
    return wiring.build(load(tmp_path / "demo.yaml")).report()


@pytest.mark.parametrize("alarms", [[], ["stage parse: in 5 ≠ out 4 (residue 1)"]])
def test_alarms_are_red(report: dict[str, Any], alarms: list[str]) -> None:
    """An alarm of the statistics is a line of its own, on red."""
    screen = Screen(title="a broker", rejects="rejects.jsonl", seconds=60.0)
    screen.hear("riotd/demo/stats", orjson.dumps({**report, "alarms": alarms}))
    with Path(os.devnull).open("w") as nowhere:
        console = Console(width=100, record=True, file=nowhere, force_terminal=True)
        console.print(screen.render(1.0))
    lines = [line for line in console.export_text(styles=True).splitlines() if "ALARM" in line]
    assert [line.strip() for line in lines] == [f"\x1b[1;37;41mALARM {alarm}\x1b[0m" for alarm in alarms]
