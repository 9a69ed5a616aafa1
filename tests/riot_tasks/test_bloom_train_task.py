from pathlib import Path
from typing import Any

import pytest

from riot_tasks import Record, Unavailable, Value
from riot_tasks.algorithms.bloom import BloomFilter as Members
from riot_tasks.filter.bloom_filter import BloomFilter
from riot_tasks.filter.bloom_train import BloomTrain
from riot_tasks.testing import Outside, check_task
from tests.riot_tasks.conftest import SAMPLE
from tests.riot_tasks.test_bloom_algorithm import MEMBERS, OF_GUAVA, STRANGERS_OF_GUAVA


def _fed(task: BloomTrain, items: list[str], field: str = "card") -> list[Record]:
    return [
        result
        for number, item in enumerate(items)
        for result in task.process(Record(number, "door", float(number), {field: item}))
    ]


def _written(path: Path, items: list[str], **params: Any) -> str:
    """The path of a filter trained with these items."""
    task = BloomTrain("card", path=str(path), **params)
    _fed(task, items)
    list(task.flush())
    return str(path)


def test_the_model_is_guavas_file(tmp_path: Path) -> None:
    """Fed what Guava was, the model and the file are byte for byte what Guava wrote."""
    task = BloomTrain("card", expected=20, window=len(MEMBERS), path=str(tmp_path / "cards.model"))
    (result,) = _fed(task, MEMBERS)
    assert result.values["model"] == OF_GUAVA
    assert (tmp_path / "cards.model").read_bytes() == OF_GUAVA


def test_bloom_filter_reads_what_it_wrote(tmp_path: Path) -> None:
    """A filter read from the file lets in all members, and of the strangers those that Guava's filter does."""
    task = BloomFilter(_written(tmp_path / "cards.model", MEMBERS, expected=20), field="card")
    passed = [item for item in MEMBERS if list(task.process(Record(1, "door", 0.0, {"card": item})))]
    strangers = [
        number for number in range(100, 1000) if list(task.process(Record(1, "door", 0.0, {"card": f"dev{number}"})))
    ]
    assert (passed, strangers) == (MEMBERS, STRANGERS_OF_GUAVA)


@pytest.mark.parametrize(("expected", "false_positive"), [(1, 0.5), (2162, 0.1), (9302, 0.01), (100_000, 0.001)])
def test_it_is_what_bloom_filter_makes_of_a_list(tmp_path: Path, expected: int, false_positive: float) -> None:
    """Trained with a list it is bit for bit the filter that bloom_filter makes of the list."""
    items = [f"dev{number}" for number in range(1000)]
    trained = BloomFilter(_written(tmp_path / "cards.model", items, expected=expected, false_positive=false_positive))
    made = BloomFilter(items, expected=expected, false_positive=false_positive)
    assert (trained._members.bits, trained._members.hashes) == (made._members.bits, made._members.hashes)


def test_a_result_comes_every_window_and_goes_on_growing() -> None:
    """The record that fills a window makes the result; ids of earlier windows stay in, and double ones count once."""
    task = BloomTrain("card", window=3)
    results = _fed(task, ["a", "b", "a", "c", "d", "c"])
    assert [(result.id, result.time, result.source, result.units) for result in results] == [
        (2, 2.0, "door", {"items": "count"}),
        (5, 5.0, "door", {"items": "count"}),
    ]
    assert [result.values["items"] for result in results] == [2, 4]
    assert "a" in Members.from_bytes(results[1].values["model"])


def test_the_end_gives_what_came_since_the_last_result() -> None:
    """At the end the records after the last window make one more result, if there are any."""
    task = BloomTrain("card", window=3)
    _fed(task, ["a", "b", "c"])
    assert list(task.flush()) == []
    _fed(task, ["d"])
    assert [(result.id, result.values["items"]) for result in task.flush()] == [(0, 4)]
    assert list(task.flush()) == []


def test_it_says_when_it_gets_too_full() -> None:
    """With twice the expected ids in, the result's false_positive is far above the one asked for, and true."""
    task = BloomTrain("card", expected=1000, window=2000)
    (result,) = _fed(task, [f"dev{number}" for number in range(2000)])
    members = Members.from_bytes(result.values["model"])
    passed = sum(f"stranger{number}" in members for number in range(5000)) / 5000
    assert result.values["false_positive"] > 0.1
    assert abs(result.values["false_positive"] - passed) < 0.02
    assert abs(result.values["items"] - 2000) < 40


@pytest.mark.parametrize("value", [8, 8.0, "8", b"8"])
def test_ids_are_texts(value: Value) -> None:
    """Numbers and bytes are in the filter as bloom_filter will look them up."""
    task = BloomTrain("card", window=1)
    (result,) = task.process(Record(1, "door", 0.0, {"card": value}))
    assert "8" in Members.from_bytes(result.values["model"])


def test_a_record_without_an_id_does_not_count() -> None:
    """Neither a missing field nor None fills the window."""
    task = BloomTrain("card", window=1)
    assert list(task.process(Record(1, "door", 0.0, {"other": 1.0}))) == []
    assert list(task.process(Record(1, "door", 0.0, {"card": None}))) == []
    assert list(task.flush()) == []


def test_a_replay_writes_the_same_file(tmp_path: Path) -> None:
    """The same records write the same bytes, and nothing else is left in the folder."""
    path = tmp_path / "cards.model"
    _written(path, MEMBERS, window=5)
    first = path.read_bytes()
    _written(path, MEMBERS, window=5)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_sources_have_files_of_their_own(tmp_path: Path) -> None:
    """With {source} in the name each key writes its own file in that folder, whatever its source is called."""
    sources = ["dev7", "../x", ".", "..", "", "a/b", "ä%", "\ud800", "x" * 10_000, "x" * 9_999]
    for source in sources:
        task = BloomTrain(window=1, path=str(tmp_path / "{source}"))
        list(task.process(Record(1, source, 0.0, {})))
    assert len(list(tmp_path.iterdir())) == len(sources)
    assert "dev7" in Members.from_bytes((tmp_path / "dev7").read_bytes())
    assert "../x" in Members.from_bytes((tmp_path / "%2E%2E%2Fx").read_bytes())


def test_a_file_that_cannot_be_written_is_waited_for(tmp_path: Path) -> None:
    """While the file can't be written the record is Unavailable and has not come; then it goes through."""
    folder, away = tmp_path / "models", tmp_path / "away"
    folder.mkdir()
    task, other = BloomTrain("card", window=2, path=str(folder / "a.model")), BloomTrain("card", window=2)
    _fed(task, ["a"])
    before = task.snapshot()
    folder.rename(away)
    with pytest.raises(Unavailable, match=r"path: .*a\.model can't be written: No such file or directory"):
        _fed(task, ["b"])
    assert task.snapshot() == before
    with pytest.raises(Unavailable, match="can't be written"):
        list(task.flush())
    away.rename(folder)
    _fed(other, ["a"])
    assert _fed(task, ["b"]) == _fed(other, ["b"])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"field": ""}, "field: must be a field's name"),
        ({"expected": 0}, "expected: must be a whole number from 1"),
        ({"false_positive": 1.0}, "false_positive: must be a number between 0 and 1"),
        ({"window": 0}, "window: must be a whole number from 1"),
        ({"path": ""}, "path: must be the path of a file"),
        ({"path": "/"}, "path: must be the path of a file"),
        ({"path": "nowhere/a.model"}, "path: nowhere is no folder; make it, or name another"),
        ({"path": "{source}/a.model"}, r"path: \{source\}/a\.model has \{source\} elsewhere than once in the file's"),
        ({"path": "{source}{source}"}, "elsewhere than once in the file's name; put it there"),
        ({"path": "a" * 101}, "path: a+ is longer than 100 bytes; shorten it"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        BloomTrain(**params)


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
def test_trained_with_riotbenchs_ids_it_knows_its_sample(tmp_path: Path) -> None:
    """A filter trained with the ids of the taxi metadata lets in each of them and about 1 % of strangers."""
    lines = SAMPLE.with_name("taxi-metadata-fulldataset.txt").read_text().splitlines()
    ids = [line.partition(":")[0] for line in lines]
    known = BloomFilter(_written(tmp_path / "taxi.model", ids, window=1000))._members
    assert all(each in known for each in ids)
    assert 60 < sum(f"stranger{number}" in known for number in range(10_000)) < 140


def test_it_keeps_the_contract(tmp_path: Path) -> None:
    """It passes the public battery, with and without a file, which a replay and a crash leave as one run does."""
    records = [
        Record(number, f"dev{number % 4}", float(number), {"card": f"c{number % 7}", "a": 1.0}, {}, {"bn": "x"})
        for number in range(20)
    ]
    path = tmp_path / "cards.model"
    written = {"field": "card", "expected": 50, "window": 6, "path": str(path)}
    outside = Outside(lambda: path.unlink(missing_ok=True), lambda: path.exists() and path.read_bytes())
    check_task(
        BloomTrain, [({"expected": 50, "window": 4}, records), (written, records)], records=2000, outside=outside
    )
