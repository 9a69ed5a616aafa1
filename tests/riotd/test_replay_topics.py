"""Topics of recorded packs: templates over their text fields, damaged packs included."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.feeds import city, sensor_id
from riotd.replay import Topics

_CITY = b'{"e":[{"u":"string","n":"source","sv":"ci4lr75sl"},{"v":"8","n":"temperature"}],"bt":1422748800000}'
_TAXI = b'{"e":[{"n":"taxi_identifier","sv":"024BE2"},{"n":"payment_type","sv":"CSH"}],"bt":1358102664000}'


@pytest.mark.parametrize(
    ("template", "payload", "topic"),
    [
        ("sensors/{source}/senml", _CITY, "sensors/ci4lr75sl/senml"),
        ("sensors/{source}/senml", b'{"e":[{"sv":"dev7","n":"source"}],"bt":1}', "sensors/dev7/senml"),
        ("sensors/{source}/senml", b'[ { "n" : "source" , "vs" : "dev7" } ]', "sensors/dev7/senml"),
        ("{source}", b'[{"bn":"urn:dev:ow:10e2073a01080063:","n":"t","v":1}]', "10e2073a01080063"),
        ("{source}", b'[{"bn":"urn:dev:ow:1:","n":"source","vs":"hall"}]', "hall"),
        ("{source}", b'{"bn":"http://host/dev1/","e":[{"n":"t","v":1}]}', "dev1"),
        ("{source}", b'[{"n":"note","vs":"the \\"bn\\":\\"x\\" of it"},{"bn":"urn:dev:mac:7:"}]', "7"),
        ("taxi/{taxi_identifier}/{payment_type}", _TAXI, "taxi/024BE2/CSH"),
        ("{payment_type}/{n}", _TAXI, "CSH/17"),
        ("line/{n}", b"anything", "line/17"),
        ("one/topic/for/all", b"anything", "one/topic/for/all"),
        ("{{literal}}", b"anything", "{literal}"),
    ],
)
def test_a_topic_is_made_of_the_packs_fields(template: str, payload: bytes, topic: str) -> None:
    """Each field comes from where the template's documentation says it does."""
    topics = Topics(template)
    assert topics.of(payload, 17) == topic
    assert topics.unnamed == 0


@pytest.mark.parametrize(
    ("payload", "source"),
    [
        (b'[{"bn":"urn:dev:city:ci4lr75sl:","bt":1422748800.0,"n":"longi', "ci4lr75sl"),
        (b'{"e":[{"u":"string","n":"source","sv":"ci4lr75sl"},{"v":"8","u":"l', "ci4lr75sl"),
        (b'[{"bn":"urn:dev:city:ci4lr75sl:","n":"light","v":1e400}]', "ci4lr75sl"),
    ],
)
def test_a_damaged_pack_goes_where_its_source_can_still_be_seen(payload: bytes, source: str) -> None:
    """A pack cut short is sent to the topic its device would have used."""
    assert Topics("{source}").of(payload, 1) == source
    assert Topics("{source}/{n}").of(payload, 1) == f"{source}/1"


@pytest.mark.parametrize(
    "payload", [b"ERR watchdog", b"[]", b"{}", b"7", b'[{"n":"t","v":1}]', b'{"e":7}', b"[[1]]", b""]
)
def test_a_pack_without_the_field_is_unknown_and_counted(payload: bytes) -> None:
    """It goes to the level `unknown`; the number of the message and what it lacks are told."""
    topics = Topics("sensors/{source}/senml")
    assert topics.of(payload, 3) == "sensors/unknown/senml"
    assert topics.unnamed == 1
    assert topics.oddities == ["message 3: has no source; sent to sensors/unknown/senml"]


def test_only_the_first_oddities_are_kept_but_all_are_counted() -> None:
    """A long recording of nothing but oddities does not fill the memory."""
    topics = Topics("{source}")
    for number in range(1000):
        topics.of(b"?", number)
    assert (topics.unnamed, len(topics.oddities)) == (1000, 5)


@given(st.text())
def test_no_field_can_make_a_topic_invalid(text: str) -> None:
    """Whatever a field says: the topic keeps its levels and has no wildcard, no NUL, no empty level."""
    payload = json.dumps([{"n": "source", "vs": text}]).encode()
    for template in ("a/{source}/b", "a/{source}/{n}"):
        levels = Topics(template).of(payload, 1).split("/")
        assert len(levels) == 3
        assert all(levels)
        assert not set("".join(levels)) & set("+#\0")


def test_the_quick_way_and_the_decoding_way_agree() -> None:
    """For both forms, with outliers, gaps and damage, {source} alone gives what it gives beside another field."""
    for form in ("rfc", "riotbench"):
        quick, slow = Topics("{source}/x"), Topics("{source}/{n}")
        for number, (_, pack) in zip(range(3000), city(form=form, malformed=0.2), strict=False):
            source = quick.of(pack, number).removesuffix("/x")
            assert slow.of(pack, number) == f"{source}/{number}"
            assert source in ("unknown", sensor_id(number % 90))
        assert quick.unnamed == slow.unnamed > 0


@pytest.mark.parametrize("template", ["", "a/+/b", "a/#", "a/{source", "a/{}", "a/{source!r}", "a/{source:>9}", "a\0b"])
def test_a_template_that_gives_no_topics_is_refused(template: str) -> None:
    """Wildcards, unmatched braces and Python's own formatting are mistakes of the template."""
    with pytest.raises(ValueError, match=r"topic|field|brace|expected|Single"):
        Topics(template)


def test_topics_of_a_million_devices_are_not_all_remembered() -> None:
    """What is remembered for speed has a limit."""
    topics = Topics("{source}")
    for number in range(70_000):
        topics.of(b'[{"bn":"urn:dev:x:%d:"}]' % number, 0)
    assert len(topics._known) < 66_000
