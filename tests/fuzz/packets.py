"""Bytes from a broker: what it sends us, and what it answers."""

from riotd.mqtt.flight import Allowed, Flight
from riotd.mqtt.inbound import Inbound
from riotd.mqtt.outbound import Outbound
from riotd.mqtt.packets import cut, head, named, properties

_LARGEST = 4096


def _publish(payload: bytes, number: int, *, qos: int, five: bool, dup: bool = False) -> bytes:
    body = named("t/1") + (number.to_bytes(2, "big") if qos else b"") + (properties() if five else b"") + payload
    return head(0x30 | qos << 1 | dup << 3, len(body)) + body


STREAMS = tuple(
    b"".join([
        _publish(b"one", 1, qos=1, five=five),
        _publish(b"two", 2, qos=2, five=five),
        b"\x62\x02\x00\x02",
        _publish(b"three", 1, qos=1, five=five, dup=True),
        _publish(b"", 0, qos=0, five=five),
        b"\xd0\x00",
    ])
    for five in (False, True)
)
ANSWERS = (b"\x40\x02\x00\x01\x50\x02\x00\x02\x70\x02\x00\x02", b"\x40\x04\x00\x01\x10\x00", b"\x50\x03\x00\x02\x97")


def inbound(data: bytes) -> str:
    """A stream: messages, other packets, or a ValueError; all of it in bounds."""
    said = []
    for five in (False, True):
        session = Inbound(five=five, retained=False)
        session.connected(resumed=False)
        found = cut(data, _LARGEST)
        assert found.end <= len(data)
        assert found.wanted <= _LARGEST
        try:
            session.hear(data, found.spans, 1.0)
        except ValueError:
            said.append("malformed")
        taken = session.take(1000)
        session.acknowledge([message.token for message in taken])
        session.answers()
        assert sum(len(message.payload) for message in taken) <= len(data)
        session.connected(resumed=True)
        said.append(f"{len(taken)} {found.fault[:9]}")
    return " ".join(said)


def outbound(data: bytes) -> str:
    """Answers to what we have sent: taken, or a ValueError."""
    session = Outbound()
    session.connected(Allowed(window=10, largest=None), resumed=False)
    for qos in (1, 2):
        session.add(Flight([("t", b"%d" % at) for at in range(3)], qos, properties=properties()))
    session.take(10_000)
    try:
        strange = session.hear(data, cut(data, _LARGEST).spans)
    except ValueError:
        return "malformed"
    return f"{len(strange)} strange"
