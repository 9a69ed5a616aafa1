"""What goes out over one connection: in order, bounded, and nothing given up while the broker is away."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Self

from mqttium import MQTTError
from mqttium.api import Properties, PublishReceipt

from riotd.config import Connection
from riotd.mqtt.faults import refusal
from riotd.mqtt.flight import Flight, done, refuses, void
from riotd.mqtt.link import Link
from riotd.mqtt.terms import Patience, Publication, Terms

log = logging.getLogger("riotd.mqtt")

_ABSENCE = 300.0
"""Seconds the broker keeps the state of our QoS 2 exchanges (MQTT 5)."""

_FAREWELL = 2.0
"""Seconds for the last publication at the end."""


class _EndedError(Exception):
    """The client gave up while something was being admitted; begin with the oldest flight again."""


class Publisher:
    """A publishing connection that several parts may share.

    QoS 1 and 2 survive reconnects: the client keeps what is unacknowledged and sends it again, in order. What it
    gives up (at a take-over, a bad password; QoS 2 also when the session is lost, on MQTT 3.1.1 at any reconnect)
    the publisher sends again itself, as new: then a QoS 2 message may arrive twice. QoS 0 is handed to the socket,
    once there is a connection.

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
        terms = Terms(will=self._will, expiry=_ABSENCE, max_inflight=max_inflight)
        self._link = Link(
            connection, client_id=client_id, terms=terms, welcome=self._welcome, patience=patience, where=where
        )
        self._five = connection.protocol == "5"
        self._max_inflight = max_inflight or (65_535 if self._five else 20)
        self._turn, self._alone = asyncio.Lock(), asyncio.Lock()
        self._negotiated: object = None
        self._flights: list[Flight] = []
        self._mended = 0
        self._leaving = False
        self._refused: Counter[str] = Counter()

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
        properties = Properties({"content_type": content_type}) if content_type and self._five else None
        flight = Flight(pairs, qos, retain=retain, properties=properties)
        if qos < 2:
            return await self._fly(flight)
        async with self._alone:
            return await self._fly(flight)

    async def _fly(self, flight: Flight) -> int:
        try:
            async with self._turn:
                self._flights.append(flight)
                await self._admit(flight)
            while not await flight.landed():
                async with self._turn:
                    self._mended = -1
                    await self._admit(flight)
        finally:
            if flight in self._flights:
                self._flights.remove(flight)
        refusals = flight.refusals()
        for topic, error in refusals:
            self._note(topic, error)
        return len(refusals)

    def try_send_nowait(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:  # noqa: FBT001, FBT002 - MQTT's own four
        """Hand it over if that can be done at once; False if not. Never waits, never raises for the connection."""
        if not self._link.connected:
            return False
        try:
            self._link.client.publish_nowait(topic, payload, qos=qos, retain=retain)
        except (MQTTError, OSError, ValueError):
            return False
        return True

    async def _admit(self, flight: Flight) -> None:
        """Hand the client whatever of `flight` it does not have, after whatever older flights have lost."""
        while True:
            with contextlib.suppress(_EndedError):
                if self._mended != self._link.endings:
                    await self._mend()
                client, qos, retain, properties = self._link.client, flight.qos, flight.retain, flight.properties
                for topic, payload in islice(flight.pairs, len(flight.receipts), None):
                    if qos == 2:
                        await self._room(flight)
                    try:
                        receipt: PublishReceipt | Exception = client.publish_nowait(
                            topic, payload, qos=qos, retain=retain, properties=properties
                        )
                    except (MQTTError, OSError, ValueError):
                        receipt = await self._insist(topic, payload, flight)
                    flight.receipts.append(receipt)
                return

    async def _room(self, flight: Flight) -> None:
        """Wait until there is a connection with room for one more QoS 2 message.

        The client must have none queued: with a session it gives up what is on the way, and what is queued behind
        that it would send before we can repeat it. So after every CONNACK we first look for what was given up.
        """
        oldest = len(flight.receipts) - min(self._max_inflight, self._link.client.negotiated.receive_maximum)
        if oldest >= 0:
            await done(flight.receipts[oldest])
        await self._link.up()
        if (negotiated := self._link.client.negotiated) is not self._negotiated:
            self._negotiated, self._mended = negotiated, -1
            raise _EndedError

    async def _mend(self) -> None:
        """Send again, oldest first, what was void when the client gave up."""
        self._mended = self._link.endings
        for flight in list(self._flights):
            for index, receipt in enumerate(flight.receipts):
                if void(receipt):
                    flight.receipts[index] = await self._insist(*flight.pairs[index], flight)

    async def _insist(self, topic: str, payload: bytes, flight: Flight) -> PublishReceipt | Exception:
        """Wait until the client takes it: for room, for a connection. The error if it can never be sent."""
        while True:
            if self._mended != self._link.endings:
                raise _EndedError
            try:
                return await self._link.client.publish(
                    topic, payload, qos=flight.qos, retain=flight.retain, properties=flight.properties
                )
            except (MQTTError, OSError, ValueError) as error:
                if refuses(error):
                    return error
            await self._link.up()

    async def _welcome(self, resumed: bool) -> None:  # noqa: FBT001 - what CONNACK says
        del resumed
        if self._hello is not None and not self._leaving:
            with contextlib.suppress(MQTTError, OSError, ValueError):  # lost again: the next connection says it
                await self._link.client.publish(*self._hello[:2], qos=self._hello.qos, retain=self._hello.retain)

    def _note(self, topic: str, error: BaseException) -> None:
        kind = refusal(error)
        self._refused[kind] += 1
        if self._refused[kind] == 1:
            log.error(
                "%s: to %.100s: can't be published: %s; it and others like it are counted, not sent",
                self._link.name,
                topic,
                kind,
            )
