"""The sending half of a session: what may leave, what must leave again, over any number of connections."""

import pytest

from riotd.mqtt.flight import Allowed, Flight
from riotd.mqtt.outbound import Outbound
from riotd.mqtt.packets import NO_QOS, NO_RETAIN, TOO_LARGE, TOPIC_INVALID, cut
from tests.riotd.mqtt_halves import ALL, flight, read, sender


def acknowledge(outbound: Outbound, number: int, *, kind: int = 0x40, reason: int | None = None) -> None:
    """The broker's answer to a packet identifier."""
    body = number.to_bytes(2, "big") + (b"" if reason is None else bytes([reason, 0]))
    data = bytes([kind, len(body)]) + body
    assert not outbound.hear(data, cut(data, ALL).spans)


def test_no_more_leaves_than_the_window_lets() -> None:
    """Acknowledgements make room, for the oldest that wait, across flights."""
    outbound, one, two = sender(window=3), flight(range(4)), flight(range(4, 6))
    outbound.add(one)
    outbound.add(two)
    assert [packet.payload for packet in read(outbound.take(ALL))] == [b"0", b"1", b"2"]
    assert outbound.take(ALL) == b""
    acknowledge(outbound, 2)
    acknowledge(outbound, 1)
    assert [packet.payload for packet in read(outbound.take(ALL))] == [b"3", b"4"]
    assert (one.left, two.left) == (2, 2)


def test_qos_0_needs_no_window_but_keeps_the_order() -> None:
    """It is done when it is taken; behind QoS 1 that waits it waits, too."""
    outbound, first, second = sender(window=1), flight([1, 2]), flight([3], qos=0)
    outbound.add(first)
    outbound.add(second)
    outbound.take(ALL)
    assert second.left == 1
    acknowledge(outbound, 1)
    assert [packet.payload for packet in read(outbound.take(ALL))] == [b"2", b"3"]
    assert (first.left, second.left, outbound.idle) == (1, 0, True)


@pytest.mark.parametrize("qos", [0, 1])
def test_takes_about_as_much_as_there_is_room_for(qos: int) -> None:
    """At least one packet, and none more when the room is used up; the rest comes the next time."""
    outbound = sender()
    outbound.add(Flight([("t", bytes(1000))] * 5, qos))
    assert [len(outbound.take(room)) // 1000 for room in (1, 1500, 3000)] == [1, 2, 2]
    assert outbound.take(ALL) == b""


def test_a_flight_says_when_it_has_landed() -> None:
    """Once, with the last acknowledgement, in whatever order they come."""
    outbound, sent, landings = sender(), flight(range(3)), []
    sent.landed = lambda: landings.append(sent.left)
    outbound.add(sent)
    outbound.take(ALL)
    for number in (3, 1, 1, 2, 99):
        acknowledge(outbound, number)
    assert landings == [0]


def test_qos_2_takes_four_packets() -> None:
    """PUBLISH, PUBREC, PUBREL, PUBCOMP; only then it has landed and the identifier is free."""
    outbound, sent = sender(window=1), flight([1, 2], qos=2)
    outbound.add(sent)
    outbound.take(ALL)
    acknowledge(outbound, 1, kind=0x50)
    assert outbound.take(ALL) == b"\x62\x02\x00\x01"
    assert sent.left == 2
    acknowledge(outbound, 1, kind=0x70)
    assert sent.left == 1
    assert read(outbound.take(ALL))[0].payload == b"2"


def test_an_unknown_pubrec_is_released() -> None:
    """A broker that remembers what we do not can end the exchange, and the identifier is not marked by it."""
    outbound = sender()
    acknowledge(outbound, 1, kind=0x50)
    assert outbound.take(ALL) == b"\x62\x02\x00\x01"
    acknowledge(outbound, 1, kind=0x70)
    outbound.add(flight([1], qos=2))
    outbound.take(ALL)
    outbound.connected(Allowed(), resumed=True)
    assert [packet.payload for packet in read(outbound.take(ALL))] == [b"1"]


@pytest.mark.parametrize("resumed", [True, False])
def test_what_was_on_the_way_leaves_again_first(*, resumed: bool) -> None:
    """As copies under their identifiers in a resumed session, as new in a new one; in order, before anything new."""
    outbound, sent = sender(window=3), flight(range(5))
    outbound.add(sent)
    outbound.take(ALL)
    acknowledge(outbound, 2)
    outbound.connected(Allowed(window=3), resumed=resumed)
    packets = read(outbound.take(ALL))
    assert [(packet.payload, packet.dup) for packet in packets] == [(b"0", resumed), (b"2", resumed), (b"3", False)]
    assert ([packet.mid for packet in packets[:2]] == [1, 3]) == resumed
    for packet in packets:
        acknowledge(outbound, packet.mid or 0)
    assert [packet.payload for packet in read(outbound.take(ALL))] == [b"4"]


@pytest.mark.parametrize("resumed", [True, False])
def test_a_released_message_is_released_again_or_sent_anew(*, resumed: bool) -> None:
    """The broker that gave PUBREC has it as long as it has the session; without that it may never have passed it on."""
    outbound = sender()
    outbound.add(flight([1], qos=2))
    outbound.take(ALL)
    acknowledge(outbound, 1, kind=0x50)
    outbound.connected(Allowed(), resumed=resumed)
    data = outbound.take(ALL)
    assert data == b"\x62\x02\x00\x01" if resumed else [packet.payload for packet in read(data)] == [b"1"]


def test_a_smaller_window_holds_for_copies() -> None:
    """A broker that allows less than before gets what was on the way bit by bit."""
    outbound = sender(window=4)
    outbound.add(flight(range(6)))
    outbound.take(ALL)
    outbound.connected(Allowed(window=2), resumed=True)
    assert [packet.mid for packet in read(outbound.take(ALL))] == [1, 2]
    acknowledge(outbound, 1)
    assert [packet.mid for packet in read(outbound.take(ALL))] == [3]


def test_copies_that_wait_are_overtaken_by_nothing() -> None:
    """Not even by QoS 0; one that is acknowledged meanwhile is not sent again, and counts no longer."""
    outbound = sender(window=3)
    outbound.add(flight(range(3)))
    outbound.take(ALL)
    outbound.connected(Allowed(window=1), resumed=True)
    outbound.add(flight([3], qos=0))
    assert [packet.payload for packet in read(outbound.take(ALL))] == [b"0"]
    acknowledge(outbound, 2)
    assert outbound.take(ALL) == b""
    acknowledge(outbound, 1)
    assert [packet.payload for packet in read(outbound.take(ALL))] == [b"2", b"3"]


def test_what_is_to_be_sent_anew_outlasts_another_loss() -> None:
    """Two new sessions in a row, the second before all was sent: nothing is forgotten, the order is kept."""
    outbound = sender(window=4)
    outbound.add(flight(range(6)))
    outbound.take(ALL)
    outbound.connected(Allowed(window=2), resumed=False)
    outbound.take(ALL)
    outbound.connected(Allowed(window=6), resumed=True)
    packets = read(outbound.take(ALL))
    assert [(int(packet.payload), packet.dup) for packet in packets] == [(n, n < 2) for n in range(6)]


@pytest.mark.parametrize("ended", ["completed", "lost with its session"])
def test_an_identifier_that_was_released_is_a_new_one_after(ended: str) -> None:
    """The next message under it is sent again like any other when the connection breaks."""
    outbound = sender(window=1)
    outbound.add(flight([1], qos=2))
    outbound.take(ALL)
    acknowledge(outbound, 1, kind=0x50)
    outbound.take(ALL)
    outbound._last = 0
    if ended == "completed":
        acknowledge(outbound, 1, kind=0x70)
        outbound.add(flight([2], qos=2))
    else:
        outbound.connected(Allowed(), resumed=False)
    assert [packet.mid for packet in read(outbound.take(ALL))] == [1]
    outbound.connected(Allowed(), resumed=True)
    assert [packet.mid for packet in read(outbound.take(ALL))] == [1]


def test_what_this_broker_never_takes_is_refused() -> None:
    """Too large, no topic, retained, of too high a QoS: each with its reason, and the others go on."""
    outbound, sent = sender(largest=20), flight([1, 2])
    sent.pairs = [("t", b"1"), ("t", bytes(30)), ("no/+", b""), ("t", b"2")]
    sent.left = 4
    outbound.add(sent)
    assert [packet.payload for packet in read(outbound.take(ALL))] == [b"1", b"2"]
    assert (sent.refused, sent.left) == ([("t", TOO_LARGE), ("no/+", TOPIC_INVALID)], 2)
    outbound.connected(Allowed(qos=0, retain=False), resumed=True)
    retained = Flight([("t", b"")], 0, retain=True)
    outbound.add(retained)
    assert outbound.take(ALL) == b""
    assert (sent.refused[2:], sent.left) == ([("t", NO_QOS)] * 2, 0)
    assert (retained.refused, retained.left) == ([("t", NO_RETAIN)], 0)


@pytest.mark.parametrize(("qos", "kind"), [(1, 0x40), (2, 0x50), (2, 0x70)])
def test_a_brokers_refusal_ends_the_exchange(qos: int, kind: int) -> None:
    """A reason from 0x80 on, in whichever answer; below that it is a success."""
    outbound, sent = sender(), flight([1, 2], qos=qos)
    outbound.add(sent)
    outbound.take(ALL)
    acknowledge(outbound, 1, kind=kind, reason=0x87)
    acknowledge(outbound, 2, kind=0x70 if qos == 2 else 0x40, reason=0x10)
    assert (sent.refused, sent.left) == ([("t", 0x87)], 0)


def test_what_is_dropped_is_not_sent() -> None:
    """What of it is on the way stays there, and keeps its identifier."""
    outbound, sent, other = sender(window=2), flight(range(4)), flight([9])
    outbound.add(sent)
    outbound.add(other)
    outbound.take(ALL)
    outbound.drop(sent)
    outbound.drop(sent)
    acknowledge(outbound, 1)
    assert [(packet.payload, packet.mid) for packet in read(outbound.take(ALL))] == [(b"9", 3)]


def test_identifiers_go_round_and_leave_out_those_in_use() -> None:
    """After 65,535 comes the first that is free."""
    outbound = sender()
    outbound.add(flight(range(70_000)))
    assert len(read(outbound.take(2**30))) == 65_535
    acknowledge(outbound, 7)
    assert [packet.mid for packet in read(outbound.take(ALL))] == [7]


def test_acknowledgements_that_are_none_are_refused() -> None:
    """Without an identifier nobody can tell what is meant; packets of others are given back."""
    outbound = sender()
    data = b"\xd0\x00\x40\x01\x00"
    with pytest.raises(ValueError, match="without a packet identifier"):
        outbound.hear(data, cut(data, ALL).spans)
    assert outbound.hear(data[:2], cut(data[:2], ALL).spans) == [b"\xd0\x00"]
