"""`riotd generate city`: files, pipes, wrong usage."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from riotd import feeds
from riotd.cli.generate import command
from riotd.feeds import city

_SETS = ["city", "taxi", "fit", "grid"]


def _verb(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["city", *arguments])


def test_a_file_has_one_line_a_pack_with_its_milliseconds(tmp_path: Path) -> None:
    """What is written is what the library gives, after the epoch milliseconds and a comma."""
    path = tmp_path / "city.csv"
    assert _run("--rate", "100", "--seconds", "30", "--seed", "5", "-o", str(path)).exit_code == 0
    expected = [b"%d,%b" % (due * 1000, pack) for due, pack in city(rate=100, seed=5, messages=3000)]
    assert path.read_bytes().splitlines() == expected


def test_a_gz_file_is_the_same_twice_and_packs_the_same_lines(tmp_path: Path) -> None:
    """Neither the time nor the name gets into a .gz, so the same seed gives the same file."""
    plain, one, two = (tmp_path / name for name in ("a.csv", "one.gz", "two.gz"))
    for path in (plain, one, two):
        assert _run("--messages", "2500", "-o", str(path)).exit_code == 0
    assert one.read_bytes() == two.read_bytes()
    assert gzip.decompress(one.read_bytes()) == plain.read_bytes()


@pytest.mark.parametrize(
    "start", ["2020-05-01T12:00:00", "2020-05-01T12:00:00Z", "2020-05-01T14:00:00+02:00", "1588334400"]
)
def test_the_start_may_be_written_in_many_ways(start: str) -> None:
    """ISO 8601 with and without zone, and Unix seconds, all mean the same instant."""
    assert _run("--messages", "1", "--rate", "1000", "--start", start).output.startswith("1588334400000,")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seconds", "1", "--messages", "1"],
        ["-o", "endless.csv"],
        ["--start", "yesterday"],
        ["--rate", "0", "--messages", "1"],
        ["--rate", "10", "--peak", "20", "--messages", "1"],
        ["--peak", "-1", "--arrivals", "paper", "--messages", "1"],
        ["--arrivals", "bursty", "--messages", "1"],
        ["--form", "csv", "--messages", "1"],
        ["--outliers", "2", "--messages", "1"],
        ["--messages", "1", "-o", "no/such/folder/city.csv"],
    ],
)
def test_wrong_usage_is_said_without_a_traceback(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these ends with a message and writes nothing."""
    monkeypatch.chdir(tmp_path)
    result = _run(*arguments)
    assert result.exit_code in (1, 2)
    assert "Error" in result.output
    assert list(tmp_path.iterdir()) == []


def test_an_endless_feed_ends_quietly_when_its_reader_has_enough() -> None:
    """A closed pipe is the end, not an error; nothing is said about it."""
    program = [sys.executable, "-m", "riotd", "generate", "city"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"1422748800")
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize("dataset", _SETS)
def test_each_data_set_has_its_verb(dataset: str) -> None:
    """What is written is what the library gives by the same arguments, the rate by default the original's."""
    result = _verb(dataset, "--messages", "300", "--seed", "3", "--arrivals", "paper", "--form", "riotbench")
    feed = getattr(feeds, dataset)(messages=300, seed=3, arrivals="paper", form="riotbench")
    assert result.exit_code == 0
    assert result.stdout_bytes.splitlines() == [b"%d,%b" % (due * 1000, pack) for due, pack in feed]


@pytest.mark.parametrize("dataset", _SETS[1:])
def test_rows_come_after_a_header(dataset: str) -> None:
    """A CSV file begins with the names of the columns, and no line has the time before its row."""
    header, *rows = _verb(dataset, "--messages", "50", "--form", "csv").stdout_bytes.splitlines()
    assert header == feeds.SCHEMAS[dataset].header
    assert rows == [row for _, row in getattr(feeds, dataset)(messages=50, form="csv")]


@pytest.mark.parametrize("dataset", _SETS)
def test_a_peak_is_never_passed(dataset: str) -> None:
    """With --peak no second has more packs than that, and some have nearly as many."""
    lines = _verb(
        dataset, "--peak", "100", "--arrivals", "paper", "--seconds", "200", "--gaps", "0"
    ).output.splitlines()
    first = int(lines[0].partition(",")[0]) // 1000
    counts = [0] * 201
    for line in lines:
        counts[int(line.partition(",")[0]) // 1000 - first] += 1
    assert 85 < max(counts) <= 101  # a part of a pack is carried over


@pytest.mark.parametrize("dataset", _SETS)
def test_help_has_an_example(dataset: str) -> None:
    """Each verb says how to use it, and what its defaults are."""
    text = _verb(dataset, "--help").output
    assert f"riotd generate {dataset}" in text
    assert "default" in text
