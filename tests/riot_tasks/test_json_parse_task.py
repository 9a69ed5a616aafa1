"""`json_parse`: objects in JSON into records."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks import BadRecord, Record, Value
from riot_tasks.parse.json_parse import MAX_DEPTH, JsonParse
from riot_tasks.testing import check_task

TICK = b'{"n":3,"time":1700000060.5,"rowstart":1700000000000,"rowend":1700000060000,"missed":0}'


def _raw(payload: Value) -> Record:
    return Record(7, "dev7", 5.0, {"payload": payload}, {}, {"origin": "gate"})


def _parsed(payload: Value, **params: Any) -> Record:
    (record,) = JsonParse(**params).process(_raw(payload))
    return record


def test_a_tick_of_a_timer() -> None:
    """A tick becomes a record that `table_range` can take its stretch of time from; id, source and meta are kept."""
    values = {"n": 3, "rowstart": 1_700_000_000_000, "rowend": 1_700_000_060_000, "missed": 0}
    assert _parsed(TICK, timestamp="time") == Record(7, "dev7", 1_700_000_060.5, values, {}, {"origin": "gate"})


def test_kinds_of_values() -> None:
    """Numbers stay whole or not, texts, true, false and null are what they are."""
    found = _parsed('{"a": 1, "b": 1.0, "c": "x", "d": true, "e": false, "f": null, "g": ""}').values
    assert found == {"a": 1, "b": 1.0, "c": "x", "d": True, "e": False, "f": None, "g": ""}
    assert [type(value).__name__ for value in found.values()] == [
        "int",
        "float",
        "str",
        "bool",
        "bool",
        "NoneType",
        "str",
    ]


def test_objects_within() -> None:
    """Fields of an object within another have both names, however deep; an empty one has none."""
    assert _parsed(b'{"a": {"b": {"c": 1}, "d": 2}, "e": {}}').values == {"a.b.c": 1, "a.d": 2}


def test_who_and_when() -> None:
    """The fields that say who and when become the record's source and time, from whatever depth, and are no values."""
    record = _parsed(b'{"dev": {"id": 12}, "at": "2015-02-01T00:00:00Z", "t": 8}', source="dev.id", timestamp="at")
    assert (record.source, record.time, record.values) == ("12", 1422748800.0, {"t": 8})


def test_only_some_fields() -> None:
    """Of the listed fields, those that are there are taken; lists in others do no harm."""
    payload = b'{"id": "a", "t": 8, "tags": [1], "air": {"h": 50, "x": [2]}}'
    record = _parsed(payload, fields=["t", "air.h", "none"], source="id", units={"t": "Cel", "none": "lx"})
    assert (record.source, record.values, record.units) == ("a", {"t": 8, "air.h": 50}, {"t": "Cel"})


def test_lists_are_ignored_on_demand() -> None:
    """Lists are left out where the parameters say so."""
    assert _parsed(b'{"t": 8, "tags": ["a"], "path": {"points": [{"x": 1}]}}', arrays="ignore").values == {"t": 8}


def test_wide_integers_become_doubles() -> None:
    """An integer of more than 64 bits is a double, since it could not travel otherwise."""
    assert _parsed(f'{{"a": {2**63 - 1}, "b": {2**64}}}').values == {"a": 2**63 - 1, "b": float(2**64)}


@pytest.mark.parametrize(
    ("params", "payload", "reason"),
    [
        ({}, None, "field 'payload': missing"),
        ({}, 5, "field 'payload': a int, not bytes or text"),
        ({"max_bytes": 4}, b'{"a":1}', r"a message of 7 bytes: the limit is 4 \(max_bytes\)"),
        ({}, b"", "no object in JSON"),
        ({}, b"[1]", r"no object in JSON: .*begins with b'\[1\]'"),
        ({}, b"21.5", "no object in JSON"),
        ({}, b'{"a":1', "no object in JSON"),
        ({}, b'{"a":NaN}', "no object in JSON"),
        ({}, b'{"a":1e400}', "no object in JSON"),
        ({}, b'{"a":"\xff"}', "no object in JSON"),
        ({}, b'{"a":"\\ud800"}', "no object in JSON"),
        ({}, b'{"a":1} {"b":2}', "no object in JSON"),
        (
            {},
            b"2,0,20,10 ... [line 3 of the timer file: rowend: must be after]",
            "no object in JSON: .*line 3 of the timer",
        ),
        ({}, b'{"a":' * 100_000, "more than 50 objects within each other"),
        ({}, b'{"a":' * 60 + b"1" + b"}" * 60, "more than 50 objects within each other"),
        ({}, b"{}", "the object has no field to take"),
        ({"fields": ["t"]}, b'{"u":1}', "the object has no field to take"),
        ({"source": "id"}, b'{"id":"a"}', "the object has no field to take"),
        ({}, b'{"t":1,"tags":[]}', "'tags': is a list; leave it out of fields, or say arrays: ignore"),
        ({}, b'{"a.b":1,"a":{"b":2}}', "'a.b': stands twice"),
        ({"source": "id"}, b'{"t":1}', "id: says who, and is missing"),
        ({"source": "id"}, b'{"id":"","t":1}', "id: says who, and is ''"),
        ({"source": "id"}, b'{"id":true,"t":1}', "id: says who, and is True"),
        ({"timestamp": "at"}, b'{"t":1}', "at: None is neither a Unix time nor a date and time"),
        ({"timestamp": "at"}, b'{"at":"noon","t":1}', "at: 'noon' is neither a Unix time"),
        ({}, b'{"a":1' + b"0" * 400 + b"}", "no object in JSON: |'a': the number is larger than any double"),
    ],
)
def test_what_does_not_fit_is_refused(params: dict[str, Any], payload: Value, reason: str) -> None:
    """A dead letter's reason says which field, and what is wrong with it."""
    with pytest.raises(BadRecord, match=reason):
        list(JsonParse(**params).process(_raw(payload)))


def test_as_deep_as_may_be() -> None:
    """Objects within each other are read up to the limit."""
    payload = '{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1)
    assert list(_parsed(payload).values.values()) == [1]


_plain = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), _plain | st.text(st.characters(codec="utf-8")), min_size=1)
)
def test_what_json_says_is_what_the_record_has(data: dict[str, Value]) -> None:
    """Any flat object comes out as it went in, as bytes and as text."""
    text = json.dumps(data)
    assert _parsed(text).values == _parsed(text.encode()).values == data


@given(st.binary(max_size=100) | st.text(max_size=100))
def test_anything_else_is_refused(payload: bytes | str) -> None:
    """Whatever comes is a record or a BadRecord."""
    try:
        record = _parsed(payload, arrays="ignore")
    except BadRecord:
        return
    assert record.values


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fields": []}, "fields: .* is no list of different field names"),
        ({"fields": "t"}, "fields: 't' is no list"),
        ({"source": ""}, "source: must be a field's name"),
        ({"timestamp": 5}, "timestamp: must be a field's name"),
        ({"source": "a", "timestamp": "a"}, "timestamp: 'a' says who already"),
        ({"units": ["Cel"]}, "units: must be units by fields"),
        ({"units": {"t": 5}}, "units: must be units by fields"),
        ({"arrays": "keep"}, "arrays: must be 'refuse' or 'ignore'"),
        ({"field": ""}, "field: must be a field's name"),
        ({"max_bytes": 0}, "max_bytes: must be a whole number from 2"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        JsonParse(**params)


def test_it_keeps_the_contract() -> None:
    """It passes the public battery, with and without fields."""
    records = [
        Record(
            number, "", 0.0, {"payload": f'{{"id":"dev{number % 3}","at":{number},"a":{{"t":{number / 3}}}}}'.encode()}
        )
        for number in range(10)
    ]
    check_task(
        JsonParse, [({}, records), ({"fields": ["a.t"], "source": "id", "timestamp": "at"}, records)], records=1000
    )
