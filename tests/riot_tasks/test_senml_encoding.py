"""Records written as packs."""

import json
from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Value, senml

AT = 1_700_000_000.5


def record(values: dict[str, Value], *, source: str = "dev7", time: float = AT, **more: Any) -> Record:
    return Record(1, source, time, values, **more)


def test_a_compact_pack_to_the_byte() -> None:
    """The compact pack has base name and base time in its first entry, then name, unit and value."""
    one = record({"temperature": 12.6}, units={"temperature": "Cel"}, meta={"bn": "urn:dev:ow:10e2073a01080063:"})
    assert senml.encode_record(one) == (
        b'[{"bn":"urn:dev:ow:10e2073a01080063:","bt":1700000000.5,"n":"temperature","u":"Cel","v":12.6}]'
    )


def test_without_a_base_name_the_source_is_it() -> None:
    """The source and a colon are the base name of a record that has none; without a source there is none."""
    assert senml.encode_record(record({"x": 1})) == b'[{"bn":"dev7:","bt":1700000000.5,"n":"x","v":1}]'
    assert senml.encode_record(record({"x": 1}, source="")) == b'[{"bt":1700000000.5,"n":"x","v":1}]'


def test_every_type_of_value() -> None:
    """Each type of value has its label; data is base64url without padding."""
    values: dict[str, Value] = {"a": 1, "b": 0.5, "c": "null", "d": True, "e": b"hi \n", "f": None}
    assert json.loads(senml.encode_record(record(values))) == [
        {"bn": "dev7:", "bt": AT, "n": "a", "v": 1},
        {"n": "b", "v": 0.5},
        {"n": "c", "vs": "null"},
        {"n": "d", "vb": True},
        {"n": "e", "vd": "aGkgCg"},
    ]


def test_base_fields_stand_in_the_first_entry_written() -> None:
    """A None in front is left out, and the next entry has the base fields."""
    assert json.loads(senml.encode_record(record({"a": None, "b": 2}))) == [{"bn": "dev7:", "bt": AT, "n": "b", "v": 2}]


def test_sums_and_update_times() -> None:
    """A sum goes back into the entry of its value, or into one of its own; the update time into every entry."""
    meter = record(
        {"power": 5, "power#sum": 12.5, "energy#sum": 9}, units={"power": "W", "energy": "J"}, meta={"ut": "60"}
    )
    assert json.loads(senml.encode_record(meter)) == [
        {"bn": "dev7:", "bt": AT, "n": "power", "u": "W", "v": 5, "s": 12.5, "ut": 60},
        {"n": "energy", "u": "J", "s": 9, "ut": 60},
    ]


def test_a_field_called_like_the_base_name_has_no_local_name() -> None:
    """What came without a name goes without one."""
    pack = b'[{"bn":"urn:dev:1","bt":1700000000.5,"v":21.2}]'
    assert [senml.encode_record(one) for one in senml.records(pack, id=1, source="", now=0.0)] == [pack]


def test_wide_integers_become_doubles() -> None:
    """Integers of 64 bits are written in full, wider ones as doubles."""
    assert json.loads(senml.encode_record(record({"a": 2**53 + 1, "b": 10**30}))) == [
        {"bn": "dev7:", "bt": AT, "n": "a", "v": 2**53 + 1},
        {"n": "b", "v": 1e30},
    ]


def test_a_resolved_pack() -> None:
    """A resolved pack has whole names and times in every entry, in chronological order, and no base fields."""
    late, early = record({"x": 2, "y": "on"}, units={"x": "V"}, time=AT + 1), record({"x": 1}, source="dev8")
    assert json.loads(senml.encode([late, early])) == [
        {"n": "dev8:x", "t": AT, "v": 1},
        {"n": "dev7:x", "t": AT + 1, "u": "V", "v": 2},
        {"n": "dev7:y", "t": AT + 1, "vs": "on"},
    ]


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (record({}), "no field has a value"),
        (record({"a": None}), "no field has a value"),
        (record({"a": float("nan")}), "field 'a': the number is not finite"),
        (record({"a": 1, "b": float("-inf")}), "field 'b': the number is not finite"),
        (record({"a": 10**400}), "field 'a': the number is larger than any double"),
        (record({"a#sum": "x"}), "field 'a#sum': a str can't be said in SenML"),
        (record({"a b": 1}), "field 'a b' is no SenML name"),
        (record({"": 1}), "field '' is no SenML name"),
        (record({"-a": 1}, source=""), "field '-a' is no SenML name"),
        (record({"a": 1}, source="room 5"), "base name 'room 5:' is no SenML name"),
        (record({"a": "\ud800"}), "can't be said in JSON"),
        (record({"a": 1}, time=5.0), "time 5.0 can't be said in SenML"),
        (record({"a": 1}, time=float("nan")), "time nan can't be said in SenML"),
        (record({"a": 1}, time=1e12), "time 1000000000000.0 can't be said in SenML"),
        (record({"a": 1}, meta={"ut": "soon"}), "meta ut: 'soon' is not a number"),
    ],
)
def test_what_senml_cannot_say(refused: Record, said: str) -> None:
    """What has no place in SenML is refused with the field and the reason, in compact and in resolved packs."""
    with pytest.raises(BadRecord, match=said):
        senml.encode_record(refused)
    with pytest.raises(BadRecord, match=said):
        senml.encode([refused])
