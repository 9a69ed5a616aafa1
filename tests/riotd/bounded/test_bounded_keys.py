"""Whose line is it: found quickly, and never wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks import senml
from riotd import feeds
from riotd.bounded.keys import SEVERAL, device, keys_of

DRAFT = '{"e":[{"u":"string","n":"source","sv":"dev7"},{"v":"20.5","n":"t"}],"bt":1700000000000}'


def key(line: str, form: str = "senml", field: str | None = None, columns: tuple[str, ...] = ()) -> str:
    """The key of one line."""
    return keys_of(form, field, columns)([line.encode()])[0]


@pytest.mark.parametrize(
    ("base", "who"),
    [
        ("urn:dev:city:ci4lr75sl:", "ci4lr75sl"),
        ("urn:dev:city:ci4lr75sl", "ci4lr75sl"),
        ("dev7", "dev7"),
        ("http://gw.example/sensors/7/", "7"),
        ("urn:dev:ow:10e2073a01080063:_", "_"),
        ("", ""),
    ],
)
def test_the_device_is_the_last_part_of_the_base_name(base: str, who: str) -> None:
    """As `riotd replay` makes topics of it, so that a file and its replay name the device alike."""
    assert device(base) == who


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ('[{"bn":"urn:dev:a:","n":"t","v":1}]', None, "a"),
        ('1700000000000,[{"bn":"urn:dev:a:","n":"t","v":1}]', None, "a"),
        ('[{"n":"t","v":1,"bn" : "urn:dev:a:"}]', None, "a"),
        ('[{"bn":"urn:dev:a:","n":"t","v":1}]', "bn", "urn:dev:a:"),
        (DRAFT, None, "dev7"),
        ("1700000000000," + DRAFT, None, "dev7"),
        ('{"bn":"urn:dev:b","e":[{"n":"t","v":1}]}', None, "b"),
        ('[{"bn":"urn:dev:a:","n":"t","v":1},{"n":"taxi","vs":"T1"}]', "taxi", "T1"),
        ('[{"n":"taxi","v":8},{"n":"t","v":1}]', "taxi", "8"),
        ('[{"vs":"source","n":"kind"},{"sv":"dev7","n":"source"}]', None, "dev7"),
        ('[{"n":"source","vs":"a } b"}]', None, "a } b"),
        ('[{"n":"source","vs":"a\\"b"}]', None, 'a"b'),
        (r'[{"n":"sourc\u0065","vs":"dev7"}]', None, "dev7"),
        (r'[{"bn":"urn:dev:\u0061:","n":"t","v":1}]', None, "a"),
        ('[{"n":"t","v":1}]', None, ""),
        ('[{"n":"t","v":1}]', "taxi", ""),
        ("ERR watchdog reset", None, ""),
        ('[{"n":"source","vs":', None, ""),
        ("\x00\xff", None, ""),
    ],
)
def test_keys_of_senml(line: str, field: str | None, expected: str) -> None:
    """Stamped or not, RFC or draft, in any order and with any escapes; damaged lines have none."""
    assert key(line, "riotbench" if line[:1] == "1" else "senml", field) == expected


names = st.text(st.sampled_from('ab:/"\\{}é '), min_size=1, max_size=6)


@given(
    bases=st.lists(st.none() | names, min_size=1, max_size=3),
    source=st.none() | names,
    where=st.integers(0, 3),
    ascii_only=st.booleans(),
    separators=st.sampled_from([(",", ":"), (", ", ": ")]),
)
def test_the_quick_way_finds_what_decoding_finds(
    bases: list[str | None], source: str | None, where: int, *, ascii_only: bool, separators: tuple[str, str]
) -> None:
    """For any pack that a JSON encoder writes: the one device of its base names, else what the entry source says."""
    entries: list[dict[str, object]] = [
        ({"bn": base} if base else {}) | {"n": f"field{index}", "v": index} for index, base in enumerate(bases)
    ]
    if source is not None:
        entries.insert(min(where, len(entries)), {"n": "source", "vs": source})
    line = json.dumps(entries, ensure_ascii=ascii_only, separators=separators)
    devices = {device(base) for base in bases if base}
    expected = SEVERAL if len(devices) > 1 else devices.pop() if devices else source or ""
    assert key(line) == expected


def test_what_generate_makes_has_its_sensor_for_a_key() -> None:
    """In both forms, all of the feed."""
    for form in ("rfc", "riotbench"):
        packs = [pack for _, pack in feeds.city(sensors=5, messages=200, form=form)]  # type: ignore[arg-type]
        assert keys_of("senml")(packs) == [feeds.sensor_id(number % 5) for number in range(200)]


def test_a_gateway_s_pack_is_taken_apart() -> None:
    """Each device has a line of its own, with all that was said of it, behind the same stamp."""
    keys = keys_of("riotbench")
    pack = (
        '[{"bn":"urn:dev:a:","bt":1700000000,"n":"t","u":"Cel","v":1.5},{"n":"h","v":5},'
        '{"bn":"urn:dev:b:","n":"t","v":10,"t":-1}]'
    )
    line = f"1700000000500,{pack}".encode()
    assert keys([line]) == [SEVERAL]
    parts = keys.apart(line, 0.0)
    assert [key for key, _ in parts] == ["a", "b"]
    assert all(part.startswith(b"1700000000500,[") for _, part in parts)
    again = [record for _, part in parts for record in senml.records(part[14:], id=0, source="", now=0.0)]
    assert again == senml.records(pack.encode(), id=0, source="", now=0.0)


def test_a_gateway_s_pack_that_is_none_stays_whole() -> None:
    """Its parse stage says what is wrong with it."""
    line = b'[{"bn":"urn:dev:a:","n":"t","v":1},{"bn":"urn:dev:b:","n":"t"}]'
    keys = keys_of("senml")
    assert keys([line]) == [SEVERAL]
    assert keys.apart(line, 0.0) == [("", line)]


def test_several_base_names_of_one_device_are_one_key() -> None:
    """As where each entry repeats it."""
    assert key('[{"bn":"urn:dev:a:","n":"t","v":1},{"bn":"urn:dev:a:","n":"h","v":2}]') == "a"


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ('{"id":3,"source":"dev7","time":1.0,"values":{"t":1},"meta":{}}', None, "dev7"),
        ('{"device":7,"t":1}', None, "7"),
        ('{"sensor":"s1","id":9}', None, "9"),
        ('{"t":1}', None, ""),
        ('{"id":3,"source":"dev7","values":{"kind":"x"},"meta":{"place":"hall"}}', "kind", "x"),
        ('{"id":3,"source":"dev7","values":{"kind":"x"},"meta":{"place":"hall"}}', "place", "hall"),
        ('{"kind":"x"}', "kind", "x"),
        ('{"kind":["x"]}', "kind", ""),
        ("[1]", "kind", ""),
        ("nonsense", None, ""),
        ("nonsense", "kind", ""),
    ],
)
def test_keys_of_json(line: str, field: str | None, expected: str) -> None:
    """Records and plain fields; the usual names in their order, or any field that is named."""
    assert key(line, "json", field) == expected


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ("1,dev7,20.5", None, "dev7"),
        ('1,"dev,7",20.5', None, "dev,7"),
        ('"1, or 2",dev7,20.5', None, "dev7"),
        ("1,dev7,20.5", "t", "20.5"),
        ("1", None, ""),
        ('"', None, ""),
    ],
)
def test_keys_of_csv(line: str, field: str | None, expected: str) -> None:
    """The cell of a column, quoted or not."""
    assert key(line, "csv", field, ("time", "sensor", "t")) == expected


def test_other_lines_have_no_key() -> None:
    """Text, and CSV without a column that says who."""
    assert key("hello", "raw") == key("1,2", "csv", None, ("x", "y")) == ""
