"""`json_parse`: objects into records of their members."""

from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Value
from riot_tasks.parse.json_parse import JsonParse
from riot_tasks.testing import check_task

TICK = b'{"n":3,"time":1422749800.5,"rowstart":1422748800000,"rowend":1422749800000,"missed":0}'


def _raw(payload: Value) -> Record:
    return Record(7, "city", 5.0, {"payload": payload}, {"payload": "x"}, {"origin": "gate"})


def _out(payload: Value, **params: Any) -> dict[str, Value]:
    (record,) = JsonParse(**params).process(_raw(payload))
    return dict(record.values)


def test_a_timer_s_tick() -> None:
    """Each member is a field, the timestamp is the time; id, source and meta stay, units do not."""
    (record,) = JsonParse(timestamp="time").process(_raw(TICK))
    values = {"n": 3, "rowstart": 1422748800000, "rowend": 1422749800000, "missed": 0}
    assert record == Record(7, "city", 1422749800.5, values, {}, {"origin": "gate"})


def test_values_stay_what_they_are() -> None:
    """Texts, numbers, true, false and null are fields as they are; what is nested is its JSON, in the shortest form."""
    payload = b'{"text":"a","whole":1,"real":1.5,"yes":true,"none":null,"list":[1, {"a": "\xc3\xa9"}],"within":{ }}'
    assert _out(payload) == {
        "text": "a",
        "whole": 1,
        "real": 1.5,
        "yes": True,
        "none": None,
        "list": '[1,{"a":"é"}]',
        "within": "{}",
    }


def test_text_is_as_good_as_bytes() -> None:
    """An object that is text already gives the same record."""
    assert _out(TICK.decode()) == _out(TICK)


def test_only_what_is_wanted() -> None:
    """With `fields` these are the record's, in that order, and one that is not there refuses the object."""
    assert list(_out(TICK, fields=["rowend", "rowstart"])) == ["rowend", "rowstart"]
    with pytest.raises(BadRecord, match=r"^rows: the object lacks it"):
        _out(TICK, fields=["rows"])


@pytest.mark.parametrize("when", ["1422749800", "1422749800000", '"2015-02-01T00:16:40Z"', '"1422749800"'])
def test_the_time_in_many_forms(when: str) -> None:
    """A Unix time of any unit and a date and time mean the same instant."""
    (record,) = JsonParse(timestamp="at").process(_raw(f'{{"at":{when},"n":1}}'))
    assert (record.time, record.values) == (1422749800.0, {"n": 1})


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (None, "field 'payload': missing"),
        (5.0, "field 'payload': a float, not bytes or text"),
        (b"", "not JSON"),
        (b"3,1443033240,oops,1422756000000 ... [line 4 of the timer file: rowstart: must be]", "not JSON"),
        (b'{"time":1,"a":1e400}', "not JSON"),
        (b"[1]", r"not an object with members, but \[1\]"),
        (b"{}", "not an object with members"),
        (b'{"n":1}', "time: the object lacks it"),
        (b'{"time":"soon"}', "time: 'soon' is neither a Unix time"),
        (b'{"time":true}', "time: True is neither a Unix time"),
        (b'{"time":1,"a":' + b"[" * 1000 + b"]" * 1000 + b"}", "a: Recursion limit"),
        (b'{"time":1,"a":"' + b"x" * 200 + b'"}', "an object of 217 bytes"),
    ],
)
def test_what_is_refused(payload: Value, said: str) -> None:
    """What is no object, too long, or lacks its time, is a dead letter that says why."""
    most = 2500 if isinstance(payload, bytes) and b"[[" in payload else 200
    with pytest.raises(BadRecord, match=f"^{said}"):
        _out(payload, timestamp="time", max_bytes=most)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"field": ""}, "field: must be a field's name"),
        ({"fields": []}, "fields: "),
        ({"timestamp": 5}, "timestamp: must be a field's name"),
        ({"max_bytes": 1}, "max_bytes: must be a whole number"),
    ],
)
def test_wrong_parameters(params: dict[str, Any], said: str) -> None:
    """A parameter that can't be is refused with what it must be."""
    with pytest.raises(ValueError, match=f"^{said}"):
        JsonParse(**params)


def test_it_keeps_the_contract() -> None:
    """The task passes the public battery."""
    records = [Record(n, "city", float(n), {"payload": TICK.replace(b":3,", b":%d," % n)}) for n in range(5)]
    check_task(JsonParse, [({}, [*records, _raw(b"{")]), ({"timestamp": "time", "fields": ["n"]}, records)])
