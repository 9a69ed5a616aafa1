"""Packets as bytes: what is cut out of a stream, what a publication looks like to somebody else's codec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mqttium import MQTTProtocolVersion, QoS
from mqttium.api import Properties
from mqttium.packets import PublishPacket, encode_pingresp

from riotd.mqtt.flight import Allowed, Flight
from riotd.mqtt.outbound import Outbound
from riotd.mqtt.packets import cut, head, named, properties, read_topic, varint

MOST = 2**20
VERSIONS = {True: MQTTProtocolVersion.MQTTv5, False: MQTTProtocolVersion.MQTTv311}
topics = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="+#\0"), min_size=1, max_size=40)
sizes = st.one_of(st.integers(0, 300), st.sampled_from([16_200, 16_383, 16_384, 16_500]))


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    """A packet of any length, or a ping's answer."""
    size = draw(sizes)
    return encode_pingresp() if not size else head(draw(st.integers(0x30, 0x3D)), size) + bytes(size)


@given(st.lists(packets(), max_size=8), st.lists(st.integers(1, 20_000), max_size=12))
def test_a_stream_is_cut_where_its_packets_end(whole: list[bytes], pieces: list[int]) -> None:
    """However the bytes are dealt out, the packets come out, and what is not whole stays."""
    stream, rest, got = b"".join(whole), b"", []
    for size in [*pieces, len(stream)]:
        rest, stream = rest + stream[:size], stream[size:]
        found = cut(rest, MOST)
        assert not found.fault
        got += [rest[start:end] for start, _, end in found.spans]
        rest = rest[found.end :]
        assert found.wanted > len(rest)
    assert got == whole
    assert not rest


@given(packets())
def test_the_bytes_wanted_are_never_too_many(packet: bytes) -> None:
    """Of no prefix is more asked for than the packet has, and no prefix but the whole is a packet."""
    for size in {0, 1, 2, 3, 4, len(packet) // 2, len(packet) - 1}:
        if size < len(packet):
            found = cut(packet[:size], MOST)
            assert (found.spans, found.end) == ([], 0)
            assert size < found.wanted <= len(packet)


@pytest.mark.parametrize("largest", [1000, 999])
def test_a_packet_may_be_so_large_and_no_larger(largest: int) -> None:
    """The limit is a packet's whole length, known as soon as its header is there; what came before is whole."""
    found = cut(encode_pingresp() + (head(0x30, 997) + bytes(997))[:5], largest)
    assert (found.spans, found.end) == ([(0, 2, 2)], 2)
    assert found.too_large == (largest < 1000)
    assert ("1000 bytes" in found.fault) == found.too_large


def test_a_length_of_five_bytes_is_none() -> None:
    """What can be no packet is said with the bytes that show it, and not waited for."""
    assert not cut(b"\x30\xff\xff\xff", MOST).fault
    found = cut(b"\xd0\x00\x30\xff\xff\xff\xff\x01", MOST)
    assert (found.spans, found.fault) == ([(0, 2, 2)], "a length of more than four bytes")


@given(st.integers(0, 268_435_455))
def test_a_length_reads_as_it_was_written(size: int) -> None:
    """Every length that MQTT can say."""
    header = head(0x30, size)
    assert varint(header, 1) == (size, len(header))


def test_what_mqtt_cannot_say_is_refused() -> None:
    """More than four bytes of length, and a topic of more than two bytes of it."""
    with pytest.raises(ValueError, match="268435456 bytes"):
        head(0x30, 268_435_456)
    assert len(named("t" * 65_535)) == 65_537
    with pytest.raises(ValueError, match="not a topic"):
        named("t" * 65_536)


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0b", "\ud800"])
def test_what_is_no_topic_is_refused(topic: str) -> None:
    """Wildcards, NUL, nothing, half a character."""
    with pytest.raises(ValueError):  # noqa: PT011 - a half character has Python's own words
        named(topic)


@pytest.mark.parametrize("name", [b"", b"\0", b"\0\0", b"\0\3ab", b"\0\1ab", b"\0\2a#", b"\0\1\0", b"\0\2\xff\xfe"])
def test_what_comes_without_a_topic_is_malformed(name: bytes) -> None:
    """A length that is not the text's, a wildcard, NUL, what is not UTF-8."""
    with pytest.raises(ValueError):  # noqa: PT011 - what is not UTF-8 has Python's own words
        read_topic(name)


@given(topics)
def test_a_topic_reads_as_it_was_written(topic: str) -> None:
    """In any script."""
    assert read_topic(named(topic)) == topic


@given(
    pairs=st.lists(st.tuples(topics, st.binary(max_size=300)), min_size=1, max_size=6),
    qos=st.sampled_from([0, 1, 2]),
    kind=st.sampled_from(["", "application/senml+cbor", "x" * 200]),
    retain=st.booleans(),
    five=st.booleans(),
)
def test_somebody_else_reads_what_we_publish(
    pairs: list[tuple[str, bytes]], qos: int, kind: str, *, retain: bool, five: bool
) -> None:
    """Topic, payload, QoS, retain, content type and identifiers, in both versions, as mqttium's codec has them."""
    outbound = Outbound()
    outbound.connected(Allowed(), resumed=False)
    outbound.add(Flight(pairs, qos, retain=retain, properties=properties(kind) if five else b""))
    expected = [
        PublishPacket(
            topic,
            payload,
            QoS(qos),
            retain,
            dup=False,
            mid=number if qos else None,
            properties=Properties({"content_type": kind}) if five and kind else None,
        ).encode(VERSIONS[five])
        for number, (topic, payload) in enumerate(pairs, start=1)
    ]
    assert outbound.take(MOST) == b"".join(expected)
