"""Files through `riotd run-file` as processes: pipes, signals, Ray of their own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.riotd.bounded.bounded_inputs import city, names, results

RIOTD = [sys.executable, "-m", "riotd"]


def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    """The verb at its end."""
    return subprocess.run([*RIOTD, *map(str, arguments)], capture_output=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_from_generate_to_results_in_one_pipe(tmp_path: Path) -> None:
    """Standard input and output: no file but the one that is asked for, and nothing but results on stdout."""
    made = subprocess.run(
        [*RIOTD, "generate", "city", "--messages", "500"], capture_output=True, check=True, cwd=tmp_path
    )
    done = run("run-file", "kalman_filter", "-", "-o", "-", input=made.stdout, cwd=tmp_path)
    assert done.returncode == 0
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == list(range(1, 501))
    assert b"500 lines, 500 results" in done.stderr
    assert names(tmp_path) == []


def test_a_reader_that_has_enough_is_no_trouble(tmp_path: Path) -> None:
    """As with head: one line on stderr at most, no trace."""
    city(tmp_path / "city.csv", 20_000)
    command = [*RIOTD, "run-file", "noop", str(tmp_path / "city.csv"), "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 1
    assert said == "Error: -: can't be written: Broken pipe\n"


class Slow:
    """A run that waits for more input: a pipe that is held open."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        os.mkfifo(folder / "pipe")
        command = [*RIOTD, "run-file", "kalman_filter", "pipe", "-o", "out.jsonl", *options]
        self.process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pipe = (folder / "pipe").open("wb", buffering=0)
        self.pipe.write((folder / "city.csv").read_bytes())

    def begun(self) -> None:
        """Return when a part of the output is on disk."""
        while not any(part.stat().st_size for part in self.folder.glob(".out*")):
            if self.process.poll() is not None:
                raise AssertionError(self.process.communicate())
            os.sched_yield()

    def stop(self, number: int, patience: float) -> None:
        """Send a signal; once more if it came between Python's look for signals and the read that then blocks."""
        self.process.send_signal(number)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.send_signal(number)

    def ended(self) -> str:
        """What it said on stderr, once it has ended."""
        try:
            return self.process.communicate(timeout=60)[1].decode()
        finally:
            self.pipe.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing_half_done(tmp_path: Path, number: int, code: int) -> None:
    """Neither an output nor a part of one; the exit code says which it was."""
    city(tmp_path / "city.csv", 1000)
    slow = Slow(tmp_path)
    slow.begun()
    slow.stop(number, 2.0)
    assert slow.ended() == ""
    assert slow.process.returncode == code
    assert names(tmp_path) == ["city.csv", "pipe"]


@pytest.mark.ray
@pytest.mark.parametrize("number", [None, signal.SIGTERM])
def test_ray_is_started_and_ended(tmp_path: Path, number: int | None) -> None:
    """Whether it comes to its end or is stopped: results or none, and no process stays."""
    pytest.importorskip("ray")
    city(tmp_path / "city.csv", 1000)
    slow = Slow(tmp_path, "--engine", "ray", "--shards", "2")
    slow.begun()
    family = psutil.Process(slow.process.pid).children(recursive=True)
    assert any(each.name().startswith("ray") for each in family)
    if number is None:
        slow.pipe.close()
    else:
        slow.stop(number, 30.0)
    assert slow.ended() == ""
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    assert slow.process.returncode == (0 if number is None else 143)
    assert names(tmp_path) == (["city.csv", "out.jsonl", "pipe"] if number is None else ["city.csv", "pipe"])
    if number is None:
        assert [one["id"] for one in results(tmp_path / "out.jsonl")] == list(range(1, 1001))
