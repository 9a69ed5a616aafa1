"""Histories in files and in tables, up to the rows that are learnt from."""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks.record import Record
from riot_tasks.stores import tables as stores
from riot_tasks.stores.rows import Row
from riot_tasks.stores.sqlite_table import SqliteTable
from riotd.errors import ConfigError
from riotd.training import fields, files, tables
from riotd.training.framing import frame
from riotd.training.job import Job
from riotd.training.reading import BROKEN, CLASS, PLACE, REFUSED, TIME, Piece, Read, Wanted, blocks
from tests.riotd.bounded.bounded_inputs import city, write


def rows(pieces: Sequence[Piece], *numbers: str, label: str | None = None) -> list[dict[str, Any]]:
    """What workers would read, row by row."""
    wanted = Wanted(numbers, label, float("-inf"), float("inf"))
    return [row for piece in pieces for block in blocks(piece, wanted) for row in block.to_pylist()]


def cut(path: Path, size: int) -> list[files.FilePiece]:
    """A file in pieces of a size."""
    form, _ = files.look(str(path), form=None, schema=None)
    (whole,) = files.pieces(str(path), 0, form)
    ends = range(0, path.stat().st_size, size)
    return [files.FilePiece(str(path), 0, form, start, start + size, whole.now) for start in ends]


@pytest.mark.parametrize("size", [1, 7, 400, 1_000, 5_000, 10**6])
def test_pieces_have_each_line_once(tmp_path: Path, size: int) -> None:
    """Wherever a file is cut."""
    path = city(tmp_path / "city.csv", 20 if size < 100 else 60)
    (whole,) = [cut(path, 10**9)]
    assert rows(cut(path, size), "temperature", "dust") == rows(whole, "temperature", "dust")


def test_a_header_and_a_mark_are_no_rows(tmp_path: Path) -> None:
    """Nor are blank lines; a line may end as on Windows."""
    text = "\ufefftime,a,b\r\n\r\n10,1,x\r\n20,2,\r\n30,3,z"
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    found = rows(cut(path, 12), "a", label="b")
    assert [(row[TIME], row["a"], row[CLASS]) for row in found] == [
        (10.0, 1.0, "x"),
        (20.0, 2.0, None),
        (30.0, 3.0, "z"),
    ]


def test_a_packed_file_is_one_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can't be entered in the middle; its rows are those of the plain one."""
    path = city(tmp_path / "city.csv", 50)
    packed = tmp_path / "city.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    monkeypatch.setattr(files, "PIECE", 2_000)
    form, _ = files.look(str(packed), form=None, schema=None)
    assert len(files.pieces(str(packed), 0, form)) == 1
    assert len(plain := files.pieces(str(path), 0, form)) > 5
    assert rows(files.pieces(str(packed), 0, form), "dust")[-1]["dust"] == rows(plain, "dust")[-1]["dust"]


def test_a_torn_file_is_told(tmp_path: Path) -> None:
    """Behind the rows that were read, with its path."""
    path = city(tmp_path / "city.csv", 300)
    packed = tmp_path / "city.gz"
    packed.write_bytes(gzip.compress(path.read_bytes())[:-20])
    form, _ = files.look(str(path), form=None, schema=None)
    *good, last = rows(files.pieces(str(packed), 0, form), "dust")
    assert good
    assert last[PLACE] == BROKEN
    assert last[REFUSED].startswith(f"{packed}: can't be read: Compressed file ended")


def test_a_refused_line_says_where_it_is(tmp_path: Path) -> None:
    """File, byte and reason; the others are rows."""
    good = b'{"time": 5, "a": 1.5}'
    path = write(tmp_path / "x.jsonl", [good, b'{"time": 6, "a": [1]}', b'{"time": 7, "a": "much"}', good])
    found = rows(cut(path, 10**6), "a")
    reasons = [row[REFUSED] for row in found]
    assert reasons[0] is reasons[3] is None
    assert f"{path}, byte 22: no JSON object" in reasons[1]
    assert reasons[2] == "a: 'much' is not a number within ±1e+300"
    assert found[3]["a"] == 1.5


def test_patterns_and_names(tmp_path: Path) -> None:
    """A file that is named twice is read once; one that is not there is a mistake."""
    for name in ("b1.csv", "a2.csv", "a1.csv"):
        city(tmp_path / name, 2)
    found = files.named([str(tmp_path / "b1.csv"), str(tmp_path / "a*.csv"), str(tmp_path / "?1.csv")])
    assert [Path(each).name for each in found] == ["b1.csv", "a1.csv", "a2.csv"]
    with pytest.raises(ConfigError, match=r"c\*\.csv"):
        files.named([str(tmp_path / "c*.csv")])


def test_text_has_no_rows(tmp_path: Path) -> None:
    """Which is told before anything is begun."""
    with pytest.raises(ConfigError, match="text without fields"):
        files.look(str(write(tmp_path / "x", [b"hello", b"world"])), form=None, schema=None)


class AnyOrder(SqliteTable):
    """A table that gives any rows where there are more than are asked for, as Azure's does."""

    def range(self, partition: str, start: float, end: float, *, most: int) -> Iterator[Row]:
        """As `Table`."""
        found = list(super().range(partition, start, end, most=10**9))
        return iter(
            sorted(Random(len(found)).sample(found, min(most, len(found))), key=lambda row: (row.time, row.key))
        )


@pytest.mark.parametrize("kind", [SqliteTable, AnyOrder])
@given(times=st.lists(st.integers(0, 2000).map(lambda each: each / 100), max_size=60), page=st.integers(2, 40))
def test_pages_have_each_row_once_in_order(kind: type[SqliteTable], times: list[float], page: int) -> None:
    """However many share an instant, and whichever rows a table gives of too many."""
    table = kind(None, "history")
    table.upsert([Row("all", f"k{number:03}", {"x": number}, "dev", time) for number, time in enumerate(times)])
    found = list(tables.paged(table, "all", 0.0, 21.0, page=page))
    expected = sorted((time, f"k{number:03}") for number, time in enumerate(times))
    assert [(row.time, row.key) for row in found] == expected
    table.close()


@given(st.lists(st.floats(1.0, 2e9), min_size=1, max_size=20))
def test_the_extent_is_found_to_half_a_second(times: list[float]) -> None:
    """From a little before the first row to a little after the last."""
    table = SqliteTable(None, "history")
    table.upsert([Row("all", f"k{number}", {"x": 1}, "dev", time) for number, time in enumerate(times)])
    found = tables.extent(table, "all", 0.0, 2.1e9)
    assert found is not None
    assert found[0] <= min(times) <= found[0] + 0.5
    assert found[1] - 0.5 <= max(times) < found[1]
    table.close()


def test_an_empty_stretch_has_no_extent() -> None:
    """Nor has another partition."""
    table = SqliteTable(None, "history")
    table.upsert([Row("all", "k", {"x": 1}, "dev", 50.0)])
    assert tables.extent(table, "all", 60.0, 70.0) is None
    assert tables.extent(table, "none", 0.0, 70.0) is None
    table.close()


def test_stretches_have_each_row_once(tmp_path: Path) -> None:
    """Wherever time is cut."""
    url = f"sqlite://{tmp_path}/t.db"
    at = [number * 0.37 for number in range(200)]
    stores.table(url, "history").upsert([Row("all", f"k{time}", {"x": time}, "dev", time) for time in at])
    place = tables.Place(url, "history")
    place.check()
    found = tables.extent(place.opened(), "all", 0.0, 1e6)
    assert found is not None
    pieces = tables.pieces(place, *found, 7)
    assert [row["x"] for row in rows(pieces, "x")] == at
    assert len(pieces) == 7


def test_a_table_that_can_t_be_read_is_told(tmp_path: Path) -> None:
    """By its name, as a row of its own, which a worker can give back."""
    (tmp_path / "t.db").write_bytes(b"SQLite format 3\0" + bytes(4096))
    place = tables.Place(f"sqlite://{tmp_path}/t.db", "history")
    place.check()
    (row,) = rows(tables.pieces(place, 0.0, 10.0, 1), "x")
    assert row[PLACE] == BROKEN
    assert row[REFUSED].startswith(f"{tmp_path}/t.db, table history: ")


@pytest.mark.parametrize(
    ("url", "table", "why"),
    [
        ("sqlite:///nowhere/t.db", "history", "is not there"),
        ("memory://x", "history", "one process's own"),
        ("ftp://x", "history", "is no store"),
        ("memory://x", "a", "3 to 63"),
    ],
)
def test_a_place_that_can_be_none_is_told(url: str, table: str, why: str) -> None:
    """Before anything is begun."""
    with pytest.raises(ConfigError, match=why):
        tables.Place(url, table).check()


SAMPLE = [
    Record(0, "d", 0.0, {"time": 5, "a": 1.0, "b": "2.5", "name": "x", "t": 3}),
    Record(0, "d", 0.0, {"a": 1.5, "c": 1}),
]


def test_all_other_numbers_are_features_unless_some_are_named() -> None:
    """In the order in which they are found; text is none."""
    assert fields.features(SAMPLE, [], "t", without=("t",)) == ("a", "b", "c")
    assert fields.features(SAMPLE, ["c", "a"], "t") == ("c", "a")


def test_a_field_that_is_not_there_is_told_with_the_nearest() -> None:
    """Features and target at once."""
    with pytest.raises(ConfigError) as told:
        fields.features(SAMPLE, ["a", "nam"], "tt")
    assert str(told.value).splitlines() == [
        "features: there is no field 'nam' in the first records of the input; did you mean 'name'?",
        "target: there is no field 'tt' in the first records of the input; did you mean 't'?",
    ]


def test_a_text_is_no_feature() -> None:
    """Even if it is asked for."""
    with pytest.raises(ConfigError, match="features: name holds no numbers, but 'x'; leave it out"):
        fields.check_numbers(SAMPLE, ["a", "name"], target="t")
    with pytest.raises(ConfigError, match="target: name holds no numbers"):
        fields.check_numbers(SAMPLE, ["a", "name"], target="name")


@pytest.mark.parametrize(
    ("found", "classes"),
    [
        (["GOOD", "EXCELLENT", "BAD"], ("BAD", "GOOD", "EXCELLENT")),
        (["10", "9", "1"], ("1", "9", "10")),
        (["on", "off"], ("off", "on")),
    ],
)
def test_classes_have_an_order(found: list[str], classes: tuple[str, ...]) -> None:
    """RIoTBench's, or that of numbers, or the alphabet's: not that of the rows."""
    assert fields.classes(found, "label") == classes


@pytest.mark.parametrize(("found", "why"), [(["a"], "one class only"), ([str(n) for n in range(99)], "quantiles")])
def test_what_are_no_classes(found: list[str], why: str) -> None:
    """One says nothing, and too many are numbers."""
    with pytest.raises(ConfigError, match=why):
        fields.classes(found, "label")


def job(**said: Any) -> Job:
    """A job, its inputs of no account."""
    return Job(**{"model": "tree", "inputs": ["x"], "target": "t", "folds": 1, **said})


def read(numbers: np.ndarray, labels: Sequence[int] = (), classes: Sequence[str] = ()) -> Read:
    """What was read, a second between rows."""
    places = np.array(labels or [-1] * len(numbers), dtype=np.intp)
    return Read(np.arange(float(len(numbers))), numbers, places, list(classes), 0, [])


def test_rows_with_gaps_are_left_out() -> None:
    """And counted: of 50 rows 5 lack a feature and one the class."""
    numbers = np.arange(100.0).reshape(50, 2)
    numbers[3:8, 1] = np.nan
    labels = [1, 0] * 24 + [-1, 1]
    question, history, facts = frame(job(), ("a", "b"), ("a", "b"), read(numbers, labels, ["up", "down"]))
    assert (facts.read, facts.rows) == (50, 44)
    assert question.classes == ("down", "up")
    assert history.rows[0].tolist() == [0.0, 1.0, 0.0]
    assert history.rows[1].tolist() == [2.0, 3.0, 1.0]


def test_too_few_rows_are_told_with_what_they_lack() -> None:
    """Which field, and how many there must be."""
    numbers = np.ones((60, 3))
    numbers[10:, 1] = np.nan
    with pytest.raises(ConfigError, match=r"10 rows are complete of 60, of which 50 lack b; 1 folds .* need 40"):
        frame(job(model="regression"), ("a", "b"), ("a", "b", "t"), read(numbers))


def test_labels_are_those_of_label_quantiles() -> None:
    """By RIoTBench's percentiles, and with the numbers from which on they are given."""
    numbers = np.column_stack([np.arange(100.0), np.arange(100.0)[::-1]])
    question, history, facts = frame(job(label="quantiles"), ("a",), ("a", "t"), read(numbers))
    assert (question.target, question.classes) == ("label", ("BAD", "GOOD", "VERYGOOD", "EXCELLENT"))
    assert facts.bounds == {"BAD": 24.25, "GOOD": 49.5, "VERYGOOD": 74.75, "EXCELLENT": 99.0}
    assert [int((history.rows[:, -1] == place).sum()) for place in range(4)] == [50, 25, 24, 1]


def test_labels_of_ones_own() -> None:
    """And the labelled number may itself be learnt from, as RIoTBench does."""
    numbers = np.column_stack([np.arange(100.0)])
    mine = job(label={"LOW": 1, "HIGH": 90}, into="level")
    question, history, _ = frame(mine, ("t",), ("t",), read(numbers))
    assert (question.features, question.target, question.classes) == (("t",), "level", ("LOW", "HIGH"))
    assert int(history.rows[:, -1].sum()) == 10


def test_blocks_leave_out_what_is_not_wanted(tmp_path: Path) -> None:
    """Rows before and after the time asked for."""
    path = write(tmp_path / "x.jsonl", [b'{"time": %d, "a": %d}' % (time, time) for time in range(10)])
    (piece,) = cut(path, 10**6)
    table = pa.concat_tables(blocks(piece, Wanted(("a",), None, 3.0, 6.0)))
    assert table.column("a").to_pylist() == [3.0, 4.0, 5.0]
