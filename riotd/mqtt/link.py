"""One broker connection that mends itself and says what ails it.

mqttium reconnects by itself, but says nothing about attempts that fail; so beside it runs a watch that asks, once per
change, why there is no connection. Some causes (bad password, take-over) end mqttium's own efforts; then the link rests
and begins again.
"""

import asyncio
import contextlib
import logging
import random
import ssl
import time
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import count
from types import TracebackType
from typing import Protocol, Self

from mqttium import ConnectionState, MQTTError
from mqttium.api import AsyncClient, ConnAckPacket, NegotiatedSettings

from riotd.config import Connection
from riotd.errors import ConfigError, Mistake
from riotd.mqtt.credentials import read_secret, tls_context
from riotd.mqtt.faults import Fault, by_reason, explain, probe
from riotd.mqtt.terms import Patience, Terms, new_client
from riotd.mqtt.wire import Session, Wire

log = logging.getLogger("riotd.mqtt")

_BRIEF = 30.0
"""Seconds; connections that the broker ends sooner, two in a row, are no longer announced: it keeps throwing us out."""

_SILENCE = Fault("reachable, but no answer to CONNECT; is it an MQTT broker, does it want mqtts://?")


class Party(Session, Protocol):
    """Whose publications a link carries."""

    def opened(self, wire: Wire, *, resumed: bool, negotiated: NegotiatedSettings) -> None:
        """A connection is there, with the session of the one before or a new one; comes before any `hear`."""


class Link:
    """A connection kept up for as long as the context is open. Entering does not wait for the broker.

    Args:
        connection: the broker.
        client_id: our name there.
        party: who sends and receives over it.
        terms: what it is for.
        welcome: run after every CONNACK with whether the session was resumed; cancelled when the connection is lost.
        patience: between attempts.
        where: the connection's path in the configuration, for messages about its secrets.

    Attributes:
        client: mqttium's, for subscriptions.

    Raises:
        ConfigError: on entering, when a secret or a certificate can't be read.
    """

    def __init__(  # noqa: PLR0913 - seven by keyword are the house's limit
        self,
        connection: Connection,
        *,
        client_id: str,
        party: Party,
        terms: Terms,
        welcome: Callable[[bool], Coroutine[None, None, None]] | None = None,
        patience: Patience | None = None,
        where: str = "mqtt",
    ) -> None:
        self.name = f"{connection.url} as {client_id}"
        self._connection, self._client_id, self._terms, self._where = connection, client_id, terms, where
        self._party, self._welcome, self._patience = party, welcome, patience or Patience()
        self._wire: Wire | None = None
        self._context: ssl.SSLContext | None = None
        self._password: str | None = None
        self._tasks = asyncio.TaskGroup()
        self._greeting: asyncio.Task[None] | None = None
        self._up, self._down, self._over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._resting = self._resumed = self._closing = False
        self._fault: Fault | None = None
        self._since, self._brief = 0.0, 0
        self._connects = self._losses = self._failures = 0

    async def __aenter__(self) -> Self:
        """Read the secrets and begin to connect."""
        await asyncio.to_thread(self._equip)
        self.client = self._new_client()
        self._down.set()
        await self._tasks.__aenter__()
        self._living = [self._tasks.create_task(self._live()), self._tasks.create_task(self._watch())]
        return self

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run `work` for as long as the link is open; a failure of it ends the context."""
        self._living.append(self._tasks.create_task(work))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect in good order: what is in the outbox is written first, for at most five seconds."""
        self._closing = True
        for task in (*self._living, *((self._greeting,) if self._greeting else ())):
            task.cancel()
        try:
            # The group would wrap an error of the body; it needs to know only of a cancellation, which may be its own.
            ours = (kind, error, trace) if isinstance(error, asyncio.CancelledError) else (None, None, None)
            await self._tasks.__aexit__(*ours)
        finally:
            await self.client.disconnect()

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self.client.is_connected

    def counters(self) -> dict[str, int]:
        """Counts since start: connections made, connections lost, attempts seen to fail."""
        return {"connects": self._connects, "losses": self._losses, "failures": self._failures}

    def _equip(self) -> None:
        connection = self._connection
        if connection.password is not None and connection.username is None and connection.protocol == "3.1.1":
            where = f"{self._where}.username"
            raise ConfigError([Mistake(where, "MQTT 3.1.1 has no password without a user name", "set username")])
        if connection.password is not None:
            self._password = read_secret(connection.password, f"{self._where}.password")
        self._context = tls_context(connection, self._where)

    def _new_client(self) -> AsyncClient:
        client = new_client(
            self._connection,
            client_id=self._client_id,
            password=self._password,
            terms=self._terms,
            patience=self._patience,
            dial=self._dial,
        )
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        return client

    async def _dial(self, host: str, port: int, *, ssl: ssl.SSLContext | None = None) -> Wire:
        """What the client writes to and reads from, instead of a connection of its own."""
        loop = asyncio.get_running_loop()
        make = partial(Wire, self._party, largest=self._terms.max_packet)
        _, self._wire = await loop.create_connection(make, host, port, ssl=ssl)
        return self._wire

    async def _live(self) -> None:
        """Connect; when the client gives up, rest and begin again."""
        attempt = 0
        while True:
            self._over.clear()
            try:
                await self.client.connect(self._connection.host, self._connection.port, ssl=self._context)
                attempt = 0
                await self._over.wait()
            except (MQTTError, OSError) as error:
                if "unusable" in str(error):
                    raise  # its inner state is broken: a bug, and waiting would not mend it
                self._failures += 1
                self._report(explain(error, self._connection))
            self._resting = True
            await asyncio.sleep(self._rest(attempt))
            self._resting = False
            attempt += 1

    def _rest(self, attempt: int) -> float:
        if self._fault and self._fault.taken_over:
            return self._patience.taken_over * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        return self._patience.wait(attempt)

    def _on_connect(self, packet: ConnAckPacket) -> None:
        if self._closing:
            return
        self._connects += 1
        self._since, self._resumed = time.monotonic(), packet.session_present
        self._down.clear()
        self._up.set()
        self._stop_greeting()
        if self._wire is not None and not self._wire.ended:
            self._party.opened(self._wire, resumed=packet.session_present, negotiated=self.client.negotiated)
            self._wire.open()
        if self._welcome is not None:
            self._greeting = self._tasks.create_task(self._welcome(packet.session_present))

    def _on_disconnect(self, error: BaseException | None) -> None:
        if self._closing:
            return
        self._stop_greeting()
        fault = explain(error, self._connection)
        if self._up.is_set():
            self._losses += 1
            brief = fault.unsaid and time.monotonic() - self._since < _BRIEF
            self._brief = self._brief + 1 if brief else 0
        else:
            self._failures += 1
        self._up.clear()
        self._down.set()
        self._report(self._suspicion(fault))
        if self.client.state is ConnectionState.DISCONNECTED:
            self._over.set()

    def _suspicion(self, fault: Fault) -> Fault:
        """MQTT 3.1.1, and mosquitto before 2.1, have no word for a take-over; all one sees is being thrown out."""
        if self._brief < 2 or not fault.unsaid:
            return fault
        return Fault(f"{fault.text}, again; perhaps we are taken over by another client with the same client_id")

    def _stop_greeting(self) -> None:
        if self._greeting is not None:
            self._greeting.cancel()

    async def _watch(self) -> None:
        """Say why there is no connection, and when there is one again; each once."""
        while True:
            await self._diagnose()
            if self._brief < 2 or not await _within(_BRIEF, self._down):
                self._fault = None
                log.info("%s: connected, session %s", self.name, "resumed" if self._resumed else "new")
            await self._down.wait()

    async def _diagnose(self) -> None:
        for attempt in count():
            if await _within(0.2 + self._patience.wait(attempt), self._up):
                return
            if not self._resting and (fault := await self._ask(attempt)) and not self.connected:
                self._failures += 1
                self._report(fault)

    async def _ask(self, attempt: int) -> Fault | None:
        """What an attempt of our own meets, or what the broker answered to the client's first ones."""
        if fault := await probe(self._connection, self._context):
            return fault
        if not self._connects and (code := self.client.stats().last_disconnect_reason_code):
            return by_reason(code, self._connection)
        return _SILENCE if attempt > 3 else None

    def _report(self, fault: Fault) -> None:
        if fault != self._fault:
            self._fault = fault
            log.log(logging.ERROR if fault.human else logging.WARNING, "%s: %s", self.name, fault.text)


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Whether `event` is set before `seconds` are over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
