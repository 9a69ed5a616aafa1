"""The format `raw`: what a record's only field holds, as it is, for payloads that a stage has made itself."""

import pytest

from riot_tasks import BadRecord, Record, Value
from riotd.dataflow import Outlet, Plan, Stage
from riotd.formats import encode_raw
from riotd.messages import Portion
from riotd.shard import Shard


@pytest.mark.parametrize(
    ("value", "payload"), [(b"\x00\xff", b"\x00\xff"), ("é", b"\xc3\xa9"), ("\ud800", b"?"), ("", b"")]
)
def test_bytes_and_texts_are_payloads(value: Value, payload: bytes) -> None:
    """Bytes go out as they are, a text in UTF-8."""
    assert encode_raw(Record(1, "dev7", 0.0, {"payload": value}, {}, {"any": "meta"})) == payload


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "raw is of records of one field, this one has 0"),
        ({"a": b"x", "b": b"y"}, "raw is of records of one field, this one has 2"),
        ({"a": 5.0}, "a: raw is of bytes and text, this is a float"),
        ({"a": None}, "a: raw is of bytes and text, this is a NoneType"),
    ],
)
def test_what_is_no_payload(values: dict[str, Value], said: str) -> None:
    """A record of several fields, or of a number, is refused with the reason."""
    with pytest.raises(BadRecord, match=f"^{said}$"):
        encode_raw(Record(1, "dev7", 0.0, values))


def test_a_sink_gets_what_came_in() -> None:
    """Messages that no stage has changed leave with the payload they came with."""
    shard = Shard(Plan((Stage("pass", "noop"),), (Outlet("out", ("pass",), "raw"),)))
    outcome = shard.run(Portion(0, 1.0, [5], ["dev7"], [b"anything"]))
    assert [result.payload for result in outcome.results] == [b"anything"]
