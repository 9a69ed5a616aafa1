"""A connection without a socket: asyncio's side of it, and a party of ours at ours."""

import asyncio

from mqttium import QoS
from mqttium.api import NegotiatedSettings
from mqttium.packets import PublishPacket

from riotd import config
from riotd.messages import Message
from riotd.mqtt import Publisher, Subscriber
from riotd.mqtt.wire import Wire

CONNACK, SUBACK, PING, PONG = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x00", b"\xc0\x00", b"\xd0\x00"
URL = "mqtt://localhost"


class Line(asyncio.Transport):
    """asyncio's side of a connection; what is written stays here."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._protocol = protocol
        self.written = b""
        self.reading, self.closing, self.aborted = True, False, False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += data

    def pause_reading(self) -> None:
        """Take note."""
        self.reading = False

    def resume_reading(self) -> None:
        """Take note."""
        self.reading = True

    def is_closing(self) -> bool:
        """Since `close`."""
        return self.closing

    def close(self) -> None:
        """What is written does not leave: it stays open."""
        self.closing = True

    def abort(self) -> None:
        """Take note, and end."""
        self.aborted = True
        asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)


def publish(payload: bytes, number: int | None = None, topic: str = "t") -> bytes:
    """A PUBLISH of MQTT 3.1.1, QoS 1 if it has a number."""
    qos = QoS.AT_MOST_ONCE if number is None else QoS.AT_LEAST_ONCE
    return PublishPacket(topic, payload, qos, retain=False, dup=False, mid=number).encode()


def subscriber(**settings: object) -> Subscriber:
    """One that is not connected."""
    block = {"type": "mqtt", "url": URL, "protocol": "3.1.1", "topics": ["#"], **settings}
    return Subscriber(config.MqttSource.model_validate(block), client_id="test")


def connect(party: Subscriber | Publisher, *, largest: int = 2**20) -> tuple[Wire, Line]:
    """A connection, made but not opened."""
    wire = Wire(party, largest=largest)
    line = Line(wire)
    wire.connection_made(line)
    return wire, line


def accept(wire: Wire, party: Subscriber | Publisher) -> None:
    """What the link does after CONNACK."""
    party.opened(wire, resumed=False, negotiated=NegotiatedSettings())
    wire.open()


def opened(party: Subscriber | Publisher, *, largest: int = 2**20) -> tuple[Wire, Line]:
    """A connection over which all may be sent."""
    wire, line = connect(party, largest=largest)
    wire.data_received(CONNACK)
    accept(wire, party)
    return wire, line


async def taken(party: Subscriber) -> list[Message]:
    """What it has, without waiting for more."""
    return await party.receive(100_000) if party.waiting else []
