"""What a seed stands for: the dataflow, who publishes what and when, what goes wrong and how often."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from riotd.dataflow import Outlet, Plan, Stage
from tests.simulation.network import Publication

_ROOT = str(Path(__file__).resolve().parents[2])
_POISON, _SAMPLES = "tests.simulation.poison_tasks", "tests.exchange_tasks"
FIELDS, TOUCHY = f"{_POISON}:Fields", f"{_POISON}:Touchy"
TRACE, SLEEPER, MODEL = (f"{_SAMPLES}:{name}" for name in ("Trace", "Sleeper", "Model"))
TIMED = "sleep"
"""The stage that speaks when time has passed: what it says in a life that is undone need not be said again."""
_NAMES = ("temp", "hum", "dust", "air")


@dataclass(frozen=True)
class Feed:
    """A source and all that will ever come from it.

    Attributes:
        name: in the plan; "" for the only one.
        kind: `mqtt` or `file`.
        every: whether each message goes to all shards.
        qos: of the subscription, 1 or 2.
        window: messages the broker has under way at most.
        numbers: packet identifiers the broker uses.
        publications: in order.
    """

    name: str
    kind: str
    every: bool
    qos: int
    window: int
    numbers: int
    publications: tuple[Publication, ...]


@dataclass(frozen=True)
class Scenario:
    """One seed's world.

    Attributes:
        feeds: the sources.
        stages: of the dataflow, without the number of shards, which changes from life to life.
        outlets: two sinks: one that can be cut back, one that can't.
        exact_letters: whether dead letters can be cut back.
        ends: how lives end, in order: `kill`, `power` or `stop`; the last one, which is not among them, does not end.
        kills: of each of those the step at which it is struck.
        records: of a batch at most.
        max_in_flight: bytes.
        every: seconds between snapshots.
        quota: bytes of the journal.
        segment: bytes of one of its files; none of a real daemon is so small, but neither is a world.
        trouble: how likely a connection breaks, a sink is away, the disk refuses.
        rescales: a second, of changes of the number of shards.
        journal: whether what comes is kept in a journal; else the only source is a file, which can be read again.
    """

    feeds: tuple[Feed, ...]
    stages: tuple[Stage, ...]
    outlets: tuple[Outlet, ...]
    exact_letters: bool
    ends: tuple[str, ...]
    kills: tuple[int, ...]
    records: int
    max_in_flight: int
    every: float
    quota: int
    segment: int
    trouble: float
    rescales: float
    journal: bool

    def summary(self) -> str:
        """In a few words."""
        feeds = ", ".join(f"{len(feed.publications)} {feed.kind} QoS {feed.qos}" for feed in self.feeds)
        stages = " ".join(f"{stage.id}({','.join(stage.after)} by {','.join(stage.key)})" for stage in self.stages)
        rest = f"batches of {self.records}, {self.max_in_flight} bytes, snapshots every {self.every} s"
        world = f"trouble {self.trouble}, rescales {self.rescales}, journal {self.journal}"
        rest += f", journal of {self.quota} in files of {self.segment}"
        return f"{feeds}; {stages}; {rest}; {world}"

    def plan(self, shards: int) -> Plan:
        """For so many shards."""
        names = tuple(feed.name for feed in self.feeds) if len(self.feeds) > 1 else ()
        return Plan(self.stages, self.outlets, path=(_ROOT,), shards=shards, sources=names)


def scenario(random: Random) -> Scenario:
    """A world."""
    journal = random.random() < 0.9
    feeds = _feeds(random, journal=journal)
    stages = _stages(random, feeds)
    told = tuple(stage.id for stage in stages if stage.id not in {"parse", "orders"})
    longest = random.choice((8, 10, 12, 12))
    ends = tuple(random.choices(("kill", "power", "stop"), (5, 3, 2), k=random.choice((0, 1, 2, 3, 5, 8))))
    return Scenario(
        feeds=feeds,
        stages=stages,
        outlets=(Outlet("exact", told, "json"), Outlet("broker", told, "json", topics=random.random() < 0.5)),
        exact_letters=random.random() < 0.5,
        ends=ends,
        kills=tuple(int(2 ** random.uniform(2, longest)) for _ in ends),
        records=random.choice((1, 3, 5, 20)),
        max_in_flight=random.choice((1, 30_000, 10**6)),
        every=random.choice((0.05, 0.5, 3.0, 30.0)),
        quota=random.choice((2**20, 10**9)),
        segment=random.choice((500, 5_000, 2**18)),
        trouble=random.choice((0.0, 0.3, 1.0)),
        rescales=random.choice((0.0, 0.0, 0.5)),
        journal=journal,
    )


def _feeds(random: Random, *, journal: bool) -> tuple[Feed, ...]:
    span = random.choice((0.0, 2.0, 20.0))
    if not journal:
        return (_feed(random, "", "file", span),)
    kinds = random.choice((("mqtt",), ("mqtt",), ("mqtt", "mqtt"), ("mqtt", "file"), ("mqtt", "file", "models")))
    return tuple(_feed(random, f"from{at}" if len(kinds) > 1 else "", kind, span) for at, kind in enumerate(kinds))


def _feed(random: Random, name: str, kind: str, span: float) -> Feed:
    models = kind == "models"
    count = random.choice((1, 3)) if models else random.choice((1, 10, 40, 120))
    padding = b" " * random.choice((0, 0, 3_000, 20_000))
    made = [(b"model=%d" % number, "models") if models else _message(random, name, number) for number in range(count)]
    ats = sorted(random.random() * span for _ in range(count))
    return Feed(
        name=name,
        kind="mqtt" if models else kind,
        every=models,
        qos=random.choice((1, 1, 2)),
        window=random.choice((1, 5, 100)),
        numbers=random.choice((110, 500, 65_535)),
        publications=tuple(
            Publication(at, topic, padding + payload) for at, (payload, topic) in zip(ats, made, strict=True)
        ),
    )


def _message(random: Random, name: str, number: int) -> tuple[bytes, str]:
    """A payload like no other of its source, and its topic."""
    fields = random.sample(_NAMES, random.choice((0, 1, 1, 2, 4)))
    text = " ".join([f"{name}#{number}", *(f"{field}={number}" for field in fields)])
    fate = random.random()
    text = f"bad {text}" if fate < 0.02 else f"{text} broken" if fate < 0.04 else text
    return text.encode(), f"dev{random.randrange(6)}"


def _stages(random: Random, feeds: tuple[Feed, ...]) -> tuple[Stage, ...]:
    """A dataflow; with a source of models there is a stage that has but one instance, which all shards tell alike."""
    live = tuple(feed.name for feed in feeds if not feed.every) if len(feeds) > 1 else ()
    stages = [
        Stage("parse", FIELDS, {}, live),
        Stage("own", random.choice((TRACE, TOUCHY)), {"name": "own"}, ("parse",)),
    ]
    if any(feed.every for feed in feeds):
        parsed = Stage("orders", FIELDS, {}, tuple(feed.name for feed in feeds if feed.every))
        stages += [parsed, Stage("model", MODEL, {}, ("parse", "orders"))]
    more = [
        Stage("name", random.choice((TRACE, TOUCHY)), {"name": "name"}, ("own",), ("name",)),
        Stage("pair", TRACE, {"name": "pair"}, ("parse",), ("source", "name")),
        Stage("all", TRACE, {"name": "all"}, ("parse", "own"), ("one",)),
        Stage(TIMED, SLEEPER, {"idle_timeout": random.choice((1.5, 5.0))}, ("own",), random.choice(((), ("name",)))),
    ]
    return (*stages, *random.sample(more, random.randint(0, len(more))))
