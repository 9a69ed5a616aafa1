"""What goes out over one connection: in order, bounded, and nothing given up while the broker is away."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from mqttium.api import NegotiatedSettings

from riotd.config import Connection
from riotd.mqtt.faults import refusal
from riotd.mqtt.flight import Allowed, Flight
from riotd.mqtt.link import Link
from riotd.mqtt.outbound import Outbound
from riotd.mqtt.packets import Span, properties
from riotd.mqtt.terms import Patience, Publication, Terms
from riotd.mqtt.wire import Wire

log = logging.getLogger("riotd.mqtt")

_ABSENCE = 300.0
"""Seconds the broker keeps the state of our QoS 1 and 2 exchanges (MQTT 5)."""

_FAREWELL = 2.0
"""Seconds for the last publication at the end."""

_CHUNK = 64 * 1024
"""Bytes written at once, before we look whether the socket takes more."""

_WINDOW = 20
"""Publications on the way where the broker can't say how many: mosquitto acknowledges more and drops some of them."""


class Publisher:
    """A publishing connection that several parts may share.

    QoS 1 and 2 survive reconnects: what is unacknowledged is sent again, in order, before anything new. On MQTT 5 it
    is the same exchange; if the session is lost, and on MQTT 3.1.1 at any reconnect, it is a new one, and a QoS 2
    message may arrive twice. QoS 0 is handed to the socket, once there is a connection, and as fast as it takes it.

    Args:
        connection: the broker.
        client_id: our name there.
        will: what the broker publishes when we vanish; on leaving in good order we publish it ourselves.
        hello: published after every CONNACK, to undo the will.
        max_inflight: unacknowledged publications on the way; default what the broker allows, 20 on MQTT 3.1.1.
        patience: between attempts to connect.
        where: the connection's path in the configuration.
    """

    def __init__(  # noqa: PLR0913 - seven by keyword are the house's limit
        self,
        connection: Connection,
        *,
        client_id: str,
        will: Publication | tuple[str, bytes, int, bool] | None = None,
        hello: Publication | tuple[str, bytes, int, bool] | None = None,
        max_inflight: int | None = None,
        patience: Patience | None = None,
        where: str = "mqtt",
    ) -> None:
        self._will = None if will is None else Publication(*will)
        self._hello = None if hello is None else Publication(*hello)
        terms = Terms(will=self._will, expiry=_ABSENCE)
        self._link = Link(connection, client_id=client_id, party=self, terms=terms, patience=patience, where=where)
        self._five = connection.protocol == "5"
        self._max_inflight = max_inflight
        self._outbound = Outbound()
        self._wire: Wire | None = None
        self._greeting: Flight | None = None
        self._leaving = False
        self._refused: Counter[int] = Counter()

    async def __aenter__(self) -> Self:
        """Begin to connect."""
        await self._link.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish what the will would have said, and disconnect."""
        self._leaving = True
        try:
            if self._will is not None and self._link.connected:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_FAREWELL):
                        await self.send(*self._will)
        finally:
            await self._link.__aexit__(kind, error, trace)

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._link.connected

    def counters(self) -> Mapping[str, int]:
        """The link's counts, and publications that could never be sent."""
        return self._link.counters() | {"refused": self._refused.total()}

    async def send(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:  # noqa: FBT001, FBT002 - MQTT's own four
        """Return when the broker has it (QoS 0: the socket); False if it can never be sent."""
        return not await self.send_all([(topic, payload)], qos=qos, retain=retain)

    async def send_all(
        self, pairs: Sequence[tuple[str, bytes]], *, qos: int = 0, retain: bool = False, content_type: str = ""
    ) -> int:
        """Return when the broker has all of them, in this order; how many could never be sent.

        Overlapping calls are admitted one after the other, in the order they were made. Waits as long as there
        is no connection. Cancelled: any prefix may have been sent.

        Args:
            pairs: topic and payload of each.
            qos: of all of them.
            retain: whether the broker keeps the last of each topic.
            content_type: their media type, if it is to be said; MQTT 3.1.1 can't.
        """
        if not pairs:
            return 0
        flight = self._flight(pairs, qos, retain=retain, content_type=content_type)
        self._outbound.add(flight)
        self._push()
        if flight.left:
            await self._landing(flight)
        else:
            await asyncio.sleep(0)  # who sends without end must not keep the loop for himself
        return self._note(flight)

    def try_send_nowait(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:  # noqa: FBT001, FBT002 - MQTT's own four
        """Hand it over if that can be done at once; False if not. Never waits, never raises for the connection.

        QoS 0 overtakes what waits for acknowledgements; QoS 1 and 2 are only taken when nothing waits.
        """
        wire = self._wire
        if wire is None or not wire.writable or (qos and not self._outbound.idle):
            return False
        flight = self._flight([(topic, payload)], qos, retain=retain)
        flight.landed = partial(self._note, flight)
        if qos:
            self._outbound.add(flight)
            self._push()
        else:
            wire.send(self._outbound.single(flight))
        return not flight.refused

    def opened(self, wire: Wire, *, resumed: bool, negotiated: NegotiatedSettings) -> None:
        """As `Party.opened`."""
        window = negotiated.receive_maximum if self._five else self._max_inflight or _WINDOW
        allowed = Allowed(
            window=min(window, self._max_inflight or window),
            largest=negotiated.maximum_packet_size,
            qos=negotiated.maximum_qos,
            retain=negotiated.retain_available,
        )
        self._outbound.connected(allowed, resumed=resumed)
        self._wire = wire
        if self._hello is not None and not self._leaving and not (self._greeting and self._greeting.left):
            topic, payload, qos, retain = self._hello
            self._greeting = self._flight([(topic, payload)], qos, retain=retain)
            self._greeting.landed = partial(self._note, self._greeting)
            self._outbound.add(self._greeting, first=True)

    def hear(self, data: bytes, spans: Sequence[Span]) -> list[bytes]:
        """As `Session.hear`."""
        try:
            return self._outbound.hear(data, spans)
        finally:
            self._push()

    def writable(self) -> None:
        """As `Session.writable`."""
        self._push()

    def closed(self) -> None:
        """As `Session.closed`."""
        self._wire = None

    def _flight(self, pairs: Sequence[tuple[str, bytes]], qos: int, *, retain: bool, content_type: str = "") -> Flight:
        return Flight(pairs, qos, retain=retain, properties=properties(content_type) if self._five else b"")

    def _push(self) -> None:
        """Write what may be written, as long as the socket takes it."""
        while (wire := self._wire) is not None and wire.writable and (packets := self._outbound.take(_CHUNK)):
            wire.send(packets)

    async def _landing(self, flight: Flight) -> None:
        """Wait until none of it is left; cancelled, what has not been sent is not sent."""
        landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def land() -> None:
            if not landed.done():
                landed.set_result(None)

        flight.landed = land
        try:
            await landed
        finally:
            if flight.left:
                self._outbound.drop(flight)

    def _note(self, flight: Flight) -> int:
        """Count what was refused, and say each kind once; how many."""
        for topic, reason in flight.refused:
            self._refused[reason] += 1
            if self._refused[reason] == 1:
                log.error(
                    "%s: to %.100s: can't be published: %s; it and others like it are counted, not sent",
                    self._link.name,
                    topic,
                    refusal(reason),
                )
        return len(flight.refused)
