"""What holds for every pack in CBOR: it says what it says in JSON; and any bytes are records or BadRecord."""

import json
from contextlib import suppress
from typing import Any

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from riot_tasks import BadRecord, Record, senml
from riot_tasks.senml.cbor import NUMBERS

NOW = 1_700_000_000.0
FIRST = "ABCXYZabcxyz0189"
REST = FIRST + "-:./_"

tails = st.text(REST, min_size=1, max_size=4)
names = st.builds("".join, st.tuples(st.sampled_from(FIRST), st.text(REST, max_size=3)))
floats = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
numbers = st.one_of(st.integers(-(2**63), 2**63 - 1), floats, st.integers(-9, 9))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
units = st.sampled_from(["", "Cel", "%RH", "°C", 'a"b'])
times = st.one_of(st.sampled_from([0, -5, -0.5, NOW, NOW + 1.5, 1422748800000]), st.floats(-1e6, 1e6))
values = st.one_of(
    st.fixed_dictionaries({"v": numbers}, optional={"s": numbers}),
    st.fixed_dictionaries({"vs": texts}),
    st.fixed_dictionaries({"vb": st.booleans()}),
    st.fixed_dictionaries({"vd": st.binary(max_size=5)}),
)
regular = st.fixed_dictionaries({"n": tails}, optional={"u": units, "t": times, "ut": st.integers(0, 99)})
bases = st.fixed_dictionaries({"bn": names}, optional={"bt": times, "bu": units, "bv": numbers, "bs": st.just(7)})


@st.composite
def packs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Packs with the labels of JSON and octets as bytes."""
    first = draw(bases) | draw(regular) | draw(values)
    return [first, *draw(st.lists(st.builds(lambda *parts: parts[0] | parts[1], regular, values), max_size=4))]


def in_cbor(pack: list[dict[str, Any]]) -> bytes:
    return cbor2.dumps([{NUMBERS[label]: value for label, value in entry.items()} for entry in pack])


def in_json(pack: list[dict[str, Any]]) -> bytes:
    return json.dumps(pack, default=senml.encoding.base64url).encode()


def read(payload: bytes) -> list[Record]:
    return senml.records(senml.from_cbor(payload), id=1, source="", now=NOW)


def outcome(payload: bytes) -> list[Record] | str:
    """What a pack in JSON says, or why it is refused."""
    try:
        return senml.records(payload, id=1, source="", now=NOW)
    except BadRecord as error:
        return str(error)


@given(packs())
def test_both_forms_say_the_same(pack: list[dict[str, Any]]) -> None:
    """A pack gives the same records, or the same reason, in CBOR and in JSON."""
    assert outcome(senml.from_cbor(in_cbor(pack))) == outcome(in_json(pack))


records = st.builds(
    Record,
    st.just(1),
    names,
    st.floats(NOW - 1e6, NOW + 1e6),
    st.dictionaries(tails, st.one_of(numbers, texts, st.booleans(), st.binary(max_size=5)), min_size=1, max_size=5),
    st.dictionaries(tails, st.sampled_from(["Cel", "%RH"]), max_size=3),
)


def _known_units(record: Record) -> dict[str, str]:
    return {name: unit for name, unit in record.units.items() if name in record.values}


@given(records)
def test_nothing_is_lost_in_compact_packs(record: Record) -> None:
    """A record written in CBOR is read as that record."""
    whole = Record(1, record.source, record.time, record.values, _known_units(record), {"bn": record.source + ":"})
    again = senml.records(senml.from_cbor(senml.encode_record_cbor(record)), id=1, source=record.source, now=0.0)
    assert again == [whole]
    assert list(map(type, again[0].values.values())) == list(map(type, whole.values.values()))


@given(packs())
def test_nothing_is_lost_by_resolving(pack: list[dict[str, Any]]) -> None:
    """Resolved packs in CBOR and JSON say the same."""
    found = outcome(in_json(pack))
    if isinstance(found, list):
        resolved = senml.from_cbor(senml.encode_cbor(found))
        assert senml.decode(resolved, now=0.0) == senml.decode(senml.encode(found), now=0.0)


def tried(payload: bytes) -> None:
    with suppress(BadRecord):
        read(payload)


@given(st.binary(max_size=60))
@example(b"\xc4\x82\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00\x00")
@example(b"\x81\xa1\xf9\x7e\x00\x00")
@example(b"\x5f\x41a")
def test_any_bytes(payload: bytes) -> None:
    """Any bytes are records or BadRecord, nothing else."""
    tried(payload)
    tried(b"\x81\xa2\x00\x61a\x02" + payload)


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.floats(), texts, st.integers(), st.binary(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.integers(-7, 9), st.sampled_from(["n", "x_", "new"])), inner, max_size=4),
        st.builds(cbor2.CBORTag, st.sampled_from([0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 258, 261, 999]), inner),
    ),
    max_leaves=6,
)


@given(st.lists(anything, max_size=3))
def test_any_cbor(data: list[Any]) -> None:
    """Any CBOR, with labels of SenML and tags of every kind, is records or BadRecord."""
    tried(cbor2.dumps(data))
    tried(cbor2.dumps([{0: "a"} | ({2: data[0]} if data else {})]))


@given(packs(), st.data())
def test_damaged_packs(pack: list[dict[str, Any]], data: st.DataObject) -> None:
    """A pack cut short is refused; one with a byte changed is records or BadRecord."""
    payload = bytearray(in_cbor(pack))
    at = data.draw(st.integers(0, len(payload) - 1))
    with pytest.raises(BadRecord):
        read(bytes(payload[:at]))
    payload[at] = data.draw(st.integers(0, 255))
    tried(bytes(payload))
