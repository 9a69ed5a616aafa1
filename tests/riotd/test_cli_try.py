"""`riotd try`: a task over lines of several forms."""

import gzip
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from riot_tasks.errors import BadRecord
from riotd.cli.lines import Reader, sniff
from riotd.cli.verbs import riotd

MINE = """\
from riot_tasks import Task, Unavailable

class Fussy(Task):
    def __init__(self, last: bool = False):
        self.last, self._held = last, []
    def process(self, record):
        if "bug" in record.values:
            raise KeyError("bug")
        if "gone" in record.values:
            raise Unavailable("the table is gone")
        self._held.append(record)
        return [] if self.last else [record]
    def flush(self):
        return self._held[-1:] if self.last else []
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a module of tasks, mine.py."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # --app-dir adds to it
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    return tmp_path


def _try(lines: str | bytes, *arguments: str) -> Result:
    return CliRunner().invoke(riotd, ["try", *arguments], input=lines)


def _results(done: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


PACK = '[{"bn":"dev7:","bt":1700000000,"n":"t","u":"Cel","v":20.5}]'
DRAFT = '{"e":[{"n":"source","sv":"dev7"},{"n":"t","v":"20.5","u":"Cel"}],"bt":1700000000000}'


@pytest.mark.parametrize(
    ("line", "form", "source"),
    [
        (PACK, "senml", "dev7"),
        (DRAFT, "senml", "dev7"),
        (f"1700000000000,{DRAFT}", "riotbench", "dev7"),
        ('{"device": "dev7", "time": 1700000000, "t": 20.5}', "fields", "dev7"),
        ('{"device": "dev7", "ts": 1700000000000, "t": 20.5}', "fields", "dev7"),
        ('{"id": 3, "source": "dev7", "time": 1700000000, "values": {"t": 20.5}, "units": {}}', "records", "dev7"),
        ("timestamp,sensor,t\r\n2023-11-14T22:13:20,dev7,20.5", "csv", "dev7"),
        ("timestamp,t\n2023-11-14T23:13:20+01:00,20.5", "csv", ""),
    ],
)
def test_the_form_of_the_lines_is_told_by_the_first(line: str, form: str, source: str) -> None:
    """SenML old and new, stamped, fields, records and CSV all give source, time and number."""
    assert sniff(line.encode()) == form
    (record,) = _results(_try(line, "kalman_filter", "fields=[t]"))
    assert (record["source"], record["time"], record["values"]) == (source, 1700000000.0, {"t": 20.5})


def test_a_parse_task_gets_the_raw_payload() -> None:
    """What a source would hand it: the line, without the stamp of a recorded one."""
    for line in (PACK, DRAFT, f"1700000000000,{DRAFT}"):
        (record,) = _results(_try(line, "senml_parse"))
        assert record["values"]["t"] == 20.5


def test_a_parse_task_that_wants_fields_gets_records() -> None:
    """`annotate` and `join` are handed what the lines say, as any task is that does not read a payload."""
    fields = '{"device": "dev7", "time": 5, "t": 20.5}'
    (noted,) = _results(_try(fields, "annotate", "table.dev7=[indoor]", "names=[kind]"))
    assert noted["values"] == {"device": "dev7", "time": 5, "t": 20.5, "kind": "indoor"}
    (joined,) = _results(_try(fields, "join", "fields=[t, time]"))
    assert (joined["source"], joined["values"]) == ("dev7", {"t": 20.5, "time": 5})


def test_anything_else_is_a_raw_payload() -> None:
    """Lines of no known form are bytes in the field payload; so is everything with --format raw."""
    assert _results(_try("hello", "noop"))[0]["values"] == {"payload": "hello"}
    assert _results(_try(PACK, "noop", "--format", "raw"))[0]["values"] == {"payload": PACK}


def test_results_of_one_task_are_lines_for_the_next() -> None:
    """A pipe of two tries works, source, time and units kept."""
    first = _try(f"{PACK}\n{PACK}\n", "senml_parse")
    (mean,) = _results(_try(first.stdout, "average", "fields=[t]", "window=2"))
    assert (mean["source"], mean["values"], mean["units"]) == ("dev7", {"t": 20.5}, {"t": "Cel"})


def test_each_source_has_its_own_instance() -> None:
    """A window fills with readings of one device only."""
    lines = "device,t\na,1\nb,10\na,3\nb,30\n"
    means = _results(_try(lines, "average", "fields=[t]", "window=2"))
    assert [(mean["source"], mean["values"]["t"], mean["id"]) for mean in means] == [("a", 2.0, 4), ("b", 20.0, 5)]


def test_source_and_time_may_be_other_fields() -> None:
    """--source and --time name them."""
    lines = '{"who": "x", "device": "y", "when": "1970-01-01T00:00:05Z", "time": 7, "t": 1}'
    (record,) = _results(_try(lines, "noop", "--source", "who", "--time", "when"))
    assert (record["source"], record["time"]) == ("x", 5.0)


def test_refused_lines_are_named_on_stderr_and_the_rest_goes_on() -> None:
    """Line number and reason; empty lines count but are no lines."""
    done = _try("device,t\na,1\n\na\na,x\na,3", "average", "fields=[t]", "window=2")
    assert done.stderr == "line 4: has 1 cells, the header 2\nline 5: t: 'x' is not a number within ±1e+300\n"
    assert (done.exit_code, _results(done)[0]["values"]) == (0, {"t": 2.0})


@pytest.mark.usefixtures("folder")
def test_strict_stops_at_the_first_refused_line() -> None:
    """Exit 1, and nothing of what follows."""
    done = _try('{"t": 1}\n{"t": \n{"t": 3}\n', "noop", "--strict")
    assert (done.exit_code, len(_results(done))) == (1, 1)
    assert done.stderr.startswith("line 2: is not JSON: ")


@pytest.mark.usefixtures("folder")
def test_a_task_s_bug_is_one_line_s_fate() -> None:
    """As in the daemon, any exception refuses the record; Unavailable says what was out of reach."""
    done = _try('{"bug": 1}\n{"gone": 2}\n{"t": 3}\n', "mine:Fussy")
    assert done.stderr == "line 1: the task failed: KeyError: 'bug'\nline 2: the table is gone\n"
    assert [record["values"] for record in _results(done)] == [{"t": 3}]


@pytest.mark.usefixtures("folder")
def test_what_a_task_holds_back_comes_at_the_end() -> None:
    """Every instance is flushed."""
    done = _try("device,t\na,1\nb,2\na,3\n", "mine:Fussy", "last=true")
    assert [record["values"]["t"] for record in _results(done)] == [3, 2]


def test_lines_may_come_from_a_file_also_packed(folder: Path) -> None:
    """--input, with or without .gz; a byte order mark is no part of the first line."""
    (folder / "a.csv").write_bytes(b"\xef\xbb\xbfdevice,t\na,1\n")
    (folder / "a.csv.gz").write_bytes(gzip.compress(b"device,t\na,1\n"))
    for name in ("a.csv", "a.csv.gz"):
        assert _results(_try("", "noop", "--input", name))[0]["values"] == {"device": "a", "t": 1}


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("kalman",), 1, "Error: there is no task 'kalman'; did you mean 'kalman_filter'?\n"),
        (
            ("average", "widow=3", "x=1"),
            1,
            "Error: widow: there is no such parameter; did you mean 'window'?\nx: there is",
        ),
        (("average", "window=0"), 1, "Error: window: must be a whole number from 1 to 2147483647 (is 0)\n"),
        (("average", "window"), 2, "window: is not of the form dotted.key=value"),
    ],
)
def test_wrong_tasks_and_parameters_are_named(arguments: tuple[str, ...], exit_code: int, said: str) -> None:
    """Before any line is read."""
    done = _try('{"t": 1}', *arguments)
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert said in done.stderr


def test_parameters_are_yaml_and_may_be_dotted() -> None:
    """ranges.t=[0, 1] is a mapping in a mapping."""
    done = _try('{"t": 5}\n{"t": 0.5}\n', "range_filter", "ranges.t=[0, 1]")
    assert [record["values"] for record in _results(done)] == [{"t": 0.5}]


def test_no_lines_are_no_results() -> None:
    """An empty input is not an error."""
    done = _try("", "kalman_filter")
    assert (done.exit_code, done.output) == (0, "")


def test_a_terminal_gets_a_table(tmp_path: Path) -> None:
    """Rows under a head instead of JSON where a person reads."""
    (tmp_path / "a.csv").write_text("device,time,t\na,0,1.25\na,1,\n", encoding="utf-8")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "riotd", "try", "noop", "--input", str(tmp_path / "a.csv")]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    lines = [line.split() for line in shown.decode().replace("\x1b[36m", "").replace("\x1b[0m", "").splitlines()]
    assert process.returncode == 0
    assert lines == [
        ["line", "source", "time", "values"],
        ["2", "a", "1970-01-01", "00:00:00.000", "device=a", "time=0", "t=1.25"],
        ["3", "a", "1970-01-01", "00:00:01.000", "device=a", "time=1", "t=null"],
    ]


def _read(terminal: int) -> bytes:
    """What the terminal has; nothing once the other side has closed it, which Linux calls EIO."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize(
    ("form", "line", "said"),
    [
        ("senml", b"[]", "not SenML"),
        ("riotbench", b"abc", "is not <epoch ms>,<SenML>"),
        ("records", b'{"values": {"t": [1]}}', "is no record: "),
        ("records", b"\xff", "is no record: "),
        ("fields", b'{"t": {"u": 1}}', "is no JSON object of plain fields"),
        ("fields", b"[1]", "is no JSON object of plain fields"),
        ("fields", b"\xff", "is not JSON: "),
        ("csv", b'"a', "is no CSV: "),
        ("csv", b"\xff,a", "is no CSV: "),
    ],
)
def test_a_line_of_another_form_is_a_bad_record(form: str, line: bytes, said: str) -> None:
    """No line, whatever its bytes, does more than be refused with a reason."""
    with pytest.raises(BadRecord, match=said):
        Reader(form, now=0.0).records(1, line)
