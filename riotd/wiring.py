"""The only place where the parts meet: a config becomes a service; no I/O happens here."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

from riotd import config as cfg
from riotd.batching import Batcher, Limits
from riotd.books import Regime
from riotd.budget import Budget
from riotd.channels import Channels
from riotd.clock import Clock, SystemClock
from riotd.control import Handler
from riotd.dataflow import Plan
from riotd.errors import ConfigError, Mistake
from riotd.keeping import Keeper
from riotd.ledger import Ledger
from riotd.mqtt import Publisher
from riotd.orders import Orders
from riotd.partitioning import Keying, KeyOf, Partitioner, by_field, by_topic_level, by_topic_regex, one_key
from riotd.ports import Counting, Diary, Engine, Holder, RejectSink, Resumable, Sink, Source
from riotd.pump import Before, Books, Ends, Pump
from riotd.reporter import Reporter
from riotd.rescaling import Rescaler
from riotd.segments import entrances, passes
from riotd.sources.journaled import Journaled
from riotd.stats import Stats

if TYPE_CHECKING:
    from riotd.control.commands import Commands

log = logging.getLogger(__name__)


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


class Service:
    """A daemon's parts, connected; `Supervisor` gives it life."""

    def __init__(self, config: cfg.Config, *, path: Sequence[str], clock: Clock) -> None:
        self.config = config
        self._path = path
        self.plan = cfg.plan(config, path)
        self.publishers = Publishers(config.name)
        connection = _connection(config, config.stats.connection)
        status = self._named(config.stats.status)
        publisher = None if connection is None else self.publishers.get(connection, status=status)
        self.outputs = Outputs(config, self.publishers)
        self.keeper = _keeper(config, self.outputs, clock) if config.durable != "none" else None
        shares = cfg.shares(config)
        sources = {inlet.name: _inlet(config, inlet, clock, shares.buffer) for inlet in config.inlets}
        self._resumable = frozenset(
            index for index, source in enumerate(sources.values()) if isinstance(source, Resumable)
        )
        self.source = _merged(sources)
        self._clock = clock
        intake = self.source
        if self.keeper is not None and config.durable == "journal":
            self.source = Journaled(self.source, self.keeper.writer, clock, room=self.keeper.room)
        self.engine = _engine(config, self.plan)
        self.pump = Pump(
            Ends(self.source, self.engine, self.outputs.sinks, self.outputs.rejects),
            books := _books(
                config, self.plan, clock, shares, diary=self.source if isinstance(self.source, Journaled) else None
            ),
            clock=clock,
        )
        _count(books, shares, intake, self.source, self.engine)
        self.rescaler = Rescaler(self.pump, self.engine, self.regime)
        self.orders = Orders(self.rescaler, check=self.regime, remember=self._remember)
        self.reporter = None if publisher is None else self._reporter(publisher, clock)

    def report(self, *, look: bool = False) -> dict[str, Any]:
        """The pump's statistics with the counters of the parts; begins a new window, or only looks."""
        report = {"name": self.config.name, **self.pump.report(look=look)}
        report["sinks"] = {
            name: dict(sink.counters()) for name, sink in zip(self.config.sinks, self.outputs.sinks, strict=True)
        }
        report["source"] = dict(self.source.counters())
        report["engine"] = dict(self.engine.counters())
        if isinstance(self.outputs.rejects, Counting):
            report["rejects"] = dict(self.outputs.rejects.counters())
        if self.keeper is not None:
            report["state"] = dict(self.keeper.counters())
        if self.rescaler.last is not None:
            report["scaling"] = self.rescaler.last.report()
        return report

    def regime(self, shards: int) -> Regime:
        """What follows from the present config for so many shards.

        Raises:
            ConfigError: it can't be run with so many.
        """
        config = cfg.scaled(self.config, shards)
        own = cfg.shares(config)
        memory = {"waiting": own.waiting, "in flight": own.in_flight, "results": own.results, "snapshots": own.rest}
        return Regime(cfg.plan(config, self._path), limits(config), own.credit, {"all": own.total, **memory})

    async def size(self) -> None:
        """Before the engine is entered: have as many shards as there were last, if the config asks for what it did."""
        asked = self.config.engine.shards
        shards = asked if self.keeper is None else await self.keeper.shards(asked)
        if shards == asked:
            return
        try:
            regime = self.regime(shards)
        except ConfigError as error:
            log.warning("%d shards and not the %d it was scaled to: %s", asked, shards, error)
            return
        log.info("%d shards, as it was scaled to; engine.shards has asked for %d since then", shards, asked)
        await self.engine.resize(shards)
        self.pump.begin_with(regime)

    async def _remember(self, shards: int) -> None:
        """Have the next start begin with so many shards."""
        if self.keeper is not None:
            await self.keeper.remember_shards(self.config.engine.shards, shards)

    def commands(self, questions: Mapping[str, Handler]) -> "Commands | None":
        """Who answers questions over MQTT, and takes orders; None if nobody does."""
        block = self.config.control
        connection = _connection(self.config, block.connection or self.config.stats.connection)
        if block.mqtt == "none" or connection is None:
            return None
        from riotd.control.commands import Commands  # noqa: PLC0415 - only the parts in use are loaded

        commands = Commands(
            connection,
            topic=self._named(block.topic),
            name=self.config.name,
            publisher=self.publishers.get(connection),
            questions=questions,
            orders={"scale": self.orders.scale} if block.mqtt == "write" else None,
        )
        self.orders.told.append(lambda report: commands.tell({"do": "scale", "answer": report}))
        return commands

    async def resume(self) -> Before | None:
        """Find where an earlier life ended; the state folder is open and the sinks are entered.

        Returns:
            What the pump is to do again.
        """
        keeper, source = self.keeper, self.source
        if keeper is None:
            return None
        await self._remember(self.rescaler.shards)
        if keeper.position and isinstance(source, Resumable):
            source.resume(keeper.position)
        self.pump.number_from(keeper.first)
        if isinstance(source, Journaled):
            keeper.history.watched = self._resumable
            source.go_on(
                next_number=keeper.log.next,
                first=keeper.first,
                marked=keeper.log.settled,
                history=keeper.history,
                tail=keeper.log.tail,
            )
            keeper.log.tail.clear()
        return keeper.before(await keeper.rewind())

    async def begin(self) -> None:
        """Begin with what is new; all is entered.

        In a first life it is kept where it begins, so that its first seconds too can be done again. If messages may not
        come again in the order they had, they get ids that no other had: whoever drops results by the id would drop
        too many.
        """
        keeper, source = self.keeper, self.source
        if keeper is None:
            return
        if not (isinstance(source, Resumable) and source.same_order):
            self.pump.number_from(max(keeper.first, _now_id(self._clock)))
        await keeper.begin(self.pump.beginning())

    async def change(self, config: cfg.Config, stack: AsyncExitStack) -> tuple[list[str], list[str]]:
        """Go over to another config at a batch boundary.

        Returns:
            Keys that were swapped, and keys that can't be swapped live and stay as they were.
        """
        live, fixed = cfg.difference(self.config, config)
        if not live:
            return live, fixed
        merged, old = cfg.merged(self.config, config), self.outputs
        cfg.scaled(merged, self.rescaler.shards)  # now, not when the new sinks are open
        new = Outputs(merged, self.publishers)
        await self.publishers.enter(stack)
        await stack.enter_async_context(new)
        async with self.rescaler.resizing:
            present = cfg.scaled(merged, self.rescaler.shards)
            plan = cfg.plan(present, self._path)
            await self.pump.swap(plan, limits(present), new.sinks, new.rejects)
            self.config, self.plan, self.outputs = merged, plan, new
        if self.keeper is not None:
            self.keeper.go_over(dict(zip(merged.sinks, new.sinks, strict=True)), new.rejects)
        await old.__aexit__()
        return live, fixed

    def _reporter(self, publisher: Publisher, clock: Clock) -> Reporter:
        block = self.config.stats
        topic = self._named(block.topic)
        return Reporter(publisher, topic=topic, every=block.every, report=self.report, clock=clock)

    def _named(self, topic: str) -> str:
        return topic.replace("{name}", self.config.name)


def build(config: cfg.Config, *, path: Sequence[str] = (), clock: Clock | None = None) -> Service:
    """Connect the parts a config asks for.

    Args:
        config: as `load` gave it.
        path: where workers look for tasks named `module:Class`, before everywhere else.
        clock: default the machine's.

    Raises:
        ConfigError: an extra that it needs is not installed.
    """
    return Service(config, path=path, clock=clock or SystemClock())


def limits(config: cfg.Config) -> Limits:
    """Limits of a whole batch: those of the config are a shard's share."""
    batch, shards = config.batch, config.engine.shards
    return Limits(batch.max_records * shards, batch.max_bytes * shards, config.max_wait)


def _keeper(config: cfg.Config, outputs: Outputs, clock: Clock) -> Keeper:
    sinks = dict(zip(config.sinks, outputs.sinks, strict=True))
    block = config.state
    keeper = Keeper(config.state_folder, sinks, every=block.every, quota=block.quota, clock=clock)
    keeper.rejects = outputs.rejects
    return keeper


def _now_id(clock: Clock) -> int:
    """An id above all of earlier lives: they begin at the microsecond of the start."""
    return int(clock.wall() * 1e6)


def _books(config: cfg.Config, plan: Plan, clock: Clock, shares: cfg.Shares, *, diary: Diary | None) -> Books:
    now = clock.monotonic()
    return Books(
        Batcher(limits(config), first_id=_now_id(clock)),  # ids go on rising over restarts
        Partitioner(
            *map(_keying, config.inlets),
            shards=config.engine.shards,
            topics=any(outlet.topics for outlet in plan.outlets),
        ),
        Stats([stage.id for stage in plan.stages], shards=config.engine.shards, now=now, entrances=entrances(plan)),
        shares.credit,
        passes(plan),
        diary,
        ledger=Ledger(Channels({inlet.name or "source": _filters(config, inlet) for inlet in config.inlets})),
        kept=config.durable != "none",
        budget=Budget(shares.total, results=shares.results),
    )


def _count(books: Books, shares: cfg.Shares, intake: Source, source: Source, engine: Engine) -> None:
    """Have the budget know who holds what."""
    budget, batcher = books.budget, books.batcher
    if isinstance(intake, Holder):
        budget.add("buffers", shares.packets + shares.buffers, intake.held)
    if isinstance(source, Journaled):
        budget.add("journal", shares.journal, source.own)
    budget.add("waiting", shares.waiting, lambda: batcher.held)
    budget.add("in flight", shares.in_flight, lambda: books.ledger.in_flight_bytes)
    if isinstance(engine, Holder):
        budget.add("snapshots", shares.rest, engine.held)


def _filters(config: cfg.Config, inlet: cfg.Inlet) -> Sequence[str]:
    """What a source takes in, in the config's words."""
    block = inlet.block
    if isinstance(block, cfg.MqttSource):
        return block.topics
    return (block.path if isinstance(block, cfg.FileSource) else f"timer/{inlet.name or config.name}",)


def _keying(inlet: cfg.Inlet) -> Keying:
    return Keying(None if inlet.every else _key_of(inlet.key), inlet.key.field is None)


def _key_of(key: cfg.Key) -> KeyOf:
    if key.topic_level is not None:
        return by_topic_level(key.topic_level)
    if key.topic_regex is not None:
        return by_topic_regex(key.topic_regex)
    return by_field(key.field) if key.field is not None else one_key


def _merged(sources: Mapping[str, Source]) -> Source:
    if len(sources) == 1:
        return next(iter(sources.values()))
    from riotd.sources.merged import Merged  # noqa: PLC0415 - only the parts in use are loaded

    return Merged(sources)


def _inlet(config: cfg.Config, inlet: cfg.Inlet, clock: Clock, buffer: int) -> Source:
    block = inlet.block
    if isinstance(block, cfg.MqttSource):
        from riotd.sources.mqtt import MqttSource  # noqa: PLC0415 - as above

        name = f"{config.name}-{inlet.name}" if inlet.name else config.name  # a session of its own for each
        block = block if block.buffer else block.model_copy(update={"buffer": buffer})
        return MqttSource(block, name=name, clock=clock, linger=config.max_wait, where=inlet.where)
    if isinstance(block, cfg.TimerSource):
        from riotd.sources.remembering import Memory  # noqa: PLC0415
        from riotd.sources.timer import TimerSource  # noqa: PLC0415

        name = inlet.name or config.name
        memory = Memory(config.state_folder, name) if block.missed == "once" else None
        return TimerSource(block, name=name, clock=clock, memory=memory)
    from riotd.sources.files import FileSource  # noqa: PLC0415

    return FileSource(block, clock=clock)


def _engine(config: cfg.Config, plan: Plan) -> Engine:
    block = config.engine
    if block.type == "ray":
        from riotd.engines.ray_actors import RayEngine  # noqa: PLC0415 - Ray takes a second to load

        return RayEngine(
            plan, shards=block.shards, address=block.address, deadline=block.deadline, memory=block.memory or 0
        )
    from riotd.engines.inline import InlineEngine  # noqa: PLC0415

    return InlineEngine(plan, shards=block.shards, deadline=block.deadline)


def _connection(config: cfg.Config, own: cfg.Connection | None) -> cfg.Connection | None:
    """How to reach the broker a block means: its own, else the first MQTT source's, else the first MQTT sink's."""
    if own is not None:
        return own
    if config.broker is not None:
        return config.broker
    others = (block.connection for block in config.sinks.values() if isinstance(block, cfg.MqttSink))
    return next((connection for connection in others if connection is not None), None)


def _publisher(config: cfg.Config, block: cfg.MqttSink | cfg.MqttRejects, publishers: Publishers) -> Publisher:
    connection = _connection(config, block.connection)
    if connection is None:
        raise ConfigError([Mistake(block.topic, "there is no broker to publish to", "give it a connection: {url: …}")])
    return publishers.get(connection, max_inflight=getattr(block, "max_inflight", None))


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
