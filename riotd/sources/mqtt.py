"""Messages of MQTT subscriptions."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from riotd import config
from riotd.clock import Clock
from riotd.messages import Message
from riotd.mqtt import Patience, Subscriber

_MOST = 2_000
"""Messages one `receive` gives at most, so that the loop turns to others in between: about 5 ms."""


class MqttSource:
    """A source over a broker; keeps to `riotd.ports.Source`.

    At QoS 1 and 2 nothing is acknowledged before `ack` says so, and then in the order of arrival. What arrives
    and is not received waits in a buffer of bounded bytes; when that is full, reading stops and the broker holds
    back. With a persistent session what is not acknowledged comes again: after a reconnect it is recognised and
    left out as long as this process runs, after a restart it comes as new.

    Args:
        block: broker, filters, limits.
        name: the daemon's; names the session where the block gives no client_id.
        clock: for `Message.received`.
        linger: on a slow feed, seconds that a `receive` which had to wait goes on collecting. Taking messages one
            by one costs 0.2 ms of CPU each.
        patience: between attempts to connect.
        where: the block's path in the configuration.
    """

    def __init__(  # noqa: PLR0913 - seven by keyword are the house's limit
        self,
        block: config.MqttSource,
        *,
        name: str,
        clock: Clock,
        linger: float = 0.0,
        patience: Patience | None = None,
        where: str = "source",
    ) -> None:
        self._linger = linger
        client_id = block.client_id or f"riotd-{name}-in"
        self._subscriber = Subscriber(block, client_id=client_id, clock=clock, patience=patience, where=where)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Begin to connect, and give the broker a moment to grant what we ask for.

        So whoever hears that the daemon is ready may publish. Raises `ConfigError` when a secret can't be read.
        """
        async with AsyncExitStack() as entering:
            entering.push_async_exit(await self.begin())
            await self.settled()
            entering.pop_all()
        return self

    async def begin(self) -> Self:
        """As `riotd.ports.Settling.begin`."""
        await self._stack.enter_async_context(self._subscriber)
        return self

    async def settled(self) -> None:
        """As `riotd.ports.Settling.settled`: the subscriptions are granted, or the moment is over."""
        await self._subscriber.settled()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect, behind the acknowledgements that are due."""
        await self._stack.__aexit__(kind, error, trace)

    async def receive(self) -> Sequence[Message]:
        """As `riotd.ports.Source.receive`; at most 2,000 messages."""
        return await self._subscriber.receive(_MOST, linger=self._linger)

    async def ack(self, messages: Sequence[Message]) -> None:
        """As `riotd.ports.Source.ack`; what a lost session makes void is dropped and counted."""
        self._subscriber.acknowledge([message.token for message in messages])

    async def stop(self) -> None:
        """As `riotd.ports.Source.stop`: UNSUBSCRIBE, unless the broker keeps what we leave."""
        self._subscriber.stop()

    def held(self) -> int:
        """As `riotd.ports.Holder.held`."""
        return self._subscriber.held

    def counters(self) -> Mapping[str, int]:
        """Connects, losses, failures; retained messages left out; copies recognised; void acknowledgements."""
        return self._subscriber.counters()
