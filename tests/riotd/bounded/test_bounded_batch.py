"""`run_batch`: many files, each by itself."""

import gzip
import json
from pathlib import Path

import pytest

import riotd
from riotd.bounded.report import InputRefused
from riotd.errors import ConfigError
from tests.riotd.bounded.bounded_inputs import city, names, results, write


@pytest.fixture
def feeds(tmp_path: Path) -> list[Path]:
    """Files of several sizes, one of them packed."""
    folder = tmp_path / "feeds"
    folder.mkdir()
    files = [city(folder / f"f{number}.csv", 100 * number, seed=number) for number in range(1, 4)]
    packed = folder / "f4.csv.gz"
    packed.write_bytes(gzip.compress(city(folder / "f4", 50, seed=9).read_bytes()))
    (folder / "f4").unlink()
    return [*files, packed]


def test_each_file_is_what_run_file_makes_of_it(tmp_path: Path, feeds: list[Path]) -> None:
    """From a fresh state, under its own name; reports are in the order of the files."""
    reports = riotd.run_batch("kalman_filter", feeds, tmp_path / "out", shards=3)
    assert [report.about.input for report in reports] == [str(file) for file in feeds]
    assert [report.records for report in reports] == [100, 200, 300, 50]
    for file, name in zip(feeds, ("f1", "f2", "f3", "f4"), strict=True):
        riotd.run_file("kalman_filter", file, tmp_path / "one.jsonl")
        assert (tmp_path / "out" / f"{name}.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()


def test_results_may_be_of_another_format(tmp_path: Path, feeds: list[Path]) -> None:
    """By the ending they are to have."""
    riotd.run_batch("noop", feeds[:2], tmp_path / "out", ending=".csv")
    assert names(tmp_path / "out") == ["f1.csv", "f2.csv"]
    with pytest.raises(ConfigError, match="says no format"):
        riotd.run_batch("noop", feeds[:2], tmp_path / "out", ending=".txt")


def test_a_file_that_can_t_be_read_does_not_stop_the_others(tmp_path: Path, feeds: list[Path]) -> None:
    """Neither one that is not there nor one that breaks off; their reports say why, and they leave no output."""
    torn = tmp_path / "torn.gz"
    lines = city(tmp_path / "long", 3000).read_bytes()
    torn.write_bytes(gzip.compress(lines)[:-20_000])
    reports = riotd.run_batch("noop", [feeds[0], tmp_path / "nothing", torn, feeds[1]], tmp_path / "out")
    assert [bool(report.failure) for report in reports] == [False, True, True, False]
    assert "nothing: can't be read: No such file" in reports[1].failure
    assert "torn.gz: can't be read behind line" in reports[2].failure
    assert names(tmp_path / "out") == ["f1.jsonl", "f2.jsonl"]


def test_two_files_never_share_an_output(tmp_path: Path, feeds: list[Path]) -> None:
    """It is a mistake, found before anything is run."""
    (tmp_path / "f1.txt").write_bytes(feeds[0].read_bytes())
    with pytest.raises(ConfigError, match=r"f1.jsonl: .*f1.csv and .*f1.txt would both be written there"):
        riotd.run_batch("noop", [*feeds, tmp_path / "f1.txt"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_all_mistakes_are_named_with_their_files(tmp_path: Path, feeds: list[Path]) -> None:
    """Before anything is run."""
    write(feeds[0], [b"device,t", b"a,1"])
    with pytest.raises(ConfigError) as caught:
        riotd.run_batch("average", feeds, tmp_path / "out", params={"fields": ["t"]})
    assert [mistake.where for mistake in caught.value.mistakes] == [f"{file}: average.fields" for file in feeds[1:]]


def test_files_of_different_forms_go_together(tmp_path: Path) -> None:
    """Each is parsed as it is."""
    write(tmp_path / "a.csv", [b"device,t", b"a,1"])
    write(tmp_path / "b.csv", [b"sensor,label,t", b"b,x,2"])
    write(tmp_path / "c.jsonl", [b'{"device":"c","t":3}'])
    write(tmp_path / "d.senml", [b'[{"bn":"d:","n":"t","v":4}]'])
    reports = riotd.run_batch("average", sorted(tmp_path.iterdir()), tmp_path / "out", params={"fields": ["t"]})
    assert [report.about.form for report in reports] == ["csv", "csv", "json", "senml"]
    found = [results(tmp_path / "out" / f"{name}.jsonl")[0] for name in "abcd"]
    assert [(one["source"], one["values"]["t"]) for one in found] == [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0)]


def test_refused_lines_of_all_files_are_in_one(tmp_path: Path, feeds: list[Path]) -> None:
    """Each with the path of its file."""
    for file in feeds[:2]:
        write(file, [*file.read_bytes().splitlines(), b"1700000000000,["])
    riotd.run_batch("noop", feeds, tmp_path / "out", rejects=tmp_path / "bad.jsonl")
    found = {(letter["topic"], letter["id"]) for letter in results(tmp_path / "bad.jsonl")}
    assert found == {(str(feeds[0]), 101), (str(feeds[1]), 201)}


def test_strict_ends_all_of_them(tmp_path: Path, feeds: list[Path]) -> None:
    """Nothing half-done is left."""
    write(feeds[3], [b'[{"bn":"a:","n":"t","v":1}]', b"["])
    with pytest.raises(InputRefused, match=r"f4.csv.gz: line 2: senml_parse"):
        riotd.run_batch("noop", feeds, tmp_path / "out", strict=True)
    assert not [name for name in names(tmp_path / "out") if name.startswith(".")]


def test_metrics_of_a_batch_are_a_list(tmp_path: Path, feeds: list[Path]) -> None:
    """A report for each file."""
    riotd.run_batch("noop", feeds, tmp_path / "out", metrics=tmp_path / "m.json")
    figures = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    assert [(one["input"], one["records"]) for one in figures] == [
        (str(file), records) for file, records in zip(feeds, (100, 200, 300, 50), strict=True)
    ]
