"""The two halves of an MQTT session, connected, and packets for them as somebody else's codec has them."""

from collections.abc import Iterable

from mqttium import MQTTProtocolVersion, QoS
from mqttium.packets import PublishPacket

from riotd.mqtt.flight import Allowed, Flight
from riotd.mqtt.inbound import Inbound
from riotd.mqtt.outbound import Outbound
from riotd.mqtt.packets import cut, properties

ALL = 2**20
VERSIONS = {True: MQTTProtocolVersion.MQTTv5, False: MQTTProtocolVersion.MQTTv311}


def publish(
    payload: bytes,
    number: int | None = None,
    qos: int = 0,
    *,
    dup: bool = False,
    retain: bool = False,
    five: bool = True,
) -> bytes:
    """A PUBLISH as somebody else's codec writes it."""
    return PublishPacket("t/1", payload, QoS(qos), retain, dup, number).encode(VERSIONS[five])


def hear(inbound: Inbound, data: bytes, now: float = 0.0) -> list[bytes]:
    """Have it hear whole packets."""
    return inbound.hear(data, cut(data, 2**20).spans, now)


def receiver(*, five: bool = True, retained: bool = True) -> Inbound:
    """One that has just connected for the first time."""
    inbound = Inbound(five=five, retained=retained)
    inbound.connected(resumed=False)
    return inbound


def flight(numbers: Iterable[int], qos: int = 1, topic: str = "t") -> Flight:
    """Publications of numbers."""
    return Flight([(topic, b"%d" % number) for number in numbers], qos, properties=properties())


def sender(window: int = 65_535, largest: int | None = None) -> Outbound:
    """One that has just connected for the first time."""
    outbound = Outbound()
    outbound.connected(Allowed(window=window, largest=largest), resumed=False)
    return outbound


def read(data: bytes) -> list[PublishPacket]:
    """Publications, as somebody else's codec reads them."""
    found = cut(data, ALL)
    assert found.end == len(data)
    return [
        PublishPacket.decode(data[start] & 0x0F, data[body:end], MQTTProtocolVersion.MQTTv5)
        for start, body, end in found.spans
        if data[start] >> 4 == 3
    ]
