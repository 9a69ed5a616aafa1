"""What comes in over one connection: subscriptions kept, messages in order, acknowledgements when told."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from itertools import count
from types import TracebackType
from typing import Self

from mqttium import MQTTError, MQTTTimeoutError, NotConnectedError, SubscribeError
from mqttium.api import NegotiatedSettings, SubscribeOptions

from riotd.clock import Clock, SystemClock
from riotd.config import MqttSource
from riotd.messages import Message
from riotd.mqtt.faults import refused_filter
from riotd.mqtt.inbound import Inbound
from riotd.mqtt.link import Link
from riotd.mqtt.packets import Span
from riotd.mqtt.terms import Patience, Terms
from riotd.mqtt.wire import Wire

log = logging.getLogger("riotd.mqtt")

_FAREWELL = 5.0
"""Seconds to wait for UNSUBACK, and at the end for the second half of QoS 2."""
_BUFFER = 8 * 2**20
"""Bytes that may wait if the block does not say."""
_UNANSWERED = 50_000
"""Unacknowledged messages beyond which we read no more, whatever the broker was allowed (mosquitto 2.0.11 with a
backlog sends some 300 more). There are 65,535 packet identifiers; mosquitto does not look whether one is in use, and a
message under such a one would pass for a copy of the other."""

Token = int | None
"""What a message is acknowledged by; None at QoS 0."""


class Subscriber:
    """The subscriptions of one source, on a connection of its own.

    Its own, because a full buffer stops the reading, and with it whatever else came over the connection.

    Args:
        block: broker, filters, limits.
        client_id: our name there; a persistent session belongs to it.
        clock: for `Message.received`.
        patience: between attempts to connect or to subscribe.
        where: the block's path in the configuration.
    """

    def __init__(
        self,
        block: MqttSource,
        *,
        client_id: str,
        clock: Clock | None = None,
        patience: Patience | None = None,
        where: str = "source",
    ) -> None:
        persistent = block.session == "persistent"
        terms = Terms(
            clean=not persistent,
            expiry=block.session_expiry if persistent else 0.0,
            receive_maximum=block.receive_maximum,
            max_packet=block.max_packet,
        )
        self._block, self._patience, self._clock = block, patience or Patience(), clock or SystemClock()
        self._link = Link(
            block,
            client_id=client_id,
            party=self,
            terms=terms,
            welcome=self._welcome,
            patience=self._patience,
            where=where,
        )
        self._inbound = Inbound(five=block.protocol == "5", retained=block.retained)
        self._wire: Wire | None = None
        self._buffer = block.buffer or _BUFFER
        self._comes_again = persistent and block.qos > 0
        self._granted: set[str] = set()
        self._subscribed = asyncio.Event()
        self._complaints: set[str] = set()
        self._news = asyncio.Event()
        self._stopping = self._ended = False

    async def __aenter__(self) -> Self:
        """Begin to connect and to subscribe."""
        await self._link.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect, behind the acknowledgements that are due; QoS 2 has a second half, which is waited for."""
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    while self._wire is not None and self._inbound.releasing:
                        self._news.clear()
                        await self._news.wait()
        finally:
            await self._link.__aexit__(kind, error, trace)

    async def settled(self) -> None:
        """Wait a moment for the broker to grant the subscriptions; without one we go on trying all the same."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience.moment):
                await self._subscribed.wait()

    @property
    def waiting(self) -> int:
        """Messages that are here and not taken."""
        return len(self._inbound)

    @property
    def held(self) -> int:
        """Bytes of what is here and not taken, and of a packet that is not whole yet."""
        return self._inbound.held + (0 if self._wire is None else self._wire.held)

    def counters(self) -> dict[str, int]:
        """The link's counts; retained messages left out; copies recognised; acknowledgements the broker forgot."""
        inbound = self._inbound
        own = {"retained": inbound.left_out, "duplicates": inbound.copies, "acks_dropped": inbound.void}
        return self._link.counters() | own

    async def receive(self, most: int, *, linger: float = 0.0) -> list[Message]:
        """At least one message and at most `most`; empty is the end. Loses nothing when cancelled.

        If it had to wait for the first, it waits another `linger` seconds for company.
        """
        inbound = self._inbound
        waited = False
        while not (len(inbound) or self._ended):
            waited = True
            self._news.clear()
            await self._news.wait()
        if waited and linger and not self._ended:
            await asyncio.sleep(linger)
        if self._ended and self._comes_again:
            return []
        taken = inbound.take(most)
        self._read_on()
        return taken

    def acknowledge(self, tokens: Iterable[Token]) -> None:
        """Tell the broker that these are done with, as soon as all before them are."""
        if self._block.qos:
            self._inbound.acknowledge(tokens)
            self._answer()
            self._read_on()

    def stop(self) -> None:
        """Ask for no more. `receive` ends: at once if the broker keeps the rest, else when all is handed out."""
        if self._stopping:
            return
        self._stopping = True
        if self._comes_again:
            self._end()
        else:
            self._link.start(self._unsubscribe())

    def opened(self, wire: Wire, *, resumed: bool, negotiated: NegotiatedSettings) -> None:
        """As `Party.opened`."""
        del negotiated
        self._wire = wire
        self._inbound.connected(resumed=resumed)

    def hear(self, data: bytes, spans: Sequence[Span]) -> list[bytes]:
        """As `Session.hear`."""
        try:
            return self._inbound.hear(data, spans, self._clock.monotonic())
        finally:
            self._news.set()
            self._answer()
            self._read_on()

    def writable(self) -> None:
        """As `Session.writable`; acknowledgements, being small, never wait for room."""

    def closed(self) -> None:
        """As `Session.closed`."""
        self._wire = None
        self._news.set()

    def _answer(self) -> None:
        if self._wire is not None:
            self._wire.send(self._inbound.answers())

    def _read_on(self) -> None:
        """Read as long as there is room."""
        inbound, wire = self._inbound, self._wire
        if wire is None:
            return
        if inbound.held > self._buffer or inbound.unanswered > _UNANSWERED:
            wire.hold()
        else:
            wire.release()

    def _end(self) -> None:
        self._ended = True
        self._news.set()

    async def _welcome(self, resumed: bool) -> None:  # noqa: FBT001 - what CONNACK says
        """Subscribe to whatever this session is not known to have; again and again to what is refused."""
        if not resumed:
            self._granted.clear()
        for attempt in count():
            missing = [name for name in self._block.topics if name not in self._granted]
            if not missing:
                self._subscribed.set()
            if not missing or self._stopping:
                return
            await self._subscribe(missing)
            if any(name not in self._granted for name in self._block.topics):
                await asyncio.sleep(1.0 + self._patience.wait(attempt + 4))

    async def _subscribe(self, filters: Sequence[str]) -> None:
        try:
            result = await self._link.client.subscribe([(name, self._options()) for name in filters])
        except SubscribeError as error:
            result = error.result
        except (NotConnectedError, OSError):
            return  # lost: this is about to be cancelled, the next connection begins again
        except MQTTTimeoutError:
            self._complain("no answer to SUBSCRIBE; trying again")
            return
        except MQTTError as error:
            self._complain(f"can't subscribe to {', '.join(filters)}: {error}")
            return
        for name, code in zip(filters, result.reason_codes, strict=True):
            self._grant(name, code)
        if granted := [name for name in filters if name in self._granted]:
            log.info("%s: subscribed to %s", self._link.name, ", ".join(granted))

    def _grant(self, name: str, code: int) -> None:
        if code >= 0x80:  # MQTT 5 section 2.4: a failure
            self._complain(f"subscription to {name} refused: {refused_filter(code)}; nothing comes from there")
            return
        self._granted.add(name)
        if code < self._block.qos:
            self._complain(f"subscription to {name}: the broker grants QoS {code}, not {self._block.qos}")

    def _complain(self, text: str) -> None:
        if text not in self._complaints:
            self._complaints.add(text)
            log.warning("%s: %s", self._link.name, text)

    def _options(self) -> SubscribeOptions:
        five = self._block.protocol == "5"
        # 1: retained messages only for a subscription that is new; 2: none. MQTT 3.1.1 has no such choice.
        handling = (1 if self._block.retained else 2) if five else 0
        return SubscribeOptions(qos=self._block.qos, retain_handling=handling)  # type: ignore[arg-type]  # the enum's value will do

    async def _unsubscribe(self) -> None:
        """After UNSUBACK nothing more comes, so what is in the queue then is all."""
        with contextlib.suppress(MQTTError, OSError):
            await self._link.client.unsubscribe(self._block.topics, timeout=_FAREWELL)
        self._end()
