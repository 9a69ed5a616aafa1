"""What holds for every pack: nothing but records or BadRecord, and nothing lost on the way there and back."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from riot_tasks import BadRecord, Record, senml
from riot_tasks.senml.wire import Entry

NOW = 1_700_000_000.0
FIRST = "ABCXYZabcxyz0189"
REST = FIRST + "-:./_"

Entries = list[dict[str, Any]]

tails = st.text(REST, min_size=1, max_size=4)
names = st.builds("".join, st.tuples(st.sampled_from(FIRST), st.text(REST, max_size=3)))
units = st.sampled_from(["", "Cel", "%RH", 'a"b', "m/s2", "°C", "ends_"])
numbers = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300),
    st.integers(-9, 9),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
octets = st.binary(max_size=5).map(lambda data: urlsafe_b64encode(data).rstrip(b"=").decode())
times = st.one_of(st.sampled_from([0, -5, -0.5, 1, NOW, NOW + 1.5, 1422748800000]), st.floats(-1e6, 1e6))
said = st.one_of(
    st.fixed_dictionaries({"v": numbers}, optional={"s": numbers}),
    st.fixed_dictionaries({"s": numbers}),
    st.fixed_dictionaries({"vs": texts}),
    st.fixed_dictionaries({"vb": st.booleans()}),
    st.fixed_dictionaries({"vd": octets}),
)
regular = st.fixed_dictionaries({}, optional={"u": units, "t": times, "ut": st.integers(0, 99)})
bases = st.fixed_dictionaries(
    {},
    optional={
        "bn": st.one_of(names, st.just("")),
        "bt": times,
        "bu": units,
        "bv": st.integers(-99, 99),
        "bs": st.just(7),
    },
)


@st.composite
def packs(draw: st.DrawFn) -> Entries:
    """Valid packs: every name is whole, or there is a base name before it."""
    entries, base = [], ""
    for _ in range(draw(st.integers(1, 5))):
        entry = draw(st.one_of(st.just({}), bases)) | draw(regular) | draw(said)
        base = entry.get("bn", base)
        if not base or draw(st.booleans()):
            entry["n"] = draw(tails if base else names)
        order = draw(st.permutations(sorted(entry)))
        entries.append({label: entry[label] for label in order})
    return entries


plain_packs = st.builds(
    lambda base, fields: [base | fields[0], *fields[1:]],
    st.fixed_dictionaries({"bn": names, "bt": st.just(NOW)}),
    st.lists(st.fixed_dictionaries({"n": tails, "v": numbers}, optional={"u": units}), min_size=1, max_size=5),
)


def written(entries: Entries, *, ascii_only: bool = True) -> bytes:
    return json.dumps(entries, ensure_ascii=ascii_only).encode()


def parsed(payload: bytes, *, explode: bool = False) -> list[Record]:
    return senml.records(payload, id=1, source="", now=NOW, explode=explode)


def tried(payload: bytes) -> None:
    """Read a payload both ways; both refuse it, or neither."""
    try:
        observations = senml.decode(payload, now=NOW)
    except BadRecord:
        with pytest.raises(BadRecord):
            parsed(payload)
    else:
        assert sum(len(record.values) for record in parsed(payload)) >= len(observations)


@given(st.binary(max_size=40))
@example(b"\xff\xfe[")
@example(b"\xef\xbb\xbf[]")
@example(b'[{"n":"a","v":"\\ud800"}]')
@example(b'[{"n":"a","v":' + b"1" * 5000 + b"}]")
def test_any_bytes(payload: bytes) -> None:
    """Any bytes are records or BadRecord, nothing else."""
    tried(payload)


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts, st.integers(), st.just("1e999"), st.just(10**400)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("nvx_"), inner, max_size=2)),
    max_leaves=4,
)
labels = st.sampled_from([*Entry.__struct_fields__, "e", "ver", "x", "x_"])


@given(st.one_of(st.lists(st.dictionaries(labels, anything, max_size=4), max_size=3), anything))
def test_any_json(data: Any) -> None:
    """Any JSON with labels of SenML, of any type, is records or BadRecord; so is the draft form."""
    tried(json.dumps(data).encode())
    tried(json.dumps({"e": data, "bt": NOW}).encode())


@given(packs(), st.data())
def test_damaged_packs(entries: Entries, data: st.DataObject) -> None:
    """A pack with a byte changed, or cut short, is records or BadRecord."""
    payload = bytearray(written(entries))
    at = data.draw(st.integers(0, len(payload) - 1))
    tried(bytes(payload[:at]))
    payload[at] = data.draw(st.integers(0, 255))
    tried(bytes(payload))


@given(entries=packs(), ascii_only=st.booleans())
def test_nothing_is_lost_by_resolving(*, entries: Entries, ascii_only: bool) -> None:
    """What a pack says and what its records say, written as a resolved pack, is the same, in chronological order."""
    payload = written(entries, ascii_only=ascii_only)
    observations = senml.decode(payload, now=NOW)
    resolved = senml.encode(parsed(payload))
    assert senml.decode(resolved, now=0.0) == sorted(observations, key=lambda each: each.time)


@given(packs())
def test_resolving_is_idempotent(entries: Entries) -> None:
    """A resolved pack resolves to itself, byte by byte, at any time."""
    resolved = senml.encode(parsed(written(entries)))
    assert senml.encode(senml.records(resolved, id=1, source="", now=0.0)) == resolved


@given(packs())
def test_nothing_is_lost_in_compact_packs(entries: Entries) -> None:
    """A record written as a compact pack is read as that record."""
    for record in parsed(written(entries)):
        assert parsed(senml.encode_record(record)) == [record]


@given(packs())
def test_exploding_only_splits(entries: Entries) -> None:
    """Exploded records and whole ones say the same observations in the same order."""
    payload = written(entries)
    whole = [(record.time, field, value) for record in parsed(payload) for field, value in record.values.items()]
    split = [
        (record.time, field, value)
        for record in parsed(payload, explode=True)
        for field, value in record.values.items()
    ]
    assert split == whole


@given(plain_packs)
def test_the_quick_way_and_the_general_way_agree(entries: Entries) -> None:
    """A plain pack gives the records it gives with a label that nobody knows, and with one value as text."""
    payload = written(entries)
    assert parsed(payload) == parsed(written([{**entries[0], "new": 1}, *entries[1:]]))
    assert parsed(payload) == parsed(written([*entries[:-1], {**entries[-1], "v": repr(entries[-1]["v"])}]))


@given(packs(), st.data())
def test_a_label_given_twice_is_always_found(entries: Entries, data: st.DataObject) -> None:
    """Whatever the pack, a label repeated anywhere in an entry, spaced or escaped, is found."""
    at = data.draw(st.integers(0, len(entries) - 1))
    label = data.draw(st.sampled_from(sorted(entries[at])))
    spelled = data.draw(st.sampled_from([f'"{label}":', f'"{label}" \t:', f'"\\u{ord(label[0]):04x}{label[1:]}":']))
    parts = [json.dumps(entry) for entry in entries]
    parts[at] = f"{{{spelled}{json.dumps(entries[at][label])},{parts[at][1:]}"
    with pytest.raises(BadRecord, match=f"entry {at}: '{label}': the label stands twice"):
        parsed(f"[{','.join(parts)}]".encode())
