"""`riotd train` as a person types it: what is refused before Ray is started, what a job file says, how it ends."""

import json
import re
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import psutil
import pytest
import yaml
from click.testing import CliRunner, Result

from riotd.cli import train
from riotd.cli.verbs import riotd
from riotd.errors import ConfigError
from riotd.training.job import Announcement, Job, load, times
from tests.riotd.bounded.bounded_inputs import names
from tests.riotd.training.training_inputs import kept, recording

DOC = (Path(__file__).parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
CITY = ("--target", "airquality_raw", "--features", "temperature,humidity")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a recorded city."""
    monkeypatch.chdir(tmp_path)
    recording(tmp_path / "city.csv", 200)
    return tmp_path


def run(*words: str) -> Result:
    """What the verb says."""
    return CliRunner().invoke(riotd, ["train", *words])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "Begin with tree or regression"),
        (("forest", "city.csv"), "is 'forest'"),
        (("tree",), "Give an INPUT"),
        (("tree", "city.csv"), "Give --target"),
        (("job.yaml",), "There is no file 'job.yaml'"),
        (("tree", "city.csv", "--target", "x", "--label", "A=b"), "neither quantiles nor"),
    ],
)
def test_wrong_usage_is_2(words: tuple[str, ...], why: str) -> None:
    """With what is missing."""
    done = run(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert why in done.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "mistakes"),
    [
        (("tree", "cty.csv", *CITY), ["inputs: there is no file 'cty.csv'"]),
        (
            ("regression", "city.csv", "--target", "air", "--features", "dust,humid"),
            [
                "features: there is no field 'humid' in the first records of the input; did you mean 'humidity'?",
                "target: there is no field 'air' in the first records of the input; there are longitude, latitude,",
            ],
        ),
        (
            ("regression", "city.csv", *CITY, "--label", "quantiles", "--score", "f1", "--window", "9..1"),
            [
                "label: makes classes, and a regression foretells a number; leave it out",
                "score: a regression has no f1; write rmse or mae",
                "window: '9..1': must rise from above 0",
            ],
        ),
        (("tree", "sqlite:t.db", *CITY), ["table: is missing; a store has several"]),
        (("tree", "city.csv", "sqlite:t.db", *CITY), ["inputs: there is no file 'sqlite:t.db'"]),
        (("tree", "city.csv", *CITY, "--announce", "mqtt://b"), ["store: is missing; others fetch there what"]),
        (("tree", "city.csv", *CITY, "--store", "ftp://b"), ["store: 'ftp://b' is no store; write one of"]),
        (("tree", "city.csv", "--target", "x" * 250, "--store", "memory://x"), ["store: version: "]),
        (("tree", "city.csv", *CITY, "--label", "foo"), ["label: invalid enum value 'foo'; write quantiles"]),
        (("tree", "city.csv", *CITY, "-o", "no/m.json"), ["output: the folder"]),
        (("tree", "city.csv", *CITY, "--since", "soon"), ["since: 'soon' is no time; write 2026-11-01"]),
        (("tree", "city.csv", *CITY, "--since", "1d", "--until", "2d"), ["since: 1d is not before until, 2d"]),
        (
            ("tree", "city.csv", *CITY, "--label", "HIGH=90,LOW=50"),
            ["label: {'HIGH': 90.0, 'LOW': 50.0} maps no labels to rising percentiles"],
        ),
        (("tree", "city.csv", "--target", "dust", "--features", "dust"), ["target: dust is among the features"]),
    ],
)  # fmt: skip
def test_a_wrong_job_is_78(words: tuple[str, ...], mistakes: list[str]) -> None:
    """With every mistake on a line, and before Ray is started, which takes seconds."""
    done = run(*words)
    assert (done.exit_code, done.stdout) == (78, "")
    lines = done.stderr.splitlines()
    assert len(lines) == len(mistakes)
    assert all(line.startswith(mistake) for line, mistake in zip(lines, mistakes, strict=True)), lines


BARE = """\
import sys
from importlib.machinery import PathFinder
found = PathFinder.find_spec
hidden = {"numpy", "pandas", "pyarrow", "ray", "sklearn"}
PathFinder.find_spec = lambda name, *more: None if name.partition(".")[0] in hidden else found(name, *more)
from riotd.cli.verbs import riotd
riotd(sys.argv[1:])
"""


def test_without_the_extra_it_says_what_to_install(folder: Path) -> None:
    """Rather than fail at an import."""
    words = [sys.executable, "-c", BARE, "train", "tree", "city.csv", *CITY]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 78
    assert done.stderr == "train: numpy, pandas, pyarrow, ray, sklearn not installed; pip install 'riotd[train]'\n"


JOB = """\
model: tree
inputs: [city.csv]
target: airquality_raw
features: [temperature, humidity]
label: {LOW: 1, HIGH: 80}
trials: 7
window: 500
announce: {url: "mqtt://broker", topic: site1/models}
store: file:///var/lib/riotd/models
"""


def test_a_job_file_says_what_options_do(folder: Path) -> None:
    """And options hold instead of it, those of the announcement one by one."""
    (folder / "job.yaml").write_text(JOB)
    job = load(folder / "job.yaml", {"trials": 9, "announce": {"shadow": 5}})
    assert job == Job(
        model="tree",
        inputs=["city.csv"],
        target="airquality_raw",
        features=["temperature", "humidity"],
        label={"LOW": 1, "HIGH": 80},
        trials=9,
        window=500,
        announce=Announcement("mqtt://broker", "site1/models", shadow=5),
        store="file:///var/lib/riotd/models",
    )


def test_a_job_file_has_all_its_mistakes_told(folder: Path) -> None:
    """Each with the file and the key."""
    (folder / "job.yaml").write_text("model: forest\ninputs: []\ntrails: 5\nfolds: 50\nlabel: {LOW: high}\n")
    with pytest.raises(ConfigError) as told:
        load(folder / "job.yaml", {})
    where = f"{folder}/job.yaml"
    assert str(told.value).splitlines() == [
        f"{where}: trails: there is no such key; did you mean 'trials'?",
        f"{where}: target: is missing",
        f"{where}: model: invalid enum value 'forest'; write tree or regression",
        f"{where}: inputs: expected `array` of length >= 1",
        f"{where}: label: expected `float`, got `str` at `[...]`; write quantiles, or {{LOW: 1, HIGH: 80}}",
        f"{where}: folds: expected `int` <= 20",
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, (float("-inf"), float("inf"))),
        ({"since": "7d"}, (1_800_000_000.0 - 7 * 86400, float("inf"))),
        ({"since": "2027-01-01", "until": "2027-01-01T06:00:00+01:00"}, (1798761600.0, 1798779600.0)),
        ({"since": 1798761600}, (1798761600.0, float("inf"))),
        ({"inputs": ["sqlite:t.db"], "table": "abc"}, (0.0, 1_800_000_000.0)),
    ],
)
def test_times_are_said_as_people_say_them(said: dict[str, Any], expected: tuple[float, float]) -> None:
    """ISO 8601, Unix seconds, or so long ago; a table ends now."""
    job = load(None, {"model": "regression", "inputs": ["x"], "target": "y"} | said)
    assert times(job, 1_800_000_000.0) == expected


def test_an_empty_table_is_told(folder: Path) -> None:
    """As is one that has nothing in the time asked for."""
    url = kept(folder / "t.db", 50)
    done = run("tree", url, "--table", "sysdata", "--since", "2026-01-01", *CITY)
    assert done.exit_code == 78
    assert done.stderr.startswith("inputs: table sysdata, partition all, has no rows in that time")


def test_every_option_and_key_is_documented() -> None:
    """Options in the table, and the keys of a job file that are none in the example."""
    table = DOC.partition("## Options")[2].partition("\n## ")[0]
    options = [parameter for parameter in train.command.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not all(f"`{name}" in table for name in option.opts)] == []
    (example,) = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
    known = {option.name for option in options} | yaml.safe_load(example).keys() | {"url"}
    assert {*Job.__struct_fields__, *Announcement.__struct_fields__} <= known


def test_the_examples_are_right(folder: Path) -> None:
    """The job file is one, and the commands are understood."""
    (example,) = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
    (folder / "job.yaml").write_text(example)
    assert load(folder / "job.yaml", {}).announce == Announcement(
        "mqtt://localhost:1883", "city/models/{kind}", shadow=1000
    )
    commands = [shlex.split(line) for line in re.findall(r"^(riotd train .*)$", DOC.replace("\\\n", " "), re.MULTILINE)]
    assert len(commands) == 2
    for _, verb, *words in commands:
        assert train.command.make_context(verb, words).params["target"] == "airquality_raw"


@pytest.mark.ray
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_signal_in_the_middle_leaves_no_half_model(folder: Path, number: int, code: int) -> None:
    """Nothing in the store; told to end, it tells what is known so far, and leaves no process."""
    pytest.importorskip("pandas")
    words = [sys.executable, "-m", "riotd", "train", "tree", "city.csv", *CITY, "--label", "quantiles"]
    words += ["--store", f"file://{folder}/models", "--trials", "5000", "--folds", "1", "--workers", "1", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        family = _trying(process)
        process.send_signal(number)
        said, _ = process.communicate(timeout=120)
    assert process.returncode == code
    assert names(folder) == ["city.csv"]
    if number == signal.SIGTERM:
        assert psutil.wait_procs(family, timeout=60)[1] == []
        figures = json.loads(said)
        assert figures["stopped"]
        assert figures["version"] is None


def _trying(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Its processes, once one of them is a trial's."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(process.communicate(timeout=0.2))
        family = psutil.Process(process.pid).children(recursive=True)
        if any("_Trial" in _name(each) for each in family):
            return family


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
