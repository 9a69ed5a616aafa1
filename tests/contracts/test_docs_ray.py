"""docs/ray.md: everything in it runs as it stands there, and prints what stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import riotd

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_pool")]

DOCS = Path(__file__).resolve().parents[2] / "docs/ray.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MEASURED = re.compile(r"\d+\.\d\d s\b|[\d,]+/s|\b\d+\.\d\d +[\d,]+(?= )")
"""Seconds, rates, and in a table one before the other."""


class Block(NamedTuple):
    """What stands between two fences."""

    language: str
    text: str


def _sections() -> dict[str, list[Block]]:
    """Each heading with its blocks; those before the first under ""."""
    parts = re.split(r"^## (.+)\n", DOCS.read_text(), flags=re.MULTILINE)
    blocks = [[Block(*found) for found in BLOCK.findall(text)] for text in parts[::2]]
    return dict(zip(("", *parts[1::2]), blocks, strict=True))


SECTIONS = _sections()
EXAMPLES = [heading for heading in SECTIONS if re.match(r"\d+\. ", heading)]
CLUSTER = "On a cluster"
MORTAL = "tests.contracts.mortal_task:Mortal"


def _ran(script: str, folder: Path, **environment: str) -> str:
    """What a script prints in a shell that has riotd on its path, without Ray's variables unless they are given."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=folder,
        env={**bare, **environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _shape(output: str) -> str:
    """Without what is measured, and what depends on its width."""
    return re.sub(r" +", " ", MEASURED.sub("#", output))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the page makes before its first example."""
    folder = tmp_path_factory.mktemp("page")
    for block in SECTIONS[""]:
        _ran(block.text, folder)
    return folder


@pytest.fixture
def desk(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of an example's own."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_seven_examples() -> None:
    """The page's numbered headings are seven, each with something to run and what it prints."""
    assert [heading.partition(".")[0] for heading in EXAMPLES] == list("1234567")
    for heading in EXAMPLES:
        assert SECTIONS[heading][0].language in {"sh", "python"}
        assert SECTIONS[heading][-1].language == "text"


@pytest.mark.parametrize("heading", EXAMPLES)
def test_the_example_prints_what_the_page_shows(heading: str, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its blocks, run in their order, print the text below them; programs use the session's Ray, commands their own."""
    printed = ""
    for block in SECTIONS[heading]:
        if block.language == "text":
            assert _shape(printed) == _shape(block.text)
            printed = ""
        elif block.language == "python":
            exec(compile(block.text, DOCS.name, "exec"), {"__name__": heading})
            printed += capsys.readouterr().out
        else:
            printed += _ran(block.text, desk)
    assert printed == ""


def test_the_command_for_a_cluster_uses_the_one_there_is(desk: Path, ray_pool: str) -> None:
    """With a cluster's address in the environment the command gives the inline run's results."""
    command, expected = SECTIONS[CLUSTER]
    variables = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    assert _shape(_ran(command.text, desk, **variables, RAY_ADDRESS=ray_pool)) == _shape(expected.text)
    for report in riotd.run_batch("city.yaml", ["monday.csv", "tuesday.csv"], "inline"):
        assert Path("means", Path(report.about.output).name).read_bytes() == Path(report.about.output).read_bytes()


def test_a_worker_that_dies_in_the_middle_costs_nothing(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page says of deaths: the results are, to the byte, those of an undisturbed run."""
    monkeypatch.chdir(DOCS.parents[1])  # where workers find the task
    params = {"window": 60, "at": 2000, "mark": str(desk / "died")}
    with riotd.Pool(engine="ray", shards=2) as pool:
        report = pool.run_file(MORTAL, desk / "city.csv", desk / "killed.csv", params=params)
    riotd.run_file("average", desk / "city.csv", desk / "calm.csv", params={"window": 60})
    assert (desk / "died").exists()
    assert (report.records, report.errors) == (3000, 0)
    assert (desk / "killed.csv").read_bytes() == (desk / "calm.csv").read_bytes()
