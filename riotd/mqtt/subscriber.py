"""What comes in over one connection: subscriptions kept, messages in order, acknowledgements when told."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import count
from types import TracebackType
from typing import Self

from mqttium import MQTTError, MQTTTimeoutError, NotConnectedError, ProtocolError, SubscribeError
from mqttium.api import Message as Incoming
from mqttium.api import SubscribeOptions

from riotd.config import MqttSource
from riotd.mqtt.faults import refused_filter
from riotd.mqtt.link import Link
from riotd.mqtt.terms import Patience, Terms, tolerate

log = logging.getLogger("riotd.mqtt")

_FAREWELL = 5.0
"""Seconds to wait for UNSUBACK, and as long for acknowledgements still owed at the end."""


class Subscriber:
    """The subscriptions of one source, on a connection of its own.

    Its own, because a full buffer stops the reading, and with it whatever else came over the connection.

    Args:
        block: broker, filters, limits.
        client_id: our name there; a persistent session belongs to it.
        patience: between attempts to connect or to subscribe.
        where: the block's path in the configuration.
    """

    def __init__(
        self, block: MqttSource, *, client_id: str, patience: Patience | None = None, where: str = "source"
    ) -> None:
        persistent = block.session == "persistent"
        terms = Terms(
            clean=not persistent,
            keep=True,
            expiry=block.session_expiry if persistent else 0.0,
            manual_ack=True,
            receive_maximum=block.receive_maximum,
            buffer=block.buffer,
            max_packet=block.max_packet,
        )
        self._block, self._patience = block, patience or Patience()
        self._link = Link(
            block, client_id=client_id, terms=terms, welcome=self._welcome, patience=self._patience, where=where
        )
        self._comes_again = persistent and block.qos > 0
        self._granted: set[str] = set()
        self._subscribed = asyncio.Event()
        self._complaints: set[str] = set()
        self._surfaced: dict[int, object] = {}
        self._owed: deque[Incoming] = deque()
        self._owing, self._paid = asyncio.Event(), asyncio.Event()
        self._stopping = False
        self._coming: asyncio.Task[Incoming] | None = None
        self.lingered = 0.0
        """Seconds that what `receive` gave last may have waited in it."""
        self._counts = {"retained": 0, "duplicates": 0, "acks_dropped": 0}

    async def __aenter__(self) -> Self:
        """Begin to connect and to subscribe."""
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._link.__aenter__()
        self._messages = self._link.client.messages()
        self._link.start(self._acknowledge())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send the acknowledgements still owed, if there is a connection, and disconnect."""
        try:
            if self._owed and self._link.connected:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_FAREWELL):
                        await self._paid.wait()
            if self._coming is not None:
                self._coming.cancel()
                await asyncio.wait((self._coming,))
        finally:
            await self._link.__aexit__(kind, error, trace)

    async def settled(self) -> None:
        """Wait a moment for the broker to grant the subscriptions; without one we go on trying all the same."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience.moment):
                await self._subscribed.wait()

    def counters(self) -> dict[str, int]:
        """The link's counts; retained messages left out; copies recognised; acknowledgements the broker forgot."""
        return self._link.counters() | self._counts

    async def receive(self, most: int, *, linger: float = 0.0) -> list[Incoming]:
        """At least one message and at most `most`; empty is the end. Loses nothing when cancelled.

        If it had to wait for the first, it waits another `linger` seconds for company; `lingered` says so.
        """
        while await self._arrival():
            self.lingered = 0.0 if self._coming is None else linger
            if self.lingered:
                await asyncio.sleep(linger)
            taken = [] if self._coming is None else [self._coming.result()]
            self._coming = None
            room = min(most, len(taken) + self._waiting())
            if len(taken) < room:
                async for message in self._messages:  # never suspends: that many are there
                    taken.append(message)
                    if len(taken) == room:
                        break
                else:  # the client gave up and connected again; what it had received is in a new iterator
                    self._messages = self._link.client.messages()
            if kept := self._sift(taken):
                return kept
        return []

    def acknowledge(self, messages: Iterable[Incoming]) -> None:
        """Owe the broker these acknowledgements, to be sent in this order as soon as can be."""
        if self._block.qos:
            self._owed.extend(messages)
            self._owing.set()
            self._paid.clear()

    def stop(self) -> None:
        """Ask for no more. `receive` ends: at once if the broker keeps the rest, else when all is handed out."""
        if self._stopping:
            return
        self._stopping = True
        if self._comes_again:
            self._ended.set_result(None)
        else:
            self._link.start(self._unsubscribe())

    async def _arrival(self) -> bool:
        """Wait for a message; False is the end. What waits is a task, so that cancelling us leaves it be."""
        if self._coming is None and self._waiting() and not (self._comes_again and self._stopping):
            return True
        if self._coming is None:
            self._coming = asyncio.create_task(self._next(), name="mqtt receive")
        if not self._ended.done():
            await asyncio.wait((self._coming, self._ended), return_when=asyncio.FIRST_COMPLETED)
        if self._ended.done() and not self._comes_again and not self._coming.done() and self._left():
            await asyncio.wait((self._coming,))
        return self._coming.done() and not (self._ended.done() and self._comes_again)

    async def _next(self) -> Incoming:
        while True:
            async for message in self._messages:
                return message
            await self._link.up()  # the client gave up, which ends its iterator
            self._messages = self._link.client.messages()

    def _waiting(self) -> int:
        return self._link.client.stats().delivery.iterator_queued

    def _left(self) -> bool:
        """Whether something received is not handed out, in the queue or waiting for room in it."""
        delivery = self._link.client.stats().delivery
        return bool(delivery.iterator_queued or delivery.waiters)

    def _sift(self, taken: list[Incoming]) -> list[Incoming]:
        """Leave out retained messages if so configured, and copies the broker sent for want of an acknowledgement.

        After a reconnect that resumed the session the broker sends again whatever it has no acknowledgement for,
        and mqttium hands it out again. A copy is one of the same exchange, which only its token can tell.
        """
        if not self._block.qos and self._block.retained:
            return taken
        kept, surfaced = [], self._surfaced
        for message in taken:
            if message.mid is not None:
                token = message._ack_token  # noqa: SLF001 - nothing public says whether two are one exchange
                if message.dup and surfaced.get(message.mid) is token:
                    self._counts["duplicates"] += 1
                    continue
                surfaced[message.mid] = token
            if message.retain and not self._block.retained:
                self._counts["retained"] += 1
                self.acknowledge((message,))
                continue
            kept.append(message)
        return kept

    async def _acknowledge(self) -> None:
        """Pay what is owed, in order; wait while there is no connection."""
        owed = self._owed
        while True:
            await self._owing.wait()
            while owed:
                try:
                    await self._link.client.ack(owed[0])
                except NotConnectedError:
                    await self._link.up()
                    continue
                except ProtocolError:  # the session is gone, and with it what was to be acknowledged
                    self._counts["acks_dropped"] += 1
                except (MQTTError, OSError):  # noted but not written: the broker sends the message again
                    pass
                owed.popleft()
            self._owing.clear()
            self._paid.set()

    async def _welcome(self, resumed: bool) -> None:  # noqa: FBT001 - what CONNACK says
        """Subscribe to whatever this session is not known to have; again and again to what is refused."""
        tolerate(self._link.client)
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
        self._ended.set_result(None)
