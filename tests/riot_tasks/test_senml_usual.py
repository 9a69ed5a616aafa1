"""The quick way through usual packs says what the thorough one says, or nothing."""

import json
import re
from itertools import islice
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from riot_tasks import BadRecord, Record
from riot_tasks.senml.resolving import _thorough
from riot_tasks.senml.usual import read
from riotd.feeds import city, fit, grid, taxi

NOW = 1_700_000_000.0
TEXTS = ["8", "-12.5", "1e3", "-0", "+7", " 8", "nan", "inf", "1e400", "99999999999999999999", "0008", "x", "", "True"]
NUMBERS = st.one_of(
    st.sampled_from([0, -1, 2**63, 2**64, 1e300, -0.0, True, None]), st.floats(allow_nan=False), st.integers()
)
NAMES = st.sampled_from(["a", "b", "temperature", "urn:dev:x:", "_", "-a", "", 'a"v', "a b"])
STRINGS = st.sampled_from(["", "Cel", 'a"v":"b', "\\u0022", "°C", "x"])
LABELS: dict[str, st.SearchStrategy[Any]] = {
    "n": NAMES,
    "v": st.one_of(NUMBERS, st.sampled_from(TEXTS)),
    "u": STRINGS,
    "vs": STRINGS,
    "sv": st.one_of(STRINGS, NUMBERS),
    "vb": st.booleans(),
    "t": st.sampled_from([0, -1, "3"]),
    "bn": NAMES,
    "bt": st.sampled_from([NOW, 1422748800123, "1422748800123", -5, 0, 3e8, "x", 1e30]),
    "bu": STRINGS,
    "new": st.just({"v": "1"}),
    "new_": st.just(1),
    'a"v': st.just("1"),
}


GOOD_NAMES = st.sampled_from("abcdef")
GOOD_VALUES = st.one_of(st.integers(-9, 9), st.floats(-1e3, 1e3), st.sampled_from(["8", "-12.5", "1e3", "nan"]))


@st.composite
def entries(draw: st.DrawFn) -> str:
    """An entry as text: mostly usual, else with labels that are wrong, not known, or there twice."""
    pairs: list[tuple[str, Any]] = [("n", draw(GOOD_NAMES)), ("v", draw(GOOD_VALUES))]
    if draw(st.booleans()):
        pairs.append(("u", draw(STRINGS)))
    if draw(st.integers(0, 5)) == 0:
        odd = draw(st.lists(st.sampled_from(sorted(LABELS)), min_size=1, max_size=2))
        pairs = draw(st.permutations(pairs))[draw(st.integers(0, 1)) :] + [
            (label, draw(LABELS[label])) for label in odd
        ]
    blank = " " if draw(st.integers(0, 9)) == 0 else ""
    texts = [f"{json.dumps(label)}:{blank}{json.dumps(value)}" for label, value in draw(st.permutations(pairs))]
    return "{" + ",".join(texts) + "}"


@st.composite
def packs(draw: st.DrawFn) -> bytes:
    """Packs of both forms."""
    inner = ",".join(draw(st.lists(entries(), max_size=4)))
    if draw(st.booleans()):
        return f"[{inner}]".encode()
    outer = [f'"e":[{inner}]'] + [
        f'"{label}":{json.dumps(draw(LABELS[label]))}'
        for label in draw(st.sampled_from([("bt",), ("bt",), (), ("bt", "bn"), ("bt", "bt"), ("bu",)]))
    ]
    return ("{" + ",".join(draw(st.permutations(outer))) + "}").encode()


def thorough(payload: bytes, *, explode: bool) -> list[Record] | None:
    """What the thorough way gives; None where it refuses."""
    try:
        return _thorough(payload, 7, "dev7", NOW, explode=explode)
    except BadRecord:
        return None


def told(records: list[Record]) -> list[str]:
    """All that can be told apart: 8 and 8.0, 0.0 and -0.0, the order of fields."""
    return [repr(record) for record in records]


@given(payload=packs(), explode=st.booleans())
@example(payload=b'[{"n":"a","v":1,"x_":2},{"n":"b","v":"3"}]', explode=False)
@example(payload=b'{"e":[{"n":"a","v":"1","v":"2"},{"n":"b","v":3}],"bt":1422748800123}', explode=True)
@example(payload=b'[{"n":"a","v":"nan"}]', explode=False)
def test_it_says_the_same_or_nothing(*, payload: bytes, explode: bool) -> None:
    """Whatever the pack, records of the quick way are those of the thorough one, to the type of each value."""
    quick = read(payload, id=7, source="dev7", now=NOW, explode=explode)
    whole = thorough(payload, explode=explode)
    assert quick is None or (whole is not None and told(quick) == told(whole))


@pytest.mark.parametrize("explode", [False, True])
@pytest.mark.parametrize("form", ["rfc", "riotbench"])
@pytest.mark.parametrize("feed", [city, fit, grid, taxi])
def test_the_feeds_packs_are_usual(*, feed: Any, form: str, explode: bool) -> None:
    """Each pack of RIoTBench's data sets, of both forms, goes the quick way, and comes out as by the thorough one."""
    for _, pack in islice(feed(rate=100.0, form=form, gaps=0.05), 200):
        quick = read(pack, id=7, source="dev7", now=NOW, explode=explode)
        assert quick is not None
        assert told(quick) == told(_thorough(pack, 7, "dev7", NOW, explode=explode))


def test_an_unset_source_is_the_base_name() -> None:
    """Without a source of its own a record has the base name's, without what ends it."""
    (record,) = read(b'[{"bn":"urn:dev:x:","n":"a","v":1}]', id=7, source="", now=NOW, explode=False) or ()
    assert record.source == "urn:dev:x"


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"e":[]}', b"\xff", b"[" * 100_000, b'[{"n":"a"}]'])
def test_what_is_no_usual_pack_is_left(payload: bytes) -> None:
    """What is empty, broken or says nothing is left to the thorough way, which says why."""
    assert read(payload, id=7, source="", now=NOW, explode=False) is None


def test_blanks_are_left_to_the_thorough_way() -> None:
    """A number as text behind a blank can't be told from a label that is not known, and is not guessed at."""
    payload = b'[{"n": "a", "v": "1"}]'
    assert re.search(rb'"v":"', payload) is None
    assert read(payload, id=7, source="dev7", now=NOW, explode=False) is None
