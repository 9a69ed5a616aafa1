"""`riotd run-file` and `riotd run-batch` as a person types them."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from riotd.cli.verbs import riotd
from tests.riotd.bounded.bounded_inputs import city, names, results, write

MINE = """\
from riot_tasks import Task

class Third(Task):
    def __init__(self, every: int = 3):
        self.every, self._n = every, 0
    def process(self, record):
        self._n += 1
        return [record] if self._n % self.every == 0 else []
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a feed, city.csv, and a module of tasks, mine.py."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # --app-dir adds to it
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    city(tmp_path / "city.csv", 300)
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    return tmp_path


def run(verb: str, *arguments: str) -> Result:
    """What the verb says and gives."""
    return CliRunner().invoke(riotd, [verb, *arguments])


def plain(text: str) -> str:
    """A text without colours and figures of time."""
    return re.sub(r"\x1b\[[0-9;]*m", "", re.sub(r"in [\d.]+ s: [\d,]+/s", "in T", text))


@pytest.mark.usefixtures("folder")
def test_the_summary_is_a_line() -> None:
    """What was read, what came of it, how fast; nothing on stderr if nothing is wrong."""
    done = run("run-file", "KAL", "city.csv", "-o", "out.jsonl", "--set", "fields=[temperature, humidity]")
    assert (done.exit_code, done.stderr) == (0, "")
    assert plain(done.stdout) == "city.csv → out.jsonl  300 lines, 300 results in T (inline)\n"
    assert set(results("out.jsonl")[0]["values"]) == {"temperature", "humidity"}


@pytest.mark.usefixtures("folder")
def test_verbose_adds_shards_and_stages() -> None:
    """A row each."""
    done = run("run-file", "average", "city.csv", "-o", "out.jsonl", "-v", "--shards", "3")
    lines = plain(done.stdout).splitlines()
    assert lines[1].split()[:6] == ["shard", "lines", "results", "refused", "filtered", "devices"]
    assert [line.split()[0] for line in lines[2:5]] == ["0", "1", "2"]
    assert sum(int(line.split()[1]) for line in lines[2:5]) == 300
    assert [line.split()[0] for line in lines[6:]] == ["stage", "senml_parse", "average"]


@pytest.mark.usefixtures("folder")
def test_json_is_for_programs() -> None:
    """All figures, on one line."""
    done = run("run-file", "KAL", "city.csv", "-o", "out.jsonl", "--json")
    assert json.loads(done.stdout)["records"] == 300


@pytest.mark.usefixtures("folder")
def test_results_may_go_to_standard_output() -> None:
    """Where nothing else is then."""
    done = run("run-file", "noop", "city.csv", "-o", "-")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == list(range(1, 301))
    assert "300 results" in done.stderr


def test_refused_lines_are_shown(folder: Path) -> None:
    """The first few, and where the others are."""
    write(folder / "bad.csv", [b"1700000000000,[", *(folder / "city.csv").read_bytes().splitlines(), *[b"x"] * 6])
    done = run("run-file", "noop", "bad.csv", "-o", "out.jsonl")
    assert done.exit_code == 0
    assert "300 results, 7 refused" in plain(done.stdout)
    lines = done.stderr.splitlines()
    assert lines[0].startswith("line 1: senml_parse: not JSON")
    assert lines[1] == "line 302: senml_parse: not <epoch ms>,<payload>"
    assert lines[5] == "… and 2 more; --rejects FILE keeps them all"
    done = run("run-file", "noop", "bad.csv", "-o", "out.jsonl", "--rejects", "bad.jsonl")
    assert done.stderr.splitlines()[5] == "… and 2 more; all are in bad.jsonl"
    assert len(results("bad.jsonl")) == 7


def test_strict_is_exit_1(folder: Path) -> None:
    """With the line; no output."""
    write(folder / "bad.csv", [b"x", *(folder / "city.csv").read_bytes().splitlines()])
    done = run("run-file", "noop", "bad.csv", "-o", "out.jsonl", "--strict")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: bad.csv: line 1: senml_parse: not <epoch ms>,<payload>\n"
    assert not (folder / "out.jsonl").exists()


def test_lines_without_a_device_are_mentioned(folder: Path) -> None:
    """With the option that helps."""
    write(folder / "in.csv", [b"taxi,t", b"T1,1", b"T2,2"])
    done = run("run-file", "average", "in.csv", "-o", "out.jsonl")
    assert done.stderr.startswith("no line says which device it is of, so they share one state; --key FIELD names")
    assert run("run-file", "average", "in.csv", "-o", "out.jsonl", "--key", "taxi").stderr == ""


@pytest.mark.usefixtures("folder")
def test_one_s_own_task_is_found() -> None:
    """In the folder one is in."""
    done = run("run-file", "mine:Third", "city.csv", "-o", "out.jsonl", "--set", "every=2")
    assert done.exit_code == 0
    assert "300 lines, 147 results" in plain(done.stdout)  # 7 devices with 42 or 43 lines each


def test_a_configuration_stands_for_the_task(folder: Path) -> None:
    """Its engine, too, unless another is said; --set reaches any key of it."""
    (folder / "flow.yaml").write_text(
        "name: flow\nsource: {type: mqtt, url: 'mqtt://nowhere', topics: [a]}\nengine: {type: inline, shards: 2}\n"
        "stages: [{task: senml_parse}, {task: average, params: {window: 3}}]\nsinks: {a: {type: mqtt, topic: a}}\n",
        encoding="utf-8",
    )
    done = run("run-file", "-c", "flow.yaml", "city.csv", "-o", "out.jsonl")
    assert plain(done.stdout).endswith("in T (inline, 2 shards)\n")
    more = run("run-file", "-c", "flow.yaml", "city.csv", "-o", "few.jsonl", "--set", "stages.average.params.window=30")
    assert more.exit_code == 0
    assert len(results("few.jsonl")) < len(results("out.jsonl"))


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (("average", "city.csv", "-o", "o.jsonl", "--set", "widow=3"), 78, "average.widow: there is no such parameter"),
        (("average", "city.csv", "-o", "o.jsonl", "--set", "window"), 78, "is not of the form dotted.key=value"),
        (("averag", "city.csv", "-o", "o.jsonl"), 78, "did you mean 'average'?"),
        (("average", "city.csv", "-o", "o.jsonl", "--set", "fields=[x]"), 78, "average.fields: there is no field 'x'"),
        (("-c", "nothing.yaml", "city.csv", "-o", "o.jsonl"), 78, "nothing.yaml: cannot be read"),
        (("average", "city.csv", "-o", "o.txt"), 78, "o.txt: .txt says no format"),
        (("average", "city.csv", "-o", "o.jsonl", "--engine", "spark"), 2, "'spark' is not one of"),
        (("average", "nothing.csv", "-o", "o.jsonl"), 2, "There is no input 'nothing.csv'."),
        (("average", "-o", "o.jsonl"), 2, "Give an INPUT. ('average' was taken for the task.)"),
        (("-o", "o.jsonl"), 2, "Give a TASK, or -c CONFIG."),
        (("average", "city.csv", "city.csv", "-o", "o.jsonl"), 2, "run-batch takes more than one"),
        (("average", "city.csv"), 2, "Missing option '-o'"),
        (("average", "city.csv", "-o", "no/where.jsonl"), 1, "where.jsonl: can't be written"),
        (("noop", "city.csv", "-o", "x.jsonl", "--engine", "inline", "--address", "auto"), 2, "--address"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_is_wrong_is_said_before_the_first_line(words: tuple[str, ...], exit_code: int, said: str) -> None:
    """Exit 78 for what a configuration could be wrong in, 2 for wrong usage; nothing is left behind."""
    done = run("run-file", *words)
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert names(Path()) == ["city.csv", "mine.py"]


def test_a_batch_is_a_table(folder: Path) -> None:
    """A row for each file; one that fails is told, and makes the exit 1."""
    (folder / "torn.gz").write_bytes(b"\x1f\x8b")
    city(folder / "more.csv", 40)
    done = run("run-batch", "noop", "city.csv", "more.csv", "torn.gz", "-o", "out")
    assert done.exit_code == 1
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["input", "lines", "results", "refused", "filtered", "seconds", "lines/s", "output"]
    assert [(row[0], row[1], row[-1]) for row in rows[1:]] == [
        ("city.csv", "300", "out/city.jsonl"),
        ("more.csv", "40", "out/more.jsonl"),
        ("torn.gz", "-", "failed"),
    ]
    assert done.stderr.startswith("torn.gz: can't be read")
    done = run("run-batch", "noop", "city.csv", "more.csv", "-o", "out", "--to", "csv", "--json")
    assert [one["output"] for one in json.loads(done.stdout)] == ["out/city.csv", "out/more.csv"]


def test_a_terminal_gets_a_bar_and_a_pipe_none(folder: Path) -> None:
    """It shows how far the file is, and is gone in the end."""
    city(folder / "large.csv", 60_000)
    command = [sys.executable, "-m", "riotd", "run-file", "kalman_filter", "large.csv", "-o", "out.jsonl"]
    # the bar is for what takes longer than a second: a core that is quick enough needs more lines
    environment = os.environ | {"PYTHONPATH": str(folder)}
    (folder / "sitecustomize.py").write_text("import riotd.cli.progress as p\np._PATIENCE = 0\n", encoding="utf-8")
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert process.returncode == 0
    assert re.search(r"Running kalman_filter .*\d+%.* [\d,]+ lines, [\d,]+/s", shown.decode())
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    assert done.stderr == b""


def _read(terminal: int) -> bytes:
    """What the terminal has; nothing once the other side has closed it, which Linux calls EIO."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
