import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.parse.annotate import Annotate
from riot_tasks.testing import check_task
from tests.riot_tasks.conftest import SAMPLE

TABLE = {"dev7": ["building4", "indoor"], "dev8": ["ngh", "outdoor"]}
NAMES = ["location", "type"]
KNOWN = {"location": "building4", "type": "indoor"}


def _out(task: Annotate, source: str = "dev7", **values: Value) -> list[dict[str, Value]]:
    return [result.values for result in task.process(Record(1, source, 0.0, values))]


def _file(folder: Path, content: str, name: str = "metadata.txt") -> str:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_the_record_gets_the_fields_of_its_source() -> None:
    """Everything else of the record stays."""
    record = Record(7, "dev7", 5.0, {"temperature": 20.0}, {"temperature": "Cel"}, {"bn": "x"})
    expected = Record(7, "dev7", 5.0, {"temperature": 20.0, **KNOWN}, {"temperature": "Cel"}, {"bn": "x"})
    assert list(Annotate(TABLE, names=NAMES).process(record)) == [expected]


@pytest.mark.parametrize("meter", [8, 8.0, "8"])
def test_a_field_can_say_who_it_is(meter: Value) -> None:
    """With by the id is a field's value, compared as text."""
    task = Annotate({"8": ["night"]}, names=["tariff"], by="meter")
    assert _out(task, meter=meter) == [{"meter": meter, "tariff": "night"}]


def test_mappings_name_their_fields_themselves() -> None:
    """A table of mappings needs no names, and its values keep their types."""
    task = Annotate({"dev7": {"age": 56, "height": 1.8}, 8: {"gender": "F"}})
    assert _out(task) == [{"age": 56, "height": 1.8}]
    assert _out(task, "8") == [{"gender": "F"}]


def test_what_the_record_has_is_replaced() -> None:
    """A field of the table's takes the place of the record's own, whose unit goes with it."""
    record = Record(1, "dev7", 0.0, {"type": 3.5, "a": 1.0}, {"type": "m", "a": "Cel"})
    (result,) = Annotate(TABLE, names=NAMES).process(record)
    assert (result.values, result.units) == ({"a": 1.0, **KNOWN}, {"a": "Cel"})


@pytest.mark.parametrize(
    ("on_miss", "expected"),
    [("pass", [{"a": 1.0}]), ("drop", []), ("null", [{"a": 1.0, "location": None, "type": None}])],
)
def test_an_unknown_id_is_told_apart(on_miss: str, expected: list[dict[str, Value]]) -> None:
    """On_miss says what becomes of a record whose id is not in the table, or that has none; it is counted."""
    task = Annotate(TABLE, names=NAMES, on_miss=on_miss)
    task.counts = Counter()
    assert _out(task, "stranger", a=1.0) == expected
    assert task.counts == {"unknown": 1}
    assert _out(Annotate(TABLE, names=NAMES, by="meter", on_miss=on_miss), a=1.0) == expected


def test_an_unknown_id_can_be_refused() -> None:
    """With on_miss reject it is a dead letter whose reason names the id, or that there is none."""
    with pytest.raises(BadRecord, match="source: 'stranger' is not in the table"):
        _out(Annotate(TABLE, names=NAMES, on_miss="reject"), "stranger")
    with pytest.raises(BadRecord, match="meter: missing"):
        _out(Annotate(TABLE, names=NAMES, by="meter", on_miss="reject"))
    with pytest.raises(BadRecord, match="meter: an integer of 20001 bits is not in the table"):
        _out(Annotate(TABLE, names=NAMES, by="meter", on_miss="reject"), meter=16**5000)


def test_no_row_is_given_twice() -> None:
    """Unlike RIoTBench's, a miss says nothing of the record before it."""
    task = Annotate(TABLE, names=NAMES)
    assert (_out(task, a=1.0), _out(task, "stranger", a=2.0)) == ([{"a": 1.0, **KNOWN}], [{"a": 2.0}])


def test_a_file_has_a_line_for_each_id(tmp_path: Path) -> None:
    """Blank lines and space around a cell do not count; a colon in a value, and a quoted comma, are part of it."""
    path = _file(tmp_path, 'dev7:building4, indoor\n\n dev8 : ngh:2 , "San José, CA"\r\ndev9:,x\n')
    task = Annotate(path, names=NAMES)
    assert _out(task) == [KNOWN]
    assert _out(task, "dev8") == [{"location": "ngh:2", "type": "San José, CA"}]
    assert _out(task, "dev9") == [{"location": None, "type": "x"}]


@pytest.mark.parametrize(("separator", "line"), [(":", "dev7:"), ("\t", "dev7\t"), (" = ", "dev7 = "), (",", "dev7,")])
def test_an_empty_value_is_none(tmp_path: Path, separator: str, line: str) -> None:
    """A line may end with the separator: the one value it could have is empty."""
    assert _out(Annotate(_file(tmp_path, line), names=["type"], separator=separator)) == [{"type": None}]


def test_a_csv_file_can_name_the_fields(tmp_path: Path) -> None:
    """With a comma as separator and no names the first line has them, and ids may hold colons."""
    path = _file(tmp_path, '\ufeffid,location,type\nurn:dev:7,building4,indoor\n"dev,8",ngh,outdoor\n', "places.csv")
    task = Annotate(path, separator=",")
    assert _out(task, "urn:dev:7") == [KNOWN]
    assert _out(task, "dev,8") == [{"location": "ngh", "type": "outdoor"}]
    assert _out(task, "id") == [{}]


def test_a_csv_file_without_a_first_line_of_names(tmp_path: Path) -> None:
    """With names given every line is an id's."""
    path = _file(tmp_path, "dev7,building4,indoor\n")
    assert _out(Annotate(path, names=NAMES, separator=",")) == [KNOWN]


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """Tasks of one process share the table, other names make another, and ids with the same values share a row."""
    path = _file(tmp_path, "dev7:building4,indoor\ndev8:building4,indoor\n")
    first, second = Annotate(path, names=NAMES), Annotate(path, names=NAMES, on_miss="drop")
    assert first._rows is second._rows
    assert first._rows["dev7"] is first._rows["dev8"]
    assert _out(Annotate(path, names=["place", "kind"])) == [{"place": "building4", "kind": "indoor"}]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """A task made after the file has changed has the new table."""
    path = _file(tmp_path, "dev7:building4,indoor\n")
    Annotate(path, names=NAMES)
    _file(tmp_path, "dev7:building5,indoor\n")
    os.utime(path, ns=(0, 0))  # however coarse the file system's clock
    assert _out(Annotate(path, names=NAMES)) == [{"location": "building5", "type": "indoor"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "metadata.txt holds no ids; write one a line, id:value,value"),
        ("dev7:a,b\ndev8:a\n", "metadata.txt:2: has 1 values for 2 names, location, type"),
        ("dev7:a,b\ndev8\n", "metadata.txt:2: has no ':' after the id"),
        ('dev7:a,"b\n', "metadata.txt:1: is not CSV: unexpected end of data"),
        ("dev7:\n", "metadata.txt:1: has 1 values for 2 names"),
        ("urn:a,b\nurn:a,c\n", "metadata.txt:2: has 'urn' again, with other values; keep one of the two"),
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, content: str, message: str) -> None:
    """A mistake in a file is found when the task is made, and says the line."""
    path = _file(tmp_path, content)
    with pytest.raises(ValueError, match=f"table: .*{message}"):
        Annotate(path, names=NAMES)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A file that is missing, a folder, or in another encoding is refused by name when the task is made."""
    path = tmp_path / "latin.txt"
    path.write_bytes("dev7:café,x\n".encode("latin-1"))
    for table, message in (
        (tmp_path / "none.txt", "none.txt can't be read: No such file"),
        (tmp_path, "can't be read: Is a directory"),
        (path, "latin.txt is not UTF-8"),
    ):
        with pytest.raises(ValueError, match=f"table: .*{message}"):
            Annotate(str(table), names=NAMES)


@pytest.mark.parametrize(
    ("table", "params", "message"),
    [
        ({}, {}, "table: must be ids with their values"),
        (["dev7"], {}, "table: must be ids with their values"),
        (TABLE, {}, r"table\.dev7: must be a mapping of fields to values; or give names and lists"),
        ({"dev7": {"a": 1}}, {"names": NAMES}, r"table\.dev7: must be a list in the order of names"),
        ({"dev7": ["a"]}, {"names": NAMES}, r"table\.dev7: has 1 values for 2 names, location, type"),
        ({"dev7": "ab"}, {"names": NAMES}, r"table\.dev7: must be a list in the order of names"),
        ({"dev7": {"a": [1]}}, {}, r"table\.dev7\.a: must be a text or a number"),
        ({"dev7": {}}, {}, r"table\.dev7: \[\] is no list of different field names"),
        ({True: ["a", "b"]}, {"names": NAMES}, "table: True is no id; put it in quotes"),
        (TABLE, {"names": "location"}, "names: 'location' is no list of different field names"),
        (TABLE, {"names": NAMES, "by": ""}, "by: must be a field's name"),
        (TABLE, {"names": NAMES, "separator": ""}, "separator: must be a text"),
        (TABLE, {"names": NAMES, "on_miss": "keep"}, "on_miss: must be 'pass' or 'drop' or 'null' or 'reject'"),
        ("metadata.txt", {}, r"names: needed, as lines like id:value do not say them; write \[location, type\]"),
    ],
)
def test_wrong_parameters_are_refused(table: Any, params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying where and what to write."""
    with pytest.raises(ValueError, match=message):
        Annotate(table, **params)


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
@pytest.mark.parametrize(
    ("sample", "metadata", "by", "names"),
    [
        ("SYS", "city-metadata.txt", "source", NAMES),
        ("TAXI", "taxi-metadata-fulldataset.txt", "taxi_identifier", ["company", "driver", "city"]),
        ("FIT", "mhealth_annotation_mapping.csv", "subjectId", ["age", "gender"]),
    ],
)
def test_real_rows_get_what_riotbench_appends(sample: str, metadata: str, by: str, names: list[str]) -> None:
    """For every row of the samples the values joined by commas are the original's row: row, comma, annotation."""
    lines = SAMPLE.with_name(metadata).read_text().splitlines()
    theirs = {line.split(":")[0]: line.split(":")[1] for line in lines}
    task = Annotate(str(SAMPLE.with_name(metadata)), names=names, by=by, on_miss="reject")
    for line in SAMPLE.with_name(f"{sample}_sample_data_senml.csv").read_text().splitlines():
        row = {entry["n"]: entry.get("v", entry.get("sv")) for entry in json.loads(line.partition(",")[2])["e"]}
        (result,) = task.process(Record(1, row[by], 0.0, row))
        assert ",".join(map(str, result.values.values())) == f"{','.join(row.values())},{theirs[row[by]]}"


def test_it_keeps_the_contract(tmp_path: Path) -> None:
    """It passes the public battery, with a mapping and with a file, in each of its modes."""
    records = [
        Record(number, f"dev{number % 4 + 5}", float(number), {"a": 1.0 * number, "meter": number % 3})
        for number in range(20)
    ]
    path = _file(tmp_path, "1:night\n2:day\n")
    examples = [{"table": TABLE, "names": NAMES, "on_miss": each} for each in ("pass", "drop", "null", "reject")]
    examples.append({"table": path, "names": ["tariff"], "by": "meter"})
    check_task(Annotate, [(params, records) for params in examples])
