from hypothesis import given
from hypothesis import strategies as st

from riotd.benchmarks import wire

PAYLOADS = st.lists(st.binary(max_size=300), min_size=1, max_size=8)


@given(payloads=PAYLOADS, data=st.data())
def test_a_stream_splits_the_same_wherever_it_is_cut(payloads: list[bytes], data: st.DataObject) -> None:
    """Packets come out whole and in order, however the network cuts them."""
    stream = b"".join(wire.publish("t", payload) for payload in payloads)
    cut = data.draw(st.integers(0, len(stream)))
    first, end = wire.split(stream[:cut])
    rest = stream[end:]
    second, left = wire.split(rest)
    bodies = [stream[start:stop] for _, start, stop in first] + [rest[start:stop] for _, start, stop in second]
    assert bodies == [wire.text("t") + payload for payload in payloads]
    assert left == len(rest)


@given(size=st.integers(0, 268_435_455))
def test_length_is_as_the_standard_says(size: int) -> None:
    """A remaining length is base 128, the lowest digit first, all but the last with the high bit (2.2.3)."""
    encoded = wire.length(size)
    assert sum((byte & 127) << 7 * place for place, byte in enumerate(encoded)) == size
    assert [byte >> 7 for byte in encoded] == [1] * (len(encoded) - 1) + [0]
    assert len(encoded) <= 4
