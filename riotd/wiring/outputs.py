"""Where results and dead letters go: sinks, rejects, and the connections they publish by."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

from riotd import config as cfg
from riotd.errors import ConfigError, Mistake
from riotd.mqtt import Publisher
from riotd.ports import RejectSink, Sink


class Publishers:
    """One publishing connection for each broker, shared by all that publish there."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: dict[tuple[cfg.Connection, int | None], Publisher] = {}
        self._entered: set[int] = set()

    def get(
        self, connection: cfg.Connection, *, max_inflight: int | None = None, status: str | None = None
    ) -> Publisher:
        """The publisher for this connection; `status` is the topic of its retained online/offline."""
        key = (connection, max_inflight)
        if key not in self._known:
            suffix = "-out" if not self._known else f"-out{len(self._known) + 1}"
            self._known[key] = Publisher(
                connection,
                client_id=(connection.client_id or f"riotd-{self._name}") + suffix,
                will=(status, b"offline", 1, True) if status else None,
                hello=(status, b"online", 1, True) if status else None,
                max_inflight=max_inflight,
            )
        return self._known[key]

    async def enter(self, stack: AsyncExitStack) -> None:
        """Enter those not yet entered."""
        for publisher in self._known.values():
            if id(publisher) not in self._entered:
                self._entered.add(id(publisher))
                await stack.enter_async_context(publisher)


class Outputs:
    """Sinks and rejects of one config, entered and left together."""

    def __init__(self, config: cfg.Config, publishers: Publishers) -> None:
        self.sinks: Sequence[Sink] = [_sink(config, block, publishers) for block in config.sinks.values()]
        self.rejects = _rejects(config, publishers)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as entering:
            for sink in (*self.sinks, self.rejects):
                await entering.enter_async_context(sink)
            self._stack = entering.pop_all()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()


def connection(config: cfg.Config, own: cfg.Connection | None) -> cfg.Connection | None:
    """How to reach the broker a block means: its own, else the first MQTT source's, else the first MQTT sink's."""
    if own is not None:
        return own
    if config.broker is not None:
        return config.broker
    others = (block.connection for block in config.sinks.values() if isinstance(block, cfg.MqttSink))
    return next((connection for connection in others if connection is not None), None)


def _publisher(config: cfg.Config, block: cfg.MqttSink | cfg.MqttRejects, publishers: Publishers) -> Publisher:
    found = connection(config, block.connection)
    if found is None:
        raise ConfigError([Mistake(block.topic, "there is no broker to publish to", "give it a connection: {url: …}")])
    return publishers.get(found, max_inflight=getattr(block, "max_inflight", None))


def _sink(config: cfg.Config, block: cfg.MqttSink | cfg.FileSink, publishers: Publishers) -> Sink:
    if isinstance(block, cfg.MqttSink):
        from riotd.sinks.mqtt import MqttSink  # noqa: PLC0415

        return MqttSink(block, _publisher(config, block, publishers))
    from riotd.sinks.files import FileSink  # noqa: PLC0415

    return FileSink(block)


def _rejects(config: cfg.Config, publishers: Publishers) -> RejectSink:
    block = config.rejects
    if isinstance(block, cfg.MqttRejects):
        from riotd.sinks.mqtt import MqttRejects  # noqa: PLC0415

        return MqttRejects(block, _publisher(config, block, publishers), config.name)
    if isinstance(block, cfg.FileRejects):
        from riotd.sinks.letters import StoredRejects  # noqa: PLC0415

        return StoredRejects(block)
    from riotd.sinks.log import LogRejects  # noqa: PLC0415

    return LogRejects()
