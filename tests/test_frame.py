import os
import re
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

TOP = Path(__file__).parents[1]
_PATH_HERE = re.compile(r"(?:^|[^\w.${}/-])/(?:work|root|home/\w+|farm)/")
_REGISTRY = re.compile(
    r"(?i)files\.python\w+\.|\b(?:test\.)?pypi\.org|registry\.npm\w+\.|\bindex-url\s*=|artifactory|/simple\b"
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PYTHON = """#!/bin/sh
case $* in *"pip install"*) echo "$*" >> asked ;; esac
case $* in *--editable*) ! grep -q refuse constraints.txt ;; esac
"""


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=False, timeout=30)
    if listed.returncode:
        pytest.skip("not a git working tree")
    return [TOP / name for name in listed.stdout.decode().split("\0") if name and (TOP / name).is_file()]


def lines(file: Path) -> Iterator[tuple[int, str]]:
    yield from enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1)


def found(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    return [
        f"{file.relative_to(TOP)}:{number}" for file in files for number, line in lines(file) if pattern.search(line)
    ]


@pytest.mark.parametrize("name", ["scripts/demo", "scripts/test", "scripts/setup", "scripts/bench", ".ci/run"])
def test_scripts_can_be_executed(name: str) -> None:
    """A script of the README is executable, also in a fresh clone, and says what runs it."""
    file = TOP / name
    assert file.stat().st_mode & stat.S_IXUSR
    assert file.read_text(encoding="utf-8").startswith("#!")
    mode = subprocess.run(
        ["git", "ls-files", "-s", name], cwd=TOP, capture_output=True, text=True, check=True, timeout=30
    )
    assert mode.stdout.startswith("100755")


def test_no_path_of_a_machine() -> None:
    """No tracked file names a folder of the machine it was written on."""
    assert found(_PATH_HERE, [file for file in tracked() if file != Path(__file__)]) == []


def test_no_registry() -> None:
    """No tracked file names a package registry: where packages come from is each machine's own setting."""
    assert found(_REGISTRY, [file for file in tracked() if file != Path(__file__)]) == []


def test_links_lead_somewhere() -> None:
    """Every relative link in the documents names a file that is there."""
    broken = []
    for file in (file for file in tracked() if file.suffix == ".md"):
        for link in _LINK.findall(file.read_text(encoding="utf-8")):
            if "://" in link or link.startswith(("#", "mailto:")):
                continue
            if not (file.parent / unquote(link.split("#")[0])).exists():
                broken.append(f"{file.relative_to(TOP)}: {link}")
    assert broken == []


@pytest.mark.parametrize("file", ["constraints.txt", "constraints-flink.txt"])
def test_constraints_pin_what_the_project_asks_for(file: str) -> None:
    """Every package that pyproject.toml names is pinned to one version a platform, in the file of its environment."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    for_flink = {"flink", "learn", "plot", "stores"}
    here = for_flink if file == "constraints-flink.txt" else extras.keys() - {"flink"}
    asked = [*project["project"]["dependencies"], *(one for extra in here for one in extras[extra])]
    if file == "constraints.txt":
        asked += project["dependency-groups"]["dev"]
    names = {re.split(r"[\s<>=!~;\[]", one)[0] for one in asked}
    pins = (TOP / file).read_text(encoding="utf-8").splitlines()
    assert all("==" in pin for pin in pins)
    assert names - {pin.split("==")[0] for pin in pins} == set()


def test_setup_is_quick_and_silent_when_nothing_changed(tmp_path: Path) -> None:
    """With the stamp of the present files, setup neither asks a registry nor says a word."""
    clone = copy_of_setup(tmp_path)
    done = run_setup(clone, "dev")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_setup_notices_a_change(tmp_path: Path) -> None:
    """After a change of the constraints setup installs again, by them, and remembers that it did."""
    clone = copy_of_setup(tmp_path)
    with (clone / "constraints.txt").open("a", encoding="utf-8") as constraints:
        constraints.write("another==1\n")
    done = run_setup(clone, "dev")
    assert (done.returncode, done.stdout) == (0, "")
    assert "installing riotd for dev" in done.stderr
    assert (
        "--editable .[ray,demo,learn,plot,stores,train,beam] --constraint constraints.txt --group dev"
        in asked(clone)[-1]
    )
    assert run_setup(clone, "dev").stderr == ""


def test_setup_that_failed_is_tried_again(tmp_path: Path) -> None:
    """An installation that fails is a failure of setup, and leaves nothing behind that would hide it."""
    clone = copy_of_setup(tmp_path)
    (clone / "constraints.txt").write_text("refuse\n", encoding="utf-8")
    for _ in range(2):
        assert run_setup(clone, "dev").returncode != 0
    assert len(asked(clone)) == 2
    assert not (clone / ".venv" / ".setup").exists()


def test_setup_for_the_demo_is_content_with_more(tmp_path: Path) -> None:
    """What was set up for tests serves the demo; what was set up for the demo does not serve tests."""
    clone = copy_of_setup(tmp_path)
    assert run_setup(clone).stderr == ""
    stamp = clone / ".venv" / ".setup"
    stamp.write_text(stamp.read_text(encoding="utf-8").replace("dev ", "demo "), encoding="utf-8")
    assert run_setup(clone).stderr == ""
    assert "installing riotd for dev" in run_setup(clone, "dev").stderr


def test_setup_for_the_full_demo(tmp_path: Path) -> None:
    """What was set up for the demo lacks what the full one needs; what was set up for that one serves both."""
    clone = copy_of_setup(tmp_path)
    assert run_setup(clone, "full").stderr == ""  # by what the tests have
    stamp = clone / ".venv" / ".setup"
    stamp.write_text(stamp.read_text(encoding="utf-8").replace("dev ", "demo "), encoding="utf-8")
    assert "installing riotd for full" in run_setup(clone, "full").stderr
    assert "learn,plot,stores" in asked(clone)[-1]
    assert run_setup(clone).stderr == run_setup(clone, "full").stderr == ""


def test_setup_for_flink_is_an_environment_of_its_own(tmp_path: Path) -> None:
    """`setup flink` goes by its own constraints and stamp, and leaves alone what is set up for the tests."""
    clone = copy_of_setup(tmp_path)
    assert "installing riotd for flink" in run_setup(clone, "flink").stderr
    assert len(asked(clone)) == 1
    assert "--editable .[flink,learn,plot,stores] --constraint constraints-flink.txt" in asked(clone)[0]
    assert run_setup(clone, "flink").stderr == run_setup(clone, "dev").stderr == ""


def test_setup_for_something_unknown(tmp_path: Path) -> None:
    """`setup` says what it knows rather than setting up something else."""
    done = run_setup(copy_of_setup(tmp_path), "flnk")
    assert (done.returncode, done.stderr) == (2, "setup: there is demo, full, dev and flink, no flnk\n")


def test_setup_without_a_python(tmp_path: Path) -> None:
    """On a machine without a Python that is recent enough, setup says so in one line."""
    clone = copy_of_setup(tmp_path)
    (clone / ".venv" / "bin" / "python").unlink()
    done = run_setup(clone)
    assert done.returncode == 1
    assert done.stderr == (
        "setup: needs Python 3.11 or newer, and finds none; install one (Debian, Ubuntu: apt-get install python3)\n"
    )


def copy_of_setup(folder: Path) -> Path:
    """A folder with the script, what it reads, Pythons that only note what pip is asked, and the stamp of .venv."""
    for name in ("scripts", "bin", ".venv/bin", ".venv-flink/bin"):
        (folder / name).mkdir(parents=True)
    for name in ("scripts/setup", "pyproject.toml", "constraints.txt", "constraints-flink.txt"):
        (folder / name).write_bytes((TOP / name).read_bytes())
    (folder / "scripts" / "setup").chmod(0o755)
    for venv in (".venv", ".venv-flink"):
        python = folder / venv / "bin" / "python"
        python.write_text(_PYTHON, encoding="utf-8")
        python.chmod(0o755)
    for tool in ("sh", "cat", "cksum", "dirname", "grep", "rm"):
        (folder / "bin" / tool).symlink_to(str(shutil.which(tool)))
    state = subprocess.run(
        ["sh", "-c", "(pwd; cat pyproject.toml constraints.txt) | cksum"],
        cwd=folder, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    (folder / ".venv" / ".setup").write_text(f"dev {state.stdout}", encoding="utf-8")
    return folder


def run_setup(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the copy with a PATH that has no Python and no uv."""
    environment = {"PATH": str(folder / "bin"), "HOME": os.devnull}
    return subprocess.run(
        [str(folder / "scripts" / "setup"), *arguments],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def asked(folder: Path) -> list[str]:
    """What pip was asked to install of the project, a line each time."""
    notes = (folder / "asked").read_text(encoding="utf-8").splitlines()
    return [note for note in notes if "--editable" in note]
