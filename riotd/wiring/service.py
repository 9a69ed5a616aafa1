"""A daemon's parts, connected."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from riotd import config as cfg
from riotd.clock import Clock, SystemClock
from riotd.control import Handler
from riotd.errors import ConfigError
from riotd.mqtt import Publisher
from riotd.orders import Orders
from riotd.ports import Counting, Resumable
from riotd.pump import Before, Ends, Pump, Regime
from riotd.reporter import Reporter
from riotd.rescaling import Rescaler
from riotd.sources.journaled import Journaled
from riotd.wiring import inputs, middle
from riotd.wiring.outputs import Outputs, Publishers
from riotd.wiring.outputs import connection as connection_of

if TYPE_CHECKING:
    from riotd.control.commands import Commands

log = logging.getLogger(__name__)


class Service:
    """A daemon's parts, connected; `Supervisor` gives it life."""

    def __init__(self, config: cfg.Config, *, path: Sequence[str], clock: Clock) -> None:
        self.config = config
        self._path = path
        self.plan = cfg.plan(config, path)
        self.publishers = Publishers(config.name)
        connection = connection_of(config, config.stats.connection)
        status = self._named(config.stats.status)
        publisher = None if connection is None else self.publishers.get(connection, status=status)
        self.outputs = Outputs(config, self.publishers)
        self.keeper = middle.keeper(config, self.outputs, clock) if config.durable != "none" else None
        shares = cfg.shares(config)
        sources = {inlet.name: inputs.inlet(config, inlet, clock, shares.buffer) for inlet in config.inlets}
        self._resumable = frozenset(
            index for index, source in enumerate(sources.values()) if isinstance(source, Resumable)
        )
        self.source = inputs.merged(sources)
        self._clock = clock
        intake = self.source
        if self.keeper is not None and config.durable == "journal":
            self.source = Journaled(self.source, self.keeper.writer, clock, room=self.keeper.room)
        self.engine = middle.engine(config, self.plan)
        self.pump = Pump(
            Ends(self.source, self.engine, self.outputs.sinks, self.outputs.rejects),
            books := middle.books(
                config, self.plan, clock, shares, diary=self.source if isinstance(self.source, Journaled) else None
            ),
            clock=clock,
        )
        middle.count(books, shares, intake, self.source, self.engine)
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
        return Regime(cfg.plan(config, self._path), middle.limits(config), own.credit, {"all": own.total, **memory})

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
        connection = connection_of(self.config, block.connection or self.config.stats.connection)
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
            self.pump.number_from(max(keeper.first, middle.now_id(self._clock)))
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
            await self.pump.swap(plan, middle.limits(present), new.sinks, new.rejects)
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
