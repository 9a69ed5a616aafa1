"""`riotd tasks`, as a user sees it: in a pipe, as JSON, on a terminal."""

import json
import os
import pty
import struct
import subprocess
import sys
from fcntl import ioctl
from inspect import signature
from pathlib import Path
from termios import TIOCSWINSZ

import click
import pytest
from click.testing import CliRunner, Result

from riotd import catalog
from riotd.cli.docstrings import sections
from riotd.cli.verbs import riotd

PLUGIN = """\
from riot_tasks import Task

class Smooth(Task):
    \"\"\"Smooths.

    Like this:

    * first one
    * then the other

    Args:
        strength: how much.
        mode: which way.

    Example:
        >>> Smooth(0.1)
        Smooth(strength=0.1, mode='null')
    \"\"\"

    def __init__(self, strength: float = 0.5, *, mode: str = "null") -> None:
        self.strength, self.mode = strength, mode

    def process(self, record):
        return (record,)
"""


@pytest.fixture
def plugins(tmp_path: Path) -> dict[str, str]:
    """An environment with a distribution acme 1.0, of one task that works and one that is lost."""
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n", encoding="utf-8")
    points = "[riotd.tasks]\nlost = acme_lost:Lost\nsmooth = acme_tasks:Smooth\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    (tmp_path / "acme_tasks.py").write_text(PLUGIN, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def _riotd(*arguments: str) -> Result:
    return CliRunner().invoke(riotd, arguments, prog_name="riotd")


def _on_a_terminal(columns: int, environment: dict[str, str], *arguments: str) -> list[str]:
    """What the program shows on a terminal of so many columns, without colours."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "riotd", *arguments]
    bare = {name: value for name, value in environment.items() if name != "COLUMNS"}  # it would count, not the terminal
    with subprocess.Popen(command, stdout=theirs, stdin=theirs, env=bare) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
        assert process.wait(30) == 0
    os.close(ours)
    return click.unstyle(shown.decode()).splitlines()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO when the last one has left
        return b""


def test_it_lists_every_registered_task() -> None:
    """In a pipe one line a task, with family, code, RIoTBench's name, pattern and state; none of ours is broken."""
    lines = _riotd("tasks").stdout.splitlines()
    assert sorted(line.split()[1] for line in lines[1:]) == catalog.names()
    assert "broken" not in "".join(lines)
    (kalman,) = (line for line in lines if " kalman_filter " in line)
    assert kalman.split()[:7] == ["statistics", "kalman_filter", "KAL", "KalmanFilter", "1:1", "per", "device"]


def test_families_and_tasks_are_in_riotbenchs_order() -> None:
    """Parse, filter, statistics, predict, io, visualize, other; within a family as in RIoTBench's table."""
    listed = json.loads(_riotd("tasks", "--json").stdout)
    order = ["parse", "filter", "statistics", "predict", "io", "visualize", "other"]
    ours = [task for task in listed if not task["distribution"]]
    assert [task["family"] for task in ours] == sorted((task["family"] for task in ours), key=order.index)
    for family in order:
        known = [task["name"] for task in ours if task["family"] == family and task["name"] in catalog.RIOTBENCH]
        assert known == sorted(known, key=list(catalog.RIOTBENCH).index)


def test_as_json_it_is_the_same_list() -> None:
    """For programs: every fact of every task."""
    listed = {task["name"]: task for task in json.loads(_riotd("tasks", "--json").stdout)}
    assert sorted(listed) == catalog.names()
    assert listed["range_filter"] == {
        "family": "filter",
        "name": "range_filter",
        "code": "RGF",
        "riotbench": "RangeFilterCheck",
        "pattern": "1:0/1",
        "state": "no state",
        "about": "Lets a record through if each of its fields lies within the bounds set for that field.",
        "distribution": "",
        "error": "",
    }


@pytest.mark.parametrize("name", [*catalog.names(), "KAL", "riot_tasks.noop:Noop"])
def test_it_describes_each(name: str) -> None:
    """Every parameter of the constructor has type, default and a text of its own, and the example is shown."""
    shown, described = _riotd("tasks", name).stdout, json.loads(_riotd("tasks", name, "--json").stdout)
    task = catalog.find(name)
    expected = signature(task).parameters.values()
    for taken, parameter in zip(described["parameters"], expected, strict=True):
        assert taken["name"] == parameter.name
        assert taken["about"], taken
        assert taken["type"], taken
        assert taken["required"] == (parameter.default is parameter.empty)
        assert f"\n  {taken['name']}  {taken['type']}, " in shown
        assert taken["about"] in shown
    assert f"\nExample\n{sections(task.__doc__)['Example']}\n" in shown


def test_a_description_in_full(plugins: dict[str, str]) -> None:
    """Names, facts, prose, parameters with YAML's defaults, example."""
    command = [sys.executable, "-m", "riotd", "tasks", "smooth"]
    assert (
        subprocess.run(command, env=plugins, capture_output=True, text=True, check=True).stdout
        == """\
smooth
acme, 1:1, per device, from acme 1.0

Smooths.

Like this:

* first one
* then the other

Parameters
  strength  float, default 0.5
    how much.
  mode  str, default "null"
    which way.

Example
>>> Smooth(0.1)
Smooth(strength=0.1, mode='null')
"""
    )


def test_plugins_are_listed_with_their_distribution(plugins: dict[str, str]) -> None:
    """Other people's tasks come last, under their distribution; a broken one says why and takes no other with it."""
    command = [sys.executable, "-m", "riotd", "tasks"]
    listed = json.loads(subprocess.run([*command, "--json"], env=plugins, capture_output=True, check=True).stdout)
    *ours, lost, smooth = listed
    assert len(ours) == len(catalog.names())
    assert (smooth["family"], smooth["distribution"], smooth["about"]) == ("acme", "acme 1.0", "Smooths.")
    assert (lost["family"], lost["distribution"], lost["about"]) == ("acme", "acme 1.0", "")
    assert lost["error"].startswith("broken: task 'lost', acme_lost:Lost of the distribution acme 1.0, can't be loaded")


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_the_list_fits(columns: int, plugins: dict[str, str]) -> None:
    """By family, two lines a task, none longer than the terminal is wide; no fact and no error is cut."""
    lines = _on_a_terminal(columns, plugins, "tasks")
    assert max(map(len, lines)) <= columns
    theirs = lines.index("acme")
    assert theirs == 1 + 2 * len(catalog.names()) + 2 * 7 + 1
    (row,) = (line for line in lines if line.startswith("sliding_regression "))
    assert row.split() == ["sliding_regression", "SLR", "SimpleLinearRegressionPredictor", "N:M", "per", "device"]
    error = " ".join(line.strip() for line in lines[theirs + 2 : -2])
    assert error.startswith("broken: task 'lost', ")
    assert error.endswith("No module named 'acme_lost'")


def test_on_a_terminal_prose_is_reflowed_and_lists_are_not(plugins: dict[str, str]) -> None:
    """Paragraphs and what parameters mean wrap at the terminal's width; a list keeps its lines."""
    assert max(map(len, _on_a_terminal(60, plugins, "tasks", "noop"))) > 60  # the example's lines stay whole
    lines = _on_a_terminal(60, plugins, "tasks", "SLR")
    assert max(map(len, lines[1 : lines.index("Example")])) <= 60
    shown = _on_a_terminal(60, plugins, "tasks", "smooth")
    assert shown[shown.index("Like this:") + 2 :][:2] == ["* first one", "* then the other"]


def test_an_unknown_name_is_refused() -> None:
    """Exit 1, with a suggestion."""
    done = _riotd("tasks", "kalman")
    assert (done.exit_code, done.stderr) == (1, "Error: there is no task 'kalman'; did you mean 'kalman_filter'?\n")
