"""`xml_parse`: documents into the records of their rows."""

import re
from pathlib import Path
from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.parse.xml_parse import XmlParse
from riot_tasks.testing import check_task
from tests.riot_tasks.test_xml_total import STUDENTS

STATION = b"""<station id="north"><state><battery>3.6</battery></state>
<reading at="2015-02-01T00:00:00Z"><temperature>21.5</temperature><sky>clear</sky></reading>
<reading at="1422748860000"><temperature/><sky/></reading>
<reading at="1422748920"><sky>rain</sky></reading>
<reading at="1422748980"/>
</station>"""
SCHEMA = [
    {"name": "at", "path": "@at"},
    {"name": "station", "path": "/station/@id", "type": "sv"},
    {"name": "temperature", "unit": "Cel"},
    {"name": "sky", "type": "sv"},
]


def _raw(payload: Value) -> Record:
    return Record(7, "dev7", 5.0, {"payload": payload}, {"payload": "x"}, {"origin": "gate"})


def _out(task: XmlParse, payload: Value = STATION) -> list[tuple[float, dict[str, Value]]]:
    return [(record.time, record.values) for record in task.process(_raw(payload))]


def test_each_row_becomes_a_record() -> None:
    """Numbers are numbers, an empty one is None, what is not there is left out; the timestamp is the time."""
    task = XmlParse(rows="station/reading", schema=SCHEMA, timestamp="at")
    first, *_ = records = list(task.process(_raw(STATION)))
    assert first == Record(
        7,
        "dev7",
        1422748800.0,
        {"station": "north", "temperature": 21.5, "sky": "clear"},
        {"temperature": "Cel"},
        {"origin": "gate"},
    )
    assert [(record.time, record.values, record.units) for record in records[1:]] == [
        (1422748860.0, {"station": "north", "temperature": None, "sky": ""}, {"temperature": "Cel"}),
        (1422748920.0, {"station": "north", "sky": "rain"}, {}),
        (1422748980.0, {"station": "north"}, {}),
    ]


def test_text_is_as_good_as_bytes() -> None:
    """A document that is text already gives the same records, from whatever field it comes."""
    task = XmlParse(rows="station/reading", schema=SCHEMA, timestamp="at", field="xml")
    record = Record(7, "dev7", 5.0, {"xml": STATION.decode()}, {}, {"origin": "gate"})
    assert list(task.process(record)) == list(
        XmlParse(rows="station/reading", schema=SCHEMA, timestamp="at").process(_raw(STATION))
    )


def test_without_schema_all_of_a_row_is_text() -> None:
    """Attributes and children without children are fields; a row without any is no record."""
    assert _out(XmlParse(rows="//reading", timestamp="at")) == [
        (1422748800.0, {"temperature": "21.5", "sky": "clear"}),
        (1422748860.0, {"temperature": "", "sky": ""}),
        (1422748920.0, {"sky": "rain"}),
    ]
    assert _out(XmlParse(rows="station")) == [(5.0, {"id": "north"})]


def test_without_rows_the_root_is_the_row() -> None:
    """A document of a single row needs no path."""
    document = b'<r xmlns:m="urn:m" at="3"><m:t>21</m:t><m:h>40</m:h></r>'
    assert _out(XmlParse(), document) == [(5.0, {"at": "3", "t": "21", "h": "40"})]
    assert _out(XmlParse(rows=".", schema=[{"name": "t"}]), document) == [(5.0, {"t": 21})]


def test_a_row_of_text_is_a_field_by_its_own_name() -> None:
    """Elements that hold only text can be rows themselves; an empty one is none."""
    document = "<l><t unit='Cel'>21</t><h>40</h><none/></l>"
    assert _out(XmlParse(rows="l/*"), document) == [(5.0, {"unit": "Cel", "t": "21"}), (5.0, {"h": "40"})]


def test_children_that_are_more_than_a_field_are_left_to_paths() -> None:
    """A child with children, or of attributes only, is no field; an empty one is an empty text."""
    document = "<r><a>1</a><b><c>2</c></b><d e='3'/><f/></r>"
    assert _out(XmlParse(), document) == [(5.0, {"a": "1", "f": ""})]
    schema = [{"name": "c", "path": "b/c"}, {"name": "e", "path": "d/@e"}]
    assert _out(XmlParse(schema=schema), document) == [(5.0, {"c": 2, "e": 3})]


def test_students_become_records() -> None:
    """RIoTBench's document, read for what it says: 37 students with roll number, names and marks."""
    schema = [{"name": "roll", "path": "@rollno", "type": "sv"}, {"name": "firstname", "type": "sv"}, {"name": "marks"}]
    students = _out(XmlParse(rows="class/student", schema=schema), STUDENTS.read_bytes())
    rolls = re.findall(r'rollno="(\d+)"', STUDENTS.read_text())
    marks = re.findall(r"<marks>(\d+)", STUDENTS.read_text())
    assert [(values["roll"], values["marks"]) for _, values in students] == list(
        zip(rolls, map(int, marks), strict=True)
    )
    assert students[0][1] == {"roll": "393", "firstname": "dinkar", "marks": 85}


@pytest.mark.parametrize(
    ("params", "payload", "reason"),
    [
        ({}, None, "field 'payload': missing"),
        ({}, 5, "field 'payload': a int, not bytes or text"),
        ({"max_bytes": 10}, b"<a>12345</a>", r"a document of 12 bytes: the limit is 10 \(max_bytes\)"),
        ({}, b"<a", "not XML: unclosed token: line 1, column 0"),
        ({"rows": "student"}, b"<class><student/></class>", "no element at 'student': the root is 'class'"),
        ({"rows": "//b"}, b"<a><b/><b/></a>", r"none of the fields in any row \(2, the first is 'b'\)"),
        ({"schema": [{"name": "t"}]}, b"<a><t>warm</t></a>", "row 1, 'a': t: 'warm' is not a number"),
        ({"rows": "a/t", "timestamp": "t"}, b"<a><t>1</t><t>x</t></a>", "row 2, 't': t: 'x' is neither a Unix time"),
        ({}, b"<a><t>1</t><t>2</t></a>", "row 1, 'a': t: stands twice; make rows of such elements, or say in schema"),
        ({}, b"<a t='1'><t>2</t></a>", "row 1, 'a': t: stands twice"),
        ({}, b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "document type definition, which is refused"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_whole(params: dict[str, Any], payload: Value, reason: str) -> None:
    """One dead letter for the document, whose reason says where and what."""
    with pytest.raises(BadRecord, match=reason):
        list(XmlParse(**params).process(_raw(payload)))


def test_parity_gives_the_total() -> None:
    """With parity the result is RIoTBench's total of the record's document, or of the file whatever the record says."""
    record = _raw(b'<student rollno="393"/>')
    (own,) = XmlParse(parity=True).process(record)
    (files,) = XmlParse(parity=True, file=str(STUDENTS)).process(record)
    assert own == Record(7, "dev7", 5.0, {"total": 10.0}, {}, {"origin": "gate"})
    assert files.values == {"total": 2512.0}


def test_a_file_is_read_when_the_task_is_made(tmp_path: Path) -> None:
    """A file that is missing or holds no usable document is refused by name, before the first record."""
    with pytest.raises(ValueError, match=r"file: .*none\.xml can't be read: No such file"):
        XmlParse(parity=True, file=str(tmp_path / "none.xml"))
    (tmp_path / "bad.xml").write_text("<a><student/></a>")
    with pytest.raises(ValueError, match=r"file: .*bad\.xml: a student without rollno"):
        XmlParse(parity=True, file=str(tmp_path / "bad.xml"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rows": ""}, "rows: must be a path like"),
        ({"rows": "a["}, r"rows: 'a\[' is no path of ElementTree's"),
        ({"rows": "a/@id"}, "rows: 'a/@id' leads to an attribute; name the element that has it"),
        ({"schema": []}, "schema: must be a list of fields"),
        ({"schema": "t"}, "schema: must be a list of fields"),
        ({"schema": ["t"]}, r"schema\[0\]: must have a name, and perhaps path"),
        ({"schema": [{"name": "t", "xpath": "t"}]}, r"schema\[0\]: must have a name, and perhaps path"),
        ({"schema": [{"name": "température"}]}, r"schema\[0\]: 'température' can't be a SenML name"),
        ({"schema": [{"name": "t", "unit": 3}]}, r"schema\[0\]: the unit must be a text"),
        ({"schema": [{"name": "t", "type": "float"}]}, r"schema\[0\]: type: must be 'v' or 'sv'"),
        ({"schema": [{"name": "t"}, {"name": "u", "path": "//"}]}, r"schema\[1\]: path: must be a path like"),
        ({"schema": [{"name": "t"}, {"name": "t"}]}, "schema: field 't' stands twice; rename one"),
        ({"schema": [{"name": "t"}], "timestamp": "at"}, r"timestamp: 'at' is no field of the schema \(t\)"),
        ({"field": ""}, "field: must be a field's name"),
        ({"max_bytes": 1}, "max_bytes: must be a whole number from 4"),
        ({"parity": "yes"}, "parity: must be true or false"),
        ({"parity": True, "rows": "a"}, "parity: gives a total, no records; leave out rows"),
        ({"file": "a.xml"}, "file: is RIoTBench's benchmark; give parity: true with it"),
        ({"file": "", "parity": True}, "file: must be the path of a file"),
        ({"file": "a\0b", "parity": True}, "file: must be the path of a file"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        XmlParse(**params)


def test_it_keeps_the_contract() -> None:
    """It passes the public battery, with and without a schema, and as RIoTBench's benchmark."""
    records = [
        Record(number, "dev1", float(number), {"payload": f"<r at='{number}'><t>{number / 3}</t><s>x</s></r>".encode()})
        for number in range(10)
    ]
    students = [Record(1, "dev1", 0.0, {"payload": STUDENTS.read_text()}), *records]
    schema = [{"name": "at", "path": "@at"}, {"name": "t"}]
    examples = [({}, records), ({"schema": schema, "timestamp": "at"}, records), ({"rows": "//student"}, students)]
    check_task(XmlParse, [*examples, ({"parity": True}, students[:3])], records=1000)
