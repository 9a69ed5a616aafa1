from pathlib import Path
from typing import Any

import pytest

from riot_tasks import Record, Value
from riot_tasks.algorithms.bloom import BloomFilter as Members
from riot_tasks.filter.bloom_filter import BloomFilter
from tests.riot_tasks.conftest import SAMPLE

IDS = [f"dev{number}" for number in range(500)]


def _out(task: BloomFilter, source: str = "dev7", **values: Value) -> list[dict[str, Value]]:
    return [result.values for result in task.process(Record(1, source, 0.0, values))]


def test_the_source_decides_by_default() -> None:
    """A record from a source on the list passes untouched, one from elsewhere does not."""
    record = Record(1, "dev7", 0.0, {"temperature": 20.0})
    task = BloomFilter(IDS)
    assert [result is record for result in task.process(record)] == [True]
    assert _out(task, "stranger", temperature=20.0) == []


def test_no_member_is_missed_and_few_strangers_pass() -> None:
    """All of the list pass; of 5,000 strangers about as many as false_positive says."""
    task = BloomFilter(IDS, false_positive=0.02)
    assert all(_out(task, item, x=1) for item in IDS)
    assert 50 < sum(bool(_out(task, f"stranger{number}", x=1)) for number in range(5000)) < 150


def test_a_field_can_decide() -> None:
    """With a field's name its value is looked up, numbers by their text; without the field a record passes."""
    task = BloomFilter(["8", "north"], field="place")
    assert [_out(task, place=place) for place in (8, 8.0, "8", "north")] == [
        [{"place": p}] for p in (8, 8.0, "8", "north")
    ]
    assert _out(task, place="south") == []
    assert _out(task, x=1) == [{"x": 1}]
    assert _out(task, place=None) == [{"place": None}]


def test_null_blanks_the_field_that_misses() -> None:
    """With on_miss null the record stays, without the id that is not on the list."""
    assert _out(BloomFilter(["north"], field="place", on_miss="null"), place="south", x=1) == [{"place": None, "x": 1}]


def test_null_blanks_all_values_of_an_unknown_source() -> None:
    """With on_miss null an unknown source's values are all None, as RIoTBench's ETL does."""
    assert _out(BloomFilter(IDS, on_miss="null"), "stranger", x=1, y="a") == [{"x": None, "y": None}]


def test_a_file_lists_an_id_a_line(tmp_path: Path) -> None:
    """Lines are ids, blank ones and the space around them ignored."""
    path = tmp_path / "ids.txt"
    path.write_text("dev7\n\n  dev8 \ncafé")
    task = BloomFilter(str(path))
    assert [bool(_out(task, source, x=1)) for source in ("dev7", "dev8", "café", "", "dev9")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_separator_ends_the_id(tmp_path: Path) -> None:
    """With separator ":" an annotation file is a list; with "" the colon is part of the id."""
    path = tmp_path / "ids.txt"
    path.write_text("dev7:building2,heat\n")
    assert _out(BloomFilter(str(path), separator=":"), "dev7", x=1) == [{"x": 1}]
    assert _out(BloomFilter(str(path), separator=""), "dev7:building2,heat", x=1) == [{"x": 1}]


def test_a_colon_is_not_guessed_about(tmp_path: Path) -> None:
    """Without a separator a colon in a line is a mistake that names the line and both ways out."""
    path = tmp_path / "ids.txt"
    path.write_text("dev7\nurn:dev:mac:0024befffe804ff1\n")
    with pytest.raises(ValueError, match=r"ids\.txt:2 has a colon; give separator ':' .*, '' if it is part of the id"):
        BloomFilter(str(path))


def test_guavas_file_is_a_list(tmp_path: Path) -> None:
    """A file in Guava's format is recognised by its first byte and taken as it is."""
    members = Members.sized(20, 0.01)
    members.add("dev7")
    path = tmp_path / "bloomfilter.model"
    path.write_bytes(members.to_bytes())
    task = BloomFilter(str(path))
    assert (_out(task, x=1), _out(task, "stranger", x=1)) == ([{"x": 1}], [])


def test_expected_sets_the_size() -> None:
    """A filter sized for more than the list takes the room for it, as RIoTBench's models do."""
    small, large = BloomFilter(IDS), BloomFilter(IDS, expected=100_000)
    assert (len(small._members.bits), len(large._members.bits)) == (600, 119_816)


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
def test_riotbenchs_city_list_covers_its_sample() -> None:
    """All ids of the metadata file pass, which are those of the sample."""
    metadata = SAMPLE.with_name("city-metadata.txt")
    task = BloomFilter(str(metadata), separator=":")
    ids = [line.partition(":")[0] for line in metadata.read_text().splitlines()]
    assert len(ids) == 2162
    assert all(_out(task, item, x=1) for item in ids)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"allow": []}, r"allow: \[\] holds no ids"),
        ({"allow": [7]}, "allow: must be a list of texts, or the path of a file"),
        ({"allow": None}, "allow: must be a list of texts, or the path of a file"),
        ({"allow": "/nowhere/ids"}, "allow: /nowhere/ids can't be read: No such file or directory"),
        ({"allow": IDS, "field": ""}, "field: must be a field's name"),
        ({"allow": IDS, "separator": 1}, "separator: must be a text, like ':'"),
        ({"allow": IDS, "expected": 0}, "expected: must be a whole number from 1"),
        ({"allow": IDS, "false_positive": 1}, "false_positive: must be a number between 0 and 1, like 0.01"),
        ({"allow": IDS, "on_miss": "keep"}, "on_miss: must be 'drop' or 'null'"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        BloomFilter(**params)


@pytest.mark.parametrize(
    "content", [b"\x01", b"\x00\x07\x00\x00\x00\x01" + bytes(8), b"\x01\x07\x00\x00\x00\x02" + bytes(8)]
)
def test_a_damaged_guava_file_is_named(tmp_path: Path, content: bytes) -> None:
    """A file that begins like Guava's but is cut, too short, or made another way is refused by name."""
    path = tmp_path / "bloomfilter.model"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"allow: .*bloomfilter\.model (is no Guava filter|has strategy 0)"):
        BloomFilter(str(path))


def test_a_list_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    """A list in another encoding is refused by name."""
    path = tmp_path / "ids.txt"
    path.write_bytes("café".encode("latin-1"))
    with pytest.raises(ValueError, match=r"allow: .*ids\.txt is not UTF-8"):
        BloomFilter(str(path))
