"""On what terms a client connects: for how long, how much, with which last words."""

import math
import random
from typing import NamedTuple

import msgspec
from mqttium import MQTTProtocolVersion
from mqttium.api import AsyncClient, Properties, PublishMessage, ReconnectPolicy

from riotd.config import Connection


class Publication(NamedTuple):
    """What goes to a topic."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Patience(msgspec.Struct, frozen=True):
    """How long to wait between attempts, seconds; every wait is random up to these.

    Attributes:
        first: before the second attempt; doubles from there.
        longest: between any two.
        taken_over: after another client took our id, at least half of it: two that share an id would otherwise
            throw each other out all day.
        moment: what a broker has, at the start, to grant our subscriptions before we begin without.
    """

    first: float = 0.25
    longest: float = 15.0
    taken_over: float = 60.0
    moment: float = 3.0

    def wait(self, attempt: int) -> float:
        """Full jitter: anything up to `first` doubled `attempt` times."""
        return random.uniform(0, min(self.longest, self.first * 2.0 ** min(attempt, 30)))  # noqa: S311 - jitter


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection is for, apart from where it goes; None and 0 leave it to the client's defaults.

    Attributes:
        will: what the broker publishes when we vanish.
        clean: begin with a new session; else ask for the one a former process left.
        keep: stay with the same client after it gave up, for the sake of what it has received; else make a new
            one, because it never frees the packet identifiers of publications it gave up on.
        expiry: how long the broker keeps the session when we are away, seconds (MQTT 5).
        manual_ack: acknowledge messages only when told.
        receive_maximum: unacknowledged messages the broker may send ahead (MQTT 5).
        max_inflight: unacknowledged publications on the way.
        buffer: bytes received and not yet taken.
        max_packet: largest packet taken, bytes.
    """

    will: Publication | None = None
    clean: bool = True
    keep: bool = False
    expiry: float = 0.0
    manual_ack: bool = False
    receive_maximum: int | None = None
    max_inflight: int | None = None
    buffer: int = 2**20
    max_packet: int = 2**20


_BESIDE = 4096
"""Bytes a message that waits takes beside its payload, which is all that the client counts."""
_LEAST_WAITING = 100
"""Messages that may wait however small the buffer."""
_UNACKNOWLEDGED = 60_000
"""Messages not yet acknowledged that we hold at most. The next packet identifiers would be in use: mosquitto does not
look, and a message under an identifier that is in use passes for a copy of the one that has it. Rather disconnect."""


def tolerate(client: AsyncClient) -> None:
    """Accept more unacknowledged messages than the broker was allowed to send; to be called after every CONNACK.

    mosquitto 2.0.11 with a backlog sends some 300 more than Receive Maximum. The client has one figure for what it
    announces and what it accepts, and would disconnect: with a clean session, messages would be lost.
    """
    client._engine.inbound._receive_maximum = _UNACKNOWLEDGED  # noqa: SLF001 - nothing public parts the two


def new_client(
    connection: Connection, *, client_id: str, password: str | None, terms: Terms, patience: Patience
) -> AsyncClient:
    """A client that is not connected yet, and that reconnects by itself unless the broker's reason forbids it."""
    five = connection.protocol == "5"
    return AsyncClient(
        client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        clean_start=terms.clean,
        keepalive=min(65535, math.ceil(connection.keepalive)),
        username=connection.username,
        password=password,
        connect_properties=Properties({"session_expiry_interval": int(terms.expiry)}) if five else None,
        will=None if terms.will is None else PublishMessage(*terms.will),
        maximum_packet_size=terms.max_packet,
        max_inbound_inflight=terms.receive_maximum if five else _UNACKNOWLEDGED,
        max_outbound_inflight=terms.max_inflight,
        manual_ack=terms.manual_ack,
        max_iterator_bytes=max(terms.buffer, terms.max_packet),
        max_iterator_messages=max(_LEAST_WAITING, terms.buffer // _BESIDE),
        connect_timeout=10.0,
        ping_timeout=max(1.0, connection.keepalive / 2),
        reconnect=ReconnectPolicy(initial_delay=patience.first, max_delay=patience.longest),
    )
