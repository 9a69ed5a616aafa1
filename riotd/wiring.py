"""The only place where the parts meet: a config becomes a service; no I/O happens here."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from riotd import config as cfg
from riotd.batching import Batcher, Limits
from riotd.clock import Clock, SystemClock
from riotd.dataflow import Plan
from riotd.mqtt import Publisher
from riotd.partitioning import KeyOf, Partitioner, by_field, by_topic_level, by_topic_regex, one_key
from riotd.ports import Engine, RejectSink, Sink, Source
from riotd.pump import Books, Ends, Pump
from riotd.reporter import Reporter
from riotd.stats import Stats

_MAX_WAIT = {"inline": 0.0, "ray": 0.006}
"""Seconds a slow feed's first message waits, where the config does not say. Inline a call costs 0.1 ms and company is
not worth waiting for; a Ray call costs 1 ms of CPU, so 1,000 msg/s one by one would take a whole core."""


class Publishers:
    """One publishing connection for each broker, shared by all that publish there."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: dict[cfg.Connection, Publisher] = {}
        self._entered: set[int] = set()

    def get(self, connection: cfg.Connection, *, status: str | None = None) -> Publisher:
        """The publisher for this connection; `status` is the topic of its retained online/offline."""
        if connection not in self._known:
            suffix = "-out" if not self._known else f"-out{len(self._known) + 1}"
            client_id = (connection.client_id or self._name) + suffix
            self._known[connection] = Publisher(connection, client_id=client_id, status=status)
        return self._known[connection]

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


class Service:
    """A daemon's parts, connected; `Supervisor` gives it life."""

    def __init__(self, config: cfg.Config, *, clock: Clock) -> None:
        self.config = config
        self.plan = cfg.plan(config)
        self.publishers = Publishers(config.name)
        self._reporting = _connection(config, config.stats.connection, required=False)
        publisher = self._reporting and self.publishers.get(self._reporting, status=self._named(config.stats.status))
        self.outputs = Outputs(config, self.publishers)
        self.source = _source(config, clock)
        self.engine = _engine(config, self.plan)
        self.pump = Pump(
            Ends(self.source, self.engine, self.outputs.sinks, self.outputs.rejects),
            _books(config, self.plan, clock),
            clock=clock,
        )
        self.reporter = publisher and Reporter(
            publisher,
            topic=self._named(config.stats.topic),
            every=config.stats.every,
            report=self.report,
            clock=clock,
        )

    def report(self) -> dict[str, Any]:
        """The pump's statistics with the counters of the parts; begins a new window."""
        report = {"name": self.config.name, **self.pump.report()}
        report["sinks"] = {
            name: dict(sink.counters()) for name, sink in zip(self.config.sinks, self.outputs.sinks, strict=True)
        }
        report["source"] = dict(self.source.counters())
        report["engine"] = dict(self.engine.counters())
        return report

    async def change(self, config: cfg.Config, stack: AsyncExitStack) -> tuple[list[str], list[str]]:
        """Go over to another config at a batch boundary.

        Returns:
            Keys that were swapped, and keys that can't be swapped live and stay as they were.
        """
        live, fixed = cfg.difference(self.config, config)
        if not live:
            return live, fixed
        merged = cfg.merged(self.config, config)
        plan, old = cfg.plan(merged), self.outputs
        new = Outputs(merged, self.publishers)
        await self.publishers.enter(stack)
        await stack.enter_async_context(new)
        await self.pump.swap(plan, limits(merged), new.sinks, new.rejects)
        self.config, self.plan, self.outputs = merged, plan, new
        await old.__aexit__()
        return live, fixed

    def _named(self, topic: str) -> str:
        return topic.replace("{name}", self.config.name)


def build(config: cfg.Config, *, clock: Clock | None = None) -> Service:
    """Connect the parts a config asks for.

    Raises:
        ConfigError: an extra that it needs is not installed.
    """
    return Service(config, clock=clock or SystemClock())


def limits(config: cfg.Config) -> Limits:
    """Limits of a whole batch: those of the config are a shard's share."""
    batch, shards = config.batch, config.engine.shards
    wait = _MAX_WAIT[config.engine.type] if batch.max_wait is None else batch.max_wait
    return Limits(batch.max_records * shards, batch.max_bytes * shards, wait)


def _books(config: cfg.Config, plan: Plan, clock: Clock) -> Books:
    now = clock.monotonic()
    return Books(
        # ids go on rising over restarts: they start at the microsecond of the start
        Batcher(limits(config), first_id=int(clock.wall() * 1e6)),
        Partitioner(
            _key_of(config.key),
            shards=config.engine.shards,
            per_topic=config.key.field is None,
            topics=any(outlet.topics for outlet in plan.outlets),
        ),
        Stats([stage.id for stage in plan.stages], shards=config.engine.shards, now=now),
        config.max_in_flight,
    )


def _key_of(key: cfg.Key) -> KeyOf:
    if key.topic_level is not None:
        return by_topic_level(key.topic_level)
    if key.topic_regex is not None:
        return by_topic_regex(key.topic_regex)
    return by_field(key.field) if key.field is not None else one_key


def _source(config: cfg.Config, clock: Clock) -> Source:
    if isinstance(config.source, cfg.MqttSource):
        from riotd.sources.mqtt import MqttSource  # noqa: PLC0415 - only the parts in use are loaded

        return MqttSource(config.source, name=config.name, clock=clock)
    from riotd.sources.files import FileSource  # noqa: PLC0415

    return FileSource(config.source, clock=clock)


def _engine(config: cfg.Config, plan: Plan) -> Engine:
    block = config.engine
    if block.type == "ray":
        from riotd.engines.ray_actors import RayEngine  # noqa: PLC0415 - Ray takes a second to load

        return RayEngine(plan, shards=block.shards, address=block.address)
    from riotd.engines.inline import InlineEngine  # noqa: PLC0415

    return InlineEngine(plan, shards=block.shards)


def _connection(config: cfg.Config, own: cfg.Connection | None, *, required: bool = True) -> cfg.Connection | None:
    """How to reach the broker a block means: its own, else the source's, else the first MQTT sink's."""
    if own is not None:
        return own
    if isinstance(config.source, cfg.MqttSource):
        return config.source.connection()
    others = (block.connection for block in config.sinks.values() if isinstance(block, cfg.MqttSink))
    found = next((connection for connection in others if connection is not None), None)
    if found is None and required:
        raise AssertionError("checked when the config was loaded")
    return found


def _sink(config: cfg.Config, block: cfg.MqttSink | cfg.FileSink, publishers: Publishers) -> Sink:
    if isinstance(block, cfg.MqttSink):
        from riotd.sinks.mqtt import MqttSink  # noqa: PLC0415

        return MqttSink(block, publishers.get(_must(_connection(config, block.connection))))
    from riotd.sinks.files import FileSink  # noqa: PLC0415

    return FileSink(block)


def _rejects(config: cfg.Config, publishers: Publishers) -> RejectSink:
    block = config.rejects
    if isinstance(block, cfg.MqttRejects):
        from riotd.sinks.mqtt import MqttRejects  # noqa: PLC0415

        return MqttRejects(block, publishers.get(_must(_connection(config, block.connection))), config.name)
    if isinstance(block, cfg.FileRejects):
        from riotd.sinks.files import FileRejects  # noqa: PLC0415

        return FileRejects(block)
    from riotd.sinks.log import LogRejects  # noqa: PLC0415

    return LogRejects()


def _must(connection: cfg.Connection | None) -> cfg.Connection:
    assert connection is not None  # noqa: S101 - `check` refuses such a config
    return connection


def state_directory() -> Path | None:
    """Where systemd lets us keep state, if it runs us."""
    import os  # noqa: PLC0415

    first = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(first) if first else None
