"""The command line as a whole: help, verbs, exit codes."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from riotd.cli.verbs import VERBS, riotd

NUMERIC = ("numpy", "scipy", "sklearn", "matplotlib")
OUTSIDE = ("ray", "mqttium", "obstore", "azure", "apache_beam", "pyflink")
HEAVY = (*NUMERIC, *OUTSIDE, "pydantic", "rich", "uvloop", "yaml", "asyncio", "orjson", "cbor2", "javaproperties")


def _riotd(*arguments: str, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "riotd", *arguments], capture_output=True, text=True, check=False, cwd=cwd, input=stdin
    )


def test_the_help_loads_nothing_heavy() -> None:
    """`riotd --help` is there at once, because no verb is imported for it."""
    program = (
        "import sys, riotd.__main__\nsys.argv = ['riotd', '--help']\n"
        "try: riotd.__main__.main()\nexcept SystemExit: pass\n"
        f"print('loaded:', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"
    assert all(f"  {verb} " in done.stdout for verb in VERBS)


@pytest.mark.parametrize(
    ("program", "spared"),
    [
        ("import riotd", (*HEAVY, "msgspec", "click", "riot_tasks")),
        ("import riot_tasks", (*HEAVY, "riotd")),
        (
            "from riotd.cli.facts import listed; assert not [task for task in listed() if task.error]",
            (*NUMERIC, *OUTSIDE),
        ),
    ],
)
def test_an_import_loads_nothing_heavy(program: str, spared: tuple[str, ...]) -> None:
    """The packages, and all tasks at once, are there without what only some task, verb or engine works with."""
    program = f"import sys\n{program}\nprint([name for name in {spared} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_there_with_help_and_an_example(verb: str) -> None:
    """Each verb of the table has a module with a click command, and its help shows how to call it."""
    command = import_module(f"riotd.cli.{'try_' if verb == 'try' else verb.replace('-', '_')}").command
    assert isinstance(command, click.Command)
    for words in [[verb, name] for name in command.commands] if isinstance(command, click.Group) else [[verb]]:
        done = CliRunner().invoke(riotd, [*words, "--help"], prog_name="riotd")
        assert done.exit_code == 0
        assert f"  riotd {' '.join(words)}" in done.output.partition("\n")[2]


def test_a_mistyped_verb_has_a_suggestion() -> None:
    """Wrong usage is exit 2."""
    done = _riotd("chek")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such command 'chek'. Did you mean 'check'?" in done.stderr


def test_the_version_is_said() -> None:
    """`riotd --version` names version and Python."""
    assert _riotd("--version").stdout.startswith("riotd 0.")


@pytest.mark.parametrize("verb", ["check", "run", "graph"])
def test_a_wrong_config_is_78_in_every_verb_that_takes_one(verb: str, tmp_path: Path) -> None:
    """Its mistakes are lines on stderr, without a trace; stdout stays empty."""
    (tmp_path / "bad.yaml").write_text("name: x\nname: y\n", encoding="utf-8")
    done = _riotd(verb, "bad.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (78, "")
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["bad.yaml"] * 4


@pytest.mark.parametrize("verb", ["check", "run", "graph"])
def test_a_config_that_is_not_there_is_78(verb: str, tmp_path: Path) -> None:
    """A wrong path is a wrong config, which systemd must not restart for."""
    done = _riotd(verb, "nothing.yaml", cwd=tmp_path)
    assert done.returncode == 78
    assert done.stderr == "nothing.yaml: cannot be read: No such file or directory; give the path of a YAML file\n"
