"""`csv_to_senml`: rows of CSV into records."""

import json
from pathlib import Path

import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.parse.csv_to_senml import CsvToSenml
from riot_tasks.senml import encode_record, records
from riot_tasks.testing import check_task

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/riotbench-data"
SCHEMA = [
    {"name": "timestamp", "unit": "second", "type": "sv"},
    {"name": "source", "unit": "string", "type": "sv"},
    {"name": "temperature", "unit": "far"},
    {"name": "light"},
]
FILE = "timestamp,source,temperature,light\nsecond,string,far,per\nsv,sv,v,v\n\n"


def raw(row: Value) -> Record:
    return Record(7, "dev7", 1_700_000_001.0, {"payload": row}, {}, {"origin": "gate"})


def parsed(row: Value) -> Record:
    (record,) = CsvToSenml(SCHEMA).process(raw(row))
    return record


def test_a_row_becomes_a_record() -> None:
    """Numbers are numbers, text is text, the timestamp is the time; id, source and meta are kept."""
    assert parsed(b"1422748800000,ci4l,8.5,411\r\n") == Record(
        7,
        "dev7",
        1422748800.0,
        {"source": "ci4l", "temperature": 8.5, "light": 411},
        {"source": "string", "temperature": "far"},
        {"origin": "gate"},
    )


def test_quoted_cells() -> None:
    """Cells may be quoted, and hold commas, quotation marks and newlines then."""
    assert parsed('1422748800,"a, ""b""\nc",1,2').values["source"] == 'a, "b"\nc'


def test_empty_cells() -> None:
    """A number left empty is None; a text left empty is an empty text."""
    assert parsed("1422748800,, ,2").values == {"source": "", "temperature": None, "light": 2}


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("1422748800", 1422748800.0),
        ("1422748800.25", 1422748800.25),
        ("1422748800000", 1422748800.0),
        ("2015-02-01 00:00:00", 1422748800.0),
        (" 2015-02-01T00:00:00.5Z", 1422748800.5),
        ("2015-02-01T01:00:00+01:00", 1422748800.0),
        ("2015-02-01", 1422748800.0),
        ("5", 5.0),
    ],
)
def test_timestamps(stamp: str, time: float) -> None:
    """Seconds and milliseconds are told by their size; dates and times are UTC unless they say otherwise."""
    assert parsed(f"{stamp},x,1,2").time == time


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1422748800,x,1", "3 columns, not the schema's 4: none for 'light'"),
        ("1422748800,x,1,2,3", "5 columns, not the schema's 4: '3' is too many"),
        ("", "0 columns, not the schema's 4: none for 'timestamp'"),
        ("1422748800,x,warm,2", "temperature: 'warm' is not a number"),
        ("1422748800,x,nan,2", "temperature: 'nan' is not a number"),
        ("1422748800,x,1e400,2", "temperature: '1e400' is not a number"),
        (",x,1,2", "timestamp: '' is neither a Unix time nor a date and time"),
        ("yesterday,x,1,2", "timestamp: 'yesterday' is neither"),
        ("1e300,x,1,2", "timestamp: '1e300' is neither"),
        ('1422748800,"x,1,2', "not one row of CSV: unexpected end of data"),
        ("1422748800,x,1,2\n1422748801,x,1,2", "not one row of CSV: new-line character"),
        (b"\xff,x,1,2", "not one row of CSV: 'utf-8' codec can't decode"),
        (12, "field 'payload': a int, not bytes or text"),
        (None, "field 'payload': a NoneType, not bytes or text"),
    ],
)
def test_what_is_no_row(row: Value, said: str) -> None:
    """A row that does not fit the schema is refused with column and value."""
    with pytest.raises(BadRecord) as refusal:
        parsed(row)
    assert str(refusal.value).startswith(said)


class TestNamedFields:
    def test_joined_rows_get_units(self) -> None:
        """A record that has fields already keeps them, gets the units, and takes its time from its timestamp."""
        joined = Record(
            7, "dev7", 1.0, {"temperature": 8.5, "mean": 8.0, "timestamp": 1422748800000}, {"mean": "far"}, {"bn": "a:"}
        )
        (record,) = CsvToSenml(SCHEMA).process(joined)
        assert record == Record(
            7,
            "dev7",
            1422748800.0,
            {"temperature": 8.5, "mean": 8.0},
            {"mean": "far", "temperature": "far"},
            {"bn": "a:"},
        )

    def test_without_a_timestamp_the_time_stays(self) -> None:
        """A record without a timestamp field keeps its time."""
        (record,) = CsvToSenml(SCHEMA).process(Record(7, "dev7", 5.0, {"light": 3}))
        assert record == Record(7, "dev7", 5.0, {"light": 3})

    @pytest.mark.parametrize("stamp", [None, True, b"1", float("nan"), 10**400])
    def test_an_impossible_timestamp(self, stamp: Value) -> None:
        """A timestamp that is no time is refused."""
        with pytest.raises(BadRecord, match="timestamp: "):
            CsvToSenml(SCHEMA).process(Record(7, "dev7", 5.0, {"light": 3, "timestamp": stamp}))

    def test_a_timestamp_that_can_not_be_written(self) -> None:
        """An integer of more digits than Python writes is refused by its size."""
        with pytest.raises(BadRecord, match="timestamp: an integer of 20001 bits is neither"):
            CsvToSenml(SCHEMA).process(Record(7, "dev7", 5.0, {"light": 3, "timestamp": 16**5000}))

    def test_strangers(self) -> None:
        """A record with neither a row nor any field of the schema is refused."""
        with pytest.raises(BadRecord, match="no field 'payload', and none of the schema's"):
            CsvToSenml(SCHEMA).process(Record(7, "dev7", 5.0, {"other": 3}))


class TestSchema:
    def test_a_file_of_riotbench(self, tmp_path: Path) -> None:
        """A file of three lines, names, units and types, says the same as a list."""
        path = tmp_path / "schema.txt"
        path.write_text(FILE)
        task = CsvToSenml(str(path))
        (record,) = task.process(raw("1422748800000,ci4l,8.5,411"))
        assert record.values == {"source": "ci4l", "temperature": 8.5, "light": 411}
        assert record.units == {"source": "string", "temperature": "far", "light": "per"}

    def test_no_timestamp_at_all(self) -> None:
        """With `timestamp: null` the time of receipt is kept, and a column of that name is a value."""
        (record,) = CsvToSenml(SCHEMA, timestamp=None).process(raw("1422748800000,x,1,2"))
        assert (record.time, record.values["timestamp"]) == (1_700_000_001.0, "1422748800000")

    @pytest.mark.parametrize(
        ("schema", "said"),
        [
            ([], "schema: must be a list of columns or a path, write"),
            (12, "schema: must be a list of columns or a path, write"),
            (["a"], r"schema\[0\]: must have a name, and perhaps unit and type, write"),
            ([{"unit": "Cel"}], r"schema\[0\]: must have a name"),
            ([{"name": "a", "kind": "v"}], r"schema\[0\]: must have a name"),
            ([{"name": "a"}, {"name": "air quality"}], r"schema\[1\]: 'air quality' can't be a SenML name"),
            ([{"name": 5}], r"schema\[0\]: 5 can't be a SenML name"),
            ([{"name": "a", "unit": 5}], r"schema\[0\]: the unit must be a text"),
            ([{"name": "a", "type": "s"}], r"schema\[0\]: type: must be 'v' or 'sv'"),
            ([{"name": "a"}, {"name": "a"}], "schema: column 'a' stands twice"),
            ([{"name": "a"}], r"timestamp: 'timestamp' is no column of the schema \(a\); name the one"),
            ("no/such/file", "schema: no/such/file can't be read: No such file"),
        ],
    )
    def test_wrong_schemas(self, schema: object, said: str) -> None:
        """A schema that can't be is refused with the place and what to write."""
        with pytest.raises(ValueError, match=said):
            CsvToSenml(schema)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "must have three lines"),
            ("timestamp,a\n,V\n", r"must have three lines.*\(has lines of 2, 2\)"),
            ("timestamp,a\n,V\nsv\n", r"must have three lines.*\(has lines of 2, 2, 1\)"),
            ("timestamp,a\n,V\nsv,x\n", "column 2: type: must be 'v' or 'sv'"),
            ("timestamp,a b\n,V\nsv,v\n", "column 2: 'a b' can't be a SenML name"),
        ],
    )
    def test_wrong_files(self, tmp_path: Path, text: str, said: str) -> None:
        """A schema file that is none is refused with its path and what is wrong."""
        path = tmp_path / "schema.csv"
        path.write_text(text)
        with pytest.raises(ValueError, match=said):
            CsvToSenml(str(path))


def test_keeps_the_contract() -> None:
    """The task passes the public battery, on rows and on named fields."""
    rows = [raw("1422748800,x,1,2"), raw(b'1422748800000,"x",1.5,'), raw("a,b,c,d"), raw("1,2")]
    named = [Record(7, "dev7", 5.0, {"light": 3, "timestamp": 1422748800}), Record(8, "dev7", 5.0, {"light": None})]
    check_task(CsvToSenml, [({"schema": SCHEMA}, rows), ({"schema": SCHEMA, "timestamp": None}, [*rows, *named])])


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("SYS", "sys-schema_without_annotationfields.txt"),
        ("TAXI", "taxi-schema-without-annotation.csv"),
        ("FIT", "mhealth_schema.csv"),
    ],
)
def test_riotbench_rows_there_and_back(name: str, schema: str) -> None:
    """RIoTBench's samples as rows of its own schemas are the records of the samples, and can be written as SenML."""
    if not (SAMPLES / schema).exists():
        pytest.skip("RIoTBench's schemas are not there")
    task = CsvToSenml(str(SAMPLES / schema))
    columns = (SAMPLES / schema).read_text().splitlines()[0].split(",")
    for line in (SAMPLES / f"{name}_sample_data_senml.csv").read_text().splitlines()[:100]:
        stamp, _, pack = line.partition(",")
        cells = {entry["n"]: entry.get("v", entry.get("sv")) for entry in json.loads(pack)["e"]} | {"timestamp": stamp}
        (record,) = task.process(raw(",".join(cells[column] for column in columns)))
        (expected,) = records(pack.encode(), id=7, source="dev7", now=0.0)
        assert (record.time, record.values) == (expected.time, expected.values)
        (written,) = records(encode_record(record), id=7, source="dev7", now=0.0)
        assert (written.values, written.units) == (record.values, record.units)
