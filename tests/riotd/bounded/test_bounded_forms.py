"""Which form lines have, and what stands in front of a task for it."""

from pathlib import Path

import pytest

from riot_tasks import Record
from riotd import catalog
from riotd.bounded.forms import form_of, sniff
from riotd.errors import ConfigError

PACK = b'[{"bn":"urn:dev:a:","n":"t","v":1}]'
DRAFT = b'{"e":[{"n":"t","v":"20.5"}],"bt":1700000000000}'


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ([PACK], "senml"),
        ([DRAFT], "senml"),
        ([b"1700000000000," + PACK], "riotbench"),
        ([b"1700000000000," + DRAFT], "riotbench"),
        ([b"time,device,t", b"1,a,2"], "csv"),
        ([b'{"source":"a","values":{"t":1}}'], "json"),
        ([b'{"t":1}'], "json"),
        ([b"hello"], "raw"),
        ([], "raw"),
        ([b"", b"  ", PACK], "senml"),
        ([b"1700000000000,ERR reset", b"1700000000000," + PACK, b"1700000000001," + PACK], "riotbench"),
        ([PACK[:20], PACK], "senml"),
        ([b'{"t":', b'{"t":1}'], "json"),
    ],
)
def test_the_first_lines_tell_the_form(lines: list[bytes], name: str) -> None:
    """A damaged one among them does not mislead."""
    assert sniff(lines) == name


def rows(*lines: bytes, key: str | None = None, schema: str | None = None) -> list[Record]:
    """The records of CSV lines."""
    form = form_of("csv", lines, key=key, schema=schema)
    assert form.front is not None
    parse = catalog.create(form.front.task, form.front.params)
    body = lines[1:] if form.header else lines
    return [record for line in body for record in parse.process(Record(1, "a", 3.0, {"payload": line}))]


def test_a_header_names_columns_and_the_rows_their_types() -> None:
    """Numbers, texts, the device always a text, and when it was."""
    first, second = rows(b"device,time,t,label", b"007,1700000000,1.5,x", b"008,1700000001,,2")
    assert first.values == {"device": "007", "t": 1.5, "label": "x"}
    assert second.values == {"device": "008", "t": None, "label": "2"}
    assert (first.time, second.time) == (1700000000.0, 1700000001.0)


def test_the_key_s_column_is_a_text() -> None:
    """00 and 0 are two taxis."""
    assert rows(b"taxi,t", b"00,1", key="taxi")[0].values == {"taxi": "00", "t": 1}


def test_a_column_called_time_that_is_none_is_a_field() -> None:
    """Then the input's own time stands in."""
    (record,) = rows(b"device,time,t", b"a,soon,1")
    assert (record.values, record.time) == ({"device": "a", "time": "soon", "t": 1}, 3.0)


def test_names_are_made_fit_for_senml() -> None:
    """What can't stand in a SenML name becomes _, and a column of nothing else gets its number."""
    (record,) = rows('"Temperature (°C)",##,t'.encode(), b"1,2,3")
    assert record.values == {"Temperature_C": 1, "column1": 2, "t": 3}


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"1,2,3", "the first line of the CSV is no header"),
        (b"2013-01-14 00:00:00,a", "the first line of the CSV is no header"),
        (b"a,,b", "the first line of the CSV is no header"),
        (b"a,b,a", "the header has the column 'a' twice"),
    ],
)
def test_csv_without_a_header_needs_a_schema(head: bytes, said: str) -> None:
    """The error says so."""
    with pytest.raises(ConfigError, match=f"schema: {said}; say with a schema file"):
        rows(head, b"1,2,3")


def test_a_schema_file_names_columns_units_and_types(tmp_path: Path) -> None:
    """RIoTBench's three lines; a header in the data that says the same is no row."""
    schema = tmp_path / "schema.csv"
    schema.write_text("device,timestamp,t\nstring,timestamp,Cel\nsv,sv,v\n", encoding="utf-8")
    for lines in ([b"a,1700000000,1"], [b"device, timestamp,t", b"a,1700000000,1"]):
        (record,) = rows(*lines, schema=str(schema))
        assert (record.values, record.units, record.time) == (
            {"device": "a", "t": 1},
            {"device": "string", "t": "Cel"},
            1700000000.0,
        )


def test_a_schema_that_can_t_be_read_is_a_mistake(tmp_path: Path) -> None:
    """Named with its path."""
    with pytest.raises(ConfigError, match=r"nothing\.csv can't be read"):
        form_of("csv", [b"1"], schema=str(tmp_path / "nothing.csv"))


def test_rows_can_be_had_without_a_header() -> None:
    """For a task that reads them itself; a header that is there is passed over."""
    assert not form_of("csv", [b"1,2"], needed=False).header
    assert form_of("csv", [b"a,b", b"1,2"], needed=False).header
