"""A dataflow's tasks for some of the keys: the same object in a thread, an actor, a DoFn."""

from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter
from threading import Event

import msgspec

from riot_tasks import BadRecord, Record
from riotd.crossing import Arrival, Exchange, Refused, received, refined
from riotd.dataflow import Plan
from riotd.errors import EngineError
from riotd.formats import ENCODERS
from riotd.instances import State
from riotd.messages import Crossing, Outcome, Portion, Reject, Result, Tally, added
from riotd.placement import even
from riotd.segments import Input, Step, arranged
from riotd.stage import Given, RunningStage

SNAPSHOT_VERSION = 2
"""Of what `snapshot` gives; 1 never was on a disk."""
_pack = msgspec.msgpack.Encoder().encode
_ID = attrgetter("id")
_IN_ORDER = itemgetter(0, 1)
"""What decides the order of arrivals: the message, then the key they had."""


class _Snapshot(msgspec.Struct, frozen=True):
    """What `Shard.snapshot` gives; the stages by id, to be read once the version is known."""

    version: int
    stages: msgspec.Raw


_unpack = msgspec.msgpack.Decoder(_Snapshot).decode
_stages = msgspec.msgpack.Decoder(dict[str, State]).decode


class Shard:
    """Runs portions through the stages of a plan; one caller at a time.

    What a task refuses, or fails at, becomes a `Reject` of the outcome; the neighbours go on. Everything depends
    on the plan and on the portions so far (time is `Portion.now`), so that a replay gives the same outcomes.

    Where there is one shard, a portion runs in one pass, exchanges and all; of several, it runs through the stages of
    its level, and what passes on to other levels leaves with the outcome. How many there are, and which has what, each
    portion says: that may change between two of them.

    Raises:
        ValueError, TypeError: from the constructor, when a stage's task does not take its parameters.
    """

    def __init__(self, plan: Plan) -> None:
        self._cancelled = Event()
        self._present: Portion | None = None
        self._runs = 0
        self._arrange(plan, {})

    def may_wait(self, portion: Portion) -> bool:
        """Whether `run` may have to wait for something outside: a stage that does may get records of this portion."""
        if not self._awaited:
            return False
        return portion.level > 0 or not portion.origins or not self._awaited.isdisjoint(portion.origins)

    @property
    def pausing(self) -> bool:
        """Whether it waits for something outside at this moment; from any thread."""
        return any(running.pausing for running in self._stages)

    @property
    def labour(self) -> tuple[int, ...] | None:
        """Where it is in its work: the same at two looks if no record was done between them.

        None while it has no record to do, or waits for something outside. From any thread.
        """
        portion = self._present
        if portion is None or not portion.size or self.pausing:
            return None
        return (self._runs, *[running.left for running in self._stages])

    def run(self, portion: Portion) -> Outcome:
        """Process what a portion brings, in order, stage by stage; one that ends the stream flushes the tasks."""
        self._present = portion
        try:
            return self._run(portion)
        finally:
            self._runs += 1
            self._present = None

    def _run(self, portion: Portion) -> Outcome:
        shards = portion.shards or self._plan.shards
        self._alone, self._table = shards == 1, portion.table or even(shards)
        if portion.transfers:
            return self._transferred(portion)
        if portion.states:
            self.restore(*portion.states, place=portion.place, shards=shards)
        rejects: list[Reject] = []
        given = self._raw(portion)
        tallies = []
        evicted = 0
        for running in self._stages:
            if running.step.level != portion.level and not self._alone:
                tallies.append(Tally())
                continue
            taken, lost = self._taken(running, given, portion.arrivals)
            rejects += lost
            outputs, tally = running.run(taken, portion, rejects)
            given |= outputs
            tallies.append(added(tally, _refusals(lost)))
            if not (portion.states or portion.snapshot):  # of the present, perhaps in the midst of what is done again
                evicted += running.evict(portion.now)
        onward = self._onward(portion, given, rejects, tallies)
        results = self._encode(given, portion, rejects)
        if portion.mute:
            muted = frozenset(portion.mute)
            results = [result for result in results if result.id not in muted]
            rejects = [reject for reject in rejects if reject.id not in muted]
        state = self.snapshot(portion.level) if portion.snapshot else b""
        return Outcome(portion.batch, results, rejects, tallies, self._keys, evicted, onward, self._timed, state)

    def snapshot(self, level: int | None = None) -> bytes:
        """State of every task instance, as MessagePack; of one level's stages if it is given."""
        chosen = [running for running in self._stages if level in {None, running.step.level} or self._alone]
        return _pack({"version": SNAPSHOT_VERSION, "stages": {each.stage.id: each.snapshot() for each in chosen}})

    def restore(self, *states: bytes, place: int = 0, shards: int = 1) -> None:
        """Take the state `snapshot` gave; stages that are not in it, or were another task, start fresh.

        Args:
            states: of all shards that there were, and of all their levels, or of this one alone.
            place: which shard this is.
            shards: how many there are; of one, all of the state is its own.

        Raises:
            EngineError: it is of a version that this riotd does not read.
        """
        stages = [_read(state) for state in states]
        for running in self._stages:
            name = running.stage.id
            running.restore([each[name] for each in stages if name in each], place=place, shards=shards)

    def _transferred(self, portion: Portion) -> Outcome:
        """Take what another shard gave; or give what another is to have."""
        taken = _read(portion.takes) if portion.takes else {}
        given = {}
        for running in self._stages:
            name = running.stage.id
            if name in taken:
                running.take(taken[name])
            if portion.gives is not None and (self._alone or running.step.level == portion.level):
                given[name] = running.give(portion.gives)
        state = _pack({"version": SNAPSHOT_VERSION, "stages": given})
        return Outcome(portion.batch, [], [], [], self._keys, 0, [], self._timed, state)

    @property
    def _keys(self) -> int:
        return sum(running.keys for running in self._stages)

    @property
    def _timed(self) -> int:
        return sum(running.timed for running in self._stages)

    def reconfigure(self, plan: Plan) -> None:
        """Go on with another plan; stages with the same id, task, parameters and key keep their state."""
        self._arrange(plan, {running.stage.id: running for running in self._stages})

    def cancel(self) -> None:
        """From another thread: a `run` that waits for something unavailable gives up with EngineError."""
        self._cancelled.set()

    def _arrange(self, plan: Plan, kept: dict[str, RunningStage]) -> None:
        stages = [RunningStage(step, plan, self._cancelled) for step in arranged(plan)]
        for index, running in enumerate(stages):
            running.beside = [each for each in stages[:index] if each.step.level == running.step.level == 0]
            old = kept.get(running.stage.id)
            if old is not None and running.same(old):
                running.adopt(old)
        self._plan, self._stages = plan, stages
        self._alone, self._table = plan.shards == 1, even(plan.shards)  # until a portion says otherwise
        self._awaited = _origins([running.step for running in stages if running.waits], arranged(plan), plan.sources)
        self._edges = {
            each.edge: (each, Exchange(running.step, each.edge, late=each.late))
            for running in stages
            for each in running.step.inputs
            if each.edge is not None
        }

    def _raw(self, portion: Portion) -> dict[str, Given]:
        """The messages as records, by source if there are several; of one of those, under "" too."""
        if portion.level:
            return {}
        records = [
            Record(number, key, portion.now, {"payload": payload})
            for number, key, payload in zip(portion.ids, portion.keys, portion.payloads, strict=True)
        ]
        given = {name: Given([]) for name in self._plan.sources}
        if portion.origins:
            for record, origin in zip(records, portion.origins, strict=True):
                given[self._plan.sources[origin]].records.append(record)
        elif given:
            given[self._plan.sources[0]] = Given(records)
        return {**given, "": Given(records)}

    def _taken(
        self, running: RunningStage, given: dict[str, Given], arrivals: list[Crossing]
    ) -> tuple[Given, list[Reject]]:
        """What a stage takes, in the order of the messages; and what can't come to it."""
        inputs = running.step.inputs
        if all(each.edge is None and each.exact for each in inputs):
            return _merged([given[each.name] for each in inputs]), []
        found: list[Arrival] = []
        lost: list[Refused] = []
        for each in inputs:
            come, refused = self._come(running, each, given, arrivals)
            found += come
            lost += refused
        if len(inputs) > 1 or inputs[0].edge is not None:
            found.sort(key=_IN_ORDER)  # stable: of one message and one key the order is that of the inputs
        stage = running.stage.id
        keys = None if running.step.by_own_source else [arrival.key for arrival in found]
        return Given([arrival.record for arrival in found], keys), [_reject(stage, each) for each in lost]

    def _come(
        self, running: RunningStage, each: Input, given: dict[str, Given], arrivals: list[Crossing]
    ) -> tuple[list[Arrival], list[Refused]]:
        """What comes by one of a stage's inputs."""
        if each.edge is not None:
            if not self._alone:
                return received(arrivals, each.edge), []
            flow = given[each.name]
            return self._edges[each.edge][1].arrivals(flow.records, flow.spelt())
        flow = given[each.name]
        if each.exact:
            pairs = zip(flow.records, flow.spelt(), strict=True)
            return [Arrival(record.id, "", key, record) for record, key in pairs], []
        return _narrowed(flow, running.step.key, each.key)

    def _onward(
        self, portion: Portion, given: dict[str, Given], rejects: list[Reject], tallies: list[Tally]
    ) -> list[Crossing]:
        """What leaves for stages of further levels; what can't is refused in their name."""
        if self._alone:
            return []
        muted = frozenset(portion.mute)
        onward: list[Crossing] = []
        for index, running in enumerate(self._stages):
            for each in running.step.inputs:
                if each.edge is None or each.level != portion.level:
                    continue
                flow, exchange = given[each.name], self._edges[each.edge][1]
                found, lost = exchange.arrivals(flow.records, flow.spelt())
                crossings, unwritten = exchange.sent((each for each in found if each.id not in muted), self._table)
                onward += crossings
                refused = [_reject(running.stage.id, one) for one in (*lost, *unwritten) if one.record.id not in muted]
                rejects += refused
                tallies[index] = added(tallies[index], _refusals(refused))
        return onward

    def _encode(self, given: dict[str, Given], portion: Portion, rejects: list[Reject]) -> list[Result]:
        topics = dict(zip(portion.ids, portion.topics, strict=True)) if portion.topics else {}
        results: list[Result] = []
        for index, outlet in enumerate(self._plan.outlets):
            encode = ENCODERS[outlet.format]
            for name in outlet.stages:
                for record in given[name].records if name in given else ():
                    values = record.values
                    field = next(iter(values)) if len(values) == 1 else ""
                    try:
                        payload = encode(record)
                    except (BadRecord, TypeError) as error:
                        rejects.append(Reject(outlet.sink, record.id, f"cannot be written as {outlet.format}: {error}"))
                        continue
                    topic = topics.get(record.id, "")
                    results.append(Result(index, record.id, name, record.source, field, payload, topic))
        return results


def _read(state: bytes) -> dict[str, State]:
    """The stages of a snapshot, by id.

    Raises:
        EngineError: it is of a version that this riotd does not read.
    """
    found = _unpack(state)
    if found.version != SNAPSHOT_VERSION:
        raise EngineError(f"the snapshot is of version {found.version}; this riotd reads {SNAPSHOT_VERSION}")
    return _stages(found.stages)


def _origins(wanted: Iterable[Step], steps: Iterable[Step], sources: Sequence[str]) -> frozenset[int]:
    """Indexes of the sources whose messages may lead to records of these stages."""
    reached: dict[str, set[int]] = {}
    for step in steps:
        found = reached.setdefault(step.stage.id, set())
        for each in step.inputs:
            named = {sources.index(each.name)} if each.name in sources else set(range(len(sources) or 1))
            found |= reached[each.stage] if each.stage else named
    return frozenset(origin for step in wanted for origin in reached[step.stage.id])


def _merged(flows: list[Given]) -> Given:
    """The records of several stages in the order of their messages."""
    if len(flows) == 1:
        return flows[0]
    records = [record for flow in flows for record in flow.records]
    if all(flow.keys is None for flow in flows):
        return Given(sorted(records, key=_ID))
    pairs = zip(records, [key for flow in flows for key in flow.spelt()], strict=True)
    ordered = sorted(pairs, key=lambda pair: pair[0].id)
    return Given([record for record, _ in ordered], [key for _, key in ordered])


def _narrowed(flow: Given, key: tuple[str, ...], present: tuple[str, ...]) -> tuple[list[Arrival], list[Refused]]:
    """Records that stay where they are, under a key that refines the one they have."""
    narrow = refined(key, present)
    found: list[Arrival] = []
    lost: list[Refused] = []
    for record, had in zip(flow.records, flow.spelt(), strict=True):
        try:
            found.append(Arrival(record.id, "", narrow(record, had), record))
        except BadRecord as error:
            lost.append(Refused(record, str(error)))
    return found, lost


def _reject(stage: str, refused: Refused) -> Reject:
    return Reject(stage, refused.record.id, refused.reason)


def _refusals(rejects: Iterable[Reject]) -> Tally:
    """The tally of records that were refused before they came to a stage."""
    count = len(list(rejects))
    return Tally(received=count, rejected=count)
