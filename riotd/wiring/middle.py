"""What is between the ends: the books, the engine, and the keeper of what outlives the daemon."""

from riotd import config as cfg
from riotd.batching import Batcher, Limits
from riotd.budget import Budget
from riotd.channels import Channels
from riotd.clock import Clock
from riotd.dataflow import Plan
from riotd.keeping import Keeper
from riotd.ledger import Ledger
from riotd.partitioning import Partitioner
from riotd.ports import Diary, Engine, Holder, Source
from riotd.pump import Books
from riotd.segments import entrances, passes
from riotd.sources.journaled import Journaled
from riotd.stats import Stats
from riotd.wiring.inputs import filters, keying
from riotd.wiring.outputs import Outputs


def limits(config: cfg.Config) -> Limits:
    """Limits of a whole batch: those of the config are a shard's share."""
    batch, shards = config.batch, config.engine.shards
    return Limits(batch.max_records * shards, batch.max_bytes * shards, config.max_wait)


def keeper(config: cfg.Config, outputs: Outputs, clock: Clock) -> Keeper:
    """Who keeps what outlives the daemon."""
    sinks = dict(zip(config.sinks, outputs.sinks, strict=True))
    block = config.state
    keeper = Keeper(config.state_folder, sinks, every=block.every, quota=block.quota, clock=clock)
    keeper.rejects = outputs.rejects
    return keeper


def now_id(clock: Clock) -> int:
    """An id above all of earlier lives: they begin at the microsecond of the start."""
    return int(clock.wall() * 1e6)


def books(config: cfg.Config, plan: Plan, clock: Clock, shares: cfg.Shares, *, diary: Diary | None) -> Books:
    """What the pump decides by."""
    now = clock.monotonic()
    return Books(
        Batcher(limits(config), first_id=now_id(clock)),  # ids go on rising over restarts
        Partitioner(
            *map(keying, config.inlets),
            shards=config.engine.shards,
            topics=any(outlet.topics for outlet in plan.outlets),
        ),
        Stats([stage.id for stage in plan.stages], shards=config.engine.shards, now=now, entrances=entrances(plan)),
        shares.credit,
        passes(plan),
        diary,
        ledger=Ledger(Channels({inlet.name or "source": filters(config, inlet) for inlet in config.inlets})),
        kept=config.durable != "none",
        budget=Budget(shares.total, results=shares.results),
    )


def count(books: Books, shares: cfg.Shares, intake: Source, source: Source, engine: Engine) -> None:
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


def engine(config: cfg.Config, plan: Plan) -> Engine:
    """The engine that the config asks for."""
    block = config.engine
    if block.type == "ray":
        from riotd.engines.ray_actors import RayEngine  # noqa: PLC0415 - Ray takes a second to load

        return RayEngine(
            plan, shards=block.shards, address=block.address, deadline=block.deadline, memory=block.memory or 0
        )
    from riotd.engines.inline import InlineEngine  # noqa: PLC0415

    return InlineEngine(plan, shards=block.shards, deadline=block.deadline)
