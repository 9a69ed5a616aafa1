"""`senml_parse`: raw messages into records."""

import json
from pathlib import Path

import cbor2
import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.parse.senml_parse import SenmlParse
from riot_tasks.testing import check_task

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/riotbench-data"
PACK = b'[{"bn":"urn:dev:7:","bt":1700000000.5,"n":"temperature","u":"Cel","v":12.6},{"n":"door","vb":true}]'
CBOR = cbor2.dumps([
    {-2: "urn:dev:7:", -3: 1700000000.5, 0: "temperature", 1: "Cel", 2: 12.6},
    {0: "door", 4: True},
])
DRAFT = b'{"e":[{"v":"8","u":"far","n":"temperature"},{"sv":"x1","n":"source"}],"bt":"1422748800000"}'


def raw(payload: Value, *, field: str = "payload") -> Record:
    return Record(7, "dev7", 1_700_000_001.0, {field: payload})


def test_a_pack_becomes_a_record() -> None:
    """The record keeps id and source of the message, and has the time of the pack."""
    expected = Record(
        7, "dev7", 1_700_000_000.5, {"temperature": 12.6, "door": True}, {"temperature": "Cel"}, {"bn": "urn:dev:7:"}
    )
    assert list(SenmlParse().process(raw(PACK))) == [expected]
    assert list(SenmlParse().process(raw(PACK.decode()))) == [expected]
    assert list(SenmlParse().process(raw(CBOR))) == [expected]


def test_exploded() -> None:
    """With `explode` every observation is a record of its own."""
    assert [record.values for record in SenmlParse(explode=True).process(raw(PACK))] == [
        {"temperature": 12.6},
        {"door": True},
    ]


@pytest.mark.parametrize("explode", [False, True])
def test_what_describes_a_message(explode: bool) -> None:  # noqa: FBT001 - a mode of the task
    """Entries of `meta` are no values: all records of the pack have them in their meta, as text."""
    pack = [*json.loads(PACK), {"n": "msgid", "vs": "17"}, {"n": "batch", "v": 8, "u": "count"}]
    found = list(SenmlParse(explode=explode, meta=["msgid", "batch", "other"]).process(raw(json.dumps(pack))))
    assert [record.meta for record in found] == [{"bn": "urn:dev:7:", "msgid": "17", "batch": "8"}] * (1 + explode)
    plain = SenmlParse(explode=explode).process(raw(PACK))
    assert [(each.values, each.units) for each in found] == [(each.values, each.units) for each in plain]


@pytest.mark.parametrize("explode", [False, True])
@pytest.mark.parametrize("usual", [False, True])
def test_a_usual_pack_is_described_likewise(explode: bool, usual: bool) -> None:  # noqa: FBT001 - modes of the task
    """Nearly all packs are read in one go: what describes them is no value there either."""
    entries = [
        {"n": "id", "sv": "dev7"},
        {"n": "a", "u": "m", "v": 1.5},
        {"n": "b", "v": 2, **({} if usual else {"s": 3})},
    ]
    task = SenmlParse(explode=explode, meta=["id"])
    found = list(task.process(raw(json.dumps({"e": entries, "bt": 1422748800000}))))
    assert {name for record in found for name in record.values} >= {"a", "b"}
    assert all("id" not in record.values | record.units and record.meta == {"id": "dev7"} for record in found)


def test_a_pack_of_nothing_but_description_gives_nothing() -> None:
    """Where no value is left there is no record."""
    assert list(SenmlParse(meta=["id"]).process(raw(b'[{"n":"id","vs":"dev7"}]'))) == []


def test_relative_times_count_from_the_receipt() -> None:
    """A time relative to now is relative to the time of the raw record."""
    (record,) = SenmlParse().process(raw(b'[{"n":"a","t":-60,"v":1}]'))
    assert record.time == 1_700_000_001.0 - 60


def test_another_field() -> None:
    """The pack may be in any field, as bytes or text."""
    (record,) = SenmlParse(field="body").process(raw(DRAFT, field="body"))
    assert (record.time, record.values) == (1422748800.0, {"temperature": 8, "source": "x1"})


@pytest.mark.parametrize("payload", [PACK, CBOR, DRAFT])
def test_the_form_may_be_fixed(payload: bytes) -> None:
    """With its own `format` a pack is read as with `auto`, with the other one it is refused."""
    own, other = ("cbor", "json") if payload is CBOR else ("json", "cbor")
    assert list(SenmlParse(format=own).process(raw(payload))) == list(SenmlParse().process(raw(payload)))
    with pytest.raises(BadRecord, match=r"^not (JSON|CBOR): "):
        SenmlParse(format=other).process(raw(payload))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (raw(PACK, field="body"), "field 'payload': missing"),
        (raw(None), "field 'payload': missing"),
        (raw(12), "field 'payload': a int, not bytes or text"),
        (raw("\ud800"), "not JSON"),
        (raw(b" " * 10_000_000), "a pack of 10000000 bytes: the limit is 1048576"),
    ],
)
def test_what_is_no_pack(record: Record, said: str) -> None:
    """A missing payload, one of another type, and one too long are refused with the reason."""
    with pytest.raises(BadRecord, match=said):
        SenmlParse().process(record)


def test_max_bytes_is_the_longest_pack_taken() -> None:
    """A pack of exactly `max_bytes` passes."""
    assert list(SenmlParse(max_bytes=len(PACK)).process(raw(PACK)))
    with pytest.raises(BadRecord, match="the limit is"):
        SenmlParse(max_bytes=len(PACK) - 1).process(raw(PACK))


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"explode": "yes"}, "explode: "),
        ({"field": ""}, "field: "),
        ({"format": "xml"}, "format: must be 'auto' or 'json' or 'cbor'"),
        ({"max_bytes": 1}, "max_bytes: must be a whole"),
    ],
)
def test_wrong_parameters(params: dict[str, object], said: str) -> None:
    """A parameter that can't be is refused with what it must be."""
    with pytest.raises(ValueError, match=said):
        SenmlParse(**params)  # type: ignore[arg-type]


def test_keeps_the_contract() -> None:
    """The task passes the public battery."""
    inputs = [raw(PACK), raw(CBOR), raw(DRAFT), raw(PACK.decode()), raw(b"[]"), raw(b'[{"n":"a","v":1e400}]'), raw(b"")]
    check_task(SenmlParse, [({}, inputs), ({"explode": True, "max_bytes": 100}, inputs)])


@pytest.mark.parametrize(("name", "fields"), [("SYS", 8), ("TAXI", 16), ("FIT", 25)])
def test_the_samples_of_riotbench(name: str, fields: int) -> None:
    """Every row of RIoTBench's samples is one record with the row's time and all its values, numbers as numbers."""
    path = SAMPLES / f"{name}_sample_data_senml.csv"
    if not path.exists():
        pytest.skip("RIoTBench's samples are not there")
    for line in path.read_text().splitlines():
        stamp, _, pack = line.partition(",")
        (record,) = SenmlParse().process(raw(pack))
        entries = json.loads(pack)["e"]
        assert record.time == int(stamp) / 1000
        assert record.values == {entry["n"]: float(entry["v"]) if "v" in entry else entry["sv"] for entry in entries}
        assert record.units == {entry["n"]: entry["u"] for entry in entries}
        assert len(record.values) == fields
