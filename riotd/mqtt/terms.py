"""On what terms a client connects: for how long, how much, with which last words."""

import math
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import mqttium
import msgspec
from mqttium import MQTTProtocolVersion
from mqttium.api import AsyncClient, Properties, PublishMessage, ReconnectPolicy

from riotd.config import Connection
from riotd.mqtt.wire import Wire


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
        expiry: how long the broker keeps the session when we are away, seconds (MQTT 5).
        receive_maximum: unacknowledged messages the broker may send ahead (MQTT 5).
        max_packet: largest packet taken, bytes.
    """

    will: Publication | None = None
    clean: bool = True
    expiry: float = 0.0
    receive_maximum: int | None = None
    max_packet: int = 2**20


_CONNECT = (3.0, 10.0)
"""Seconds, least and most, that an attempt may take; between them a third of the keep-alive. One that began while the
network swallowed everything, as with a half-open connection, holds up the next one for as long."""
_LIBRARY = "1.2.1"
"""The mqttium this was made for."""

Dial = Callable[..., Awaitable[Wire]]
"""Makes a connection: `(host, port, *, ssl)`."""


def new_client(  # noqa: PLR0913 - by keyword
    connection: Connection, *, client_id: str, password: str | None, terms: Terms, patience: Patience, dial: Dial
) -> AsyncClient:
    """A client that is not connected yet, and that reconnects by itself unless the broker's reason forbids it.

    Its connections are made by `dial`, so that publications can pass it by.

    Raises:
        RuntimeError: this mqttium is no longer told so as the one we know.
    """
    five = connection.protocol == "5"
    client = AsyncClient(
        client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        clean_start=terms.clean,
        keepalive=min(65535, math.ceil(connection.keepalive)),
        username=connection.username,
        password=password,
        connect_properties=Properties({"session_expiry_interval": int(terms.expiry)}) if five else None,
        will=None if terms.will is None else PublishMessage(*terms.will),
        maximum_packet_size=terms.max_packet,
        max_inbound_inflight=terms.receive_maximum if five else None,
        connect_timeout=min(_CONNECT[1], max(_CONNECT[0], connection.keepalive / 3)),
        ping_timeout=max(1.0, connection.keepalive / 2),
        reconnect=ReconnectPolicy(initial_delay=patience.first, max_delay=patience.longest),
    )
    if not hasattr(client, "_transport_factory"):
        raise RuntimeError(
            f"mqttium {mqttium.__version__} has no AsyncClient._transport_factory; riotd knows {_LIBRARY}, install that"
        )
    client._transport_factory = dial  # noqa: SLF001 - nothing public lets a TCP client have a transport of ours
    return client
