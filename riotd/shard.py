"""A dataflow's tasks for some of the keys: the same object in a thread, an actor, a DoFn."""

from collections.abc import Callable, Iterable, Iterator
from threading import Event
from time import perf_counter
from typing import Any

import msgspec

from riot_tasks import BadRecord, BulkTask, Record, Task, Unavailable
from riotd import catalog
from riotd.dataflow import Plan, Stage
from riotd.errors import EngineError
from riotd.formats import ENCODERS
from riotd.messages import Outcome, Portion, Reject, Result, Tally
from riotd.patience import Patience

SNAPSHOT_VERSION = 1
_Process = Callable[[Record], Iterable[Record]]
"""How a task is asked about a record."""
_EVICT_SHARE = 16
"""Past `max_keys` one in so many instances is dropped at once, so that the sort is paid rarely."""


class Shard:
    """Runs portions through the stages of a plan; one caller at a time.

    What a task refuses, or fails at, becomes a `Reject` of the outcome; the neighbours go on. Everything depends
    on the plan and on the portions so far (time is `Portion.now`), so that a replay gives the same outcomes.

    Raises:
        ValueError, TypeError: from the constructor, when a stage's task does not take its parameters.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._cancelled = Event()
        self._stages = [_Running(stage, plan, self._cancelled) for stage in plan.stages]

    @property
    def waits(self) -> bool:
        """Whether `run` may have to wait for something outside."""
        return any(running.waits for running in self._stages)

    def run(self, portion: Portion) -> Outcome:
        """Process the messages of a portion, in order, stage by stage; an empty portion flushes the tasks."""
        raw = [
            Record(number, key, portion.now, {"payload": payload})
            for number, key, payload in zip(portion.ids, portion.keys, portion.payloads, strict=True)
        ]
        rejects: list[Reject] = []
        outputs: dict[str, list[Record]] = {}
        tallies = []
        evicted = 0
        for running in self._stages:
            after = running.stage.after
            records = raw if not after else outputs[after[0]] if len(after) == 1 else _merged(outputs, after)
            outputs[running.stage.id], tally = running.run(records, portion.now, rejects, flushing=not raw)
            tallies.append(tally)
            evicted += running.evict(portion.now)
        results = self._encode(outputs, portion, rejects)
        keys = sum(running.keys for running in self._stages)
        return Outcome(portion.batch, results, rejects, tallies, keys, evicted)

    def snapshot(self) -> bytes:
        """State of every task instance, as MessagePack."""
        stages = {running.stage.id: running.snapshot() for running in self._stages}
        return msgspec.msgpack.encode({"version": SNAPSHOT_VERSION, "stages": stages})

    def restore(self, state: bytes) -> None:
        """Take the state `snapshot` gave; stages that are not in it start fresh.

        Raises:
            EngineError: it is of a later version.
        """
        data = msgspec.msgpack.decode(state)
        if data["version"] > SNAPSHOT_VERSION:
            raise EngineError(f"the snapshot is of version {data['version']}; this riotd reads {SNAPSHOT_VERSION}")
        for running in self._stages:
            running.restore(data["stages"].get(running.stage.id, {}))

    def reconfigure(self, plan: Plan) -> None:
        """Go on with another plan; stages with the same id, task and parameters keep their state."""
        kept = {running.stage.id: running for running in self._stages}
        stages = []
        for stage in plan.stages:
            old, new = kept.get(stage.id), _Running(stage, plan, self._cancelled)
            if old is not None and (old.stage.task, old.stage.params) == (stage.task, stage.params):
                new.adopt(old)
            stages.append(new)
        self._plan, self._stages = plan, stages

    def cancel(self) -> None:
        """From another thread: a `run` that waits for something unavailable gives up with EngineError."""
        self._cancelled.set()

    def _encode(self, outputs: dict[str, list[Record]], portion: Portion, rejects: list[Reject]) -> list[Result]:
        topics = dict(zip(portion.ids, portion.topics, strict=True)) if portion.topics else {}
        results: list[Result] = []
        for index, outlet in enumerate(self._plan.outlets):
            encode = ENCODERS[outlet.format]
            for name in outlet.stages:
                for record in outputs[name]:
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


def _merged(outputs: dict[str, list[Record]], after: tuple[str, ...]) -> list[Record]:
    """The records of several stages in the order of their messages."""
    return sorted((record for name in after for record in outputs[name]), key=lambda record: record.id)


def _answers(task: BulkTask, records: list[Record]) -> _Process:
    """The task is given the records, and what it says to each is kept, to be asked for in their order."""
    pairs = zip(records, task.process_many(records), strict=True)
    answers = iter([answer if isinstance(answer, BadRecord) else list(answer) for _, answer in pairs])

    def process(record: Record) -> Iterable[Record]:  # noqa: ARG001 - in the place of a task's `process`
        if isinstance(answer := next(answers), BadRecord):
            raise answer
        return answer

    return process


class _Slot:
    """One task instance and when it was last used."""

    __slots__ = ("process", "seen", "task")

    def __init__(self, task: Task, seen: float) -> None:
        self.task, self.seen = task, seen
        self.process = task.process


class _Running:
    """One stage at work: a task instance per source, or one for all if the task keeps no state."""

    def __init__(self, stage: Stage, plan: Plan, cancelled: Event) -> None:
        self.stage = stage
        self._plan = plan
        self._patience = Patience(stage.id, cancelled)
        self._task = catalog.find(stage.task)
        self._slots: dict[str, _Slot] = {}
        self._shared = _Slot(self._task(**stage.params), 0.0)  # also finds wrong parameters now, not at a message
        self._swept = 0.0
        self.waits = self._task.waits

    @property
    def keys(self) -> int:
        """Task instances alive."""
        return len(self._slots)

    def adopt(self, old: "_Running") -> None:
        """Take over the instances of the same stage under an earlier plan."""
        self._slots, self._shared, self._swept = old._slots, old._shared, old._swept  # noqa: SLF001 - its own class

    def run(
        self, records: list[Record], now: float, rejects: list[Reject], *, flushing: bool
    ) -> tuple[list[Record], Tally]:
        """Give the stage's records for these; refusals go to `rejects`."""
        begun = perf_counter()
        given: list[Record] = []
        passed = rejected = 0
        stateful, slots, process = self._task.stateful, self._slots, self._asked(records)
        for record in records:
            if stateful:
                slot = slots.get(record.source)
                if slot is None:
                    slot = slots[record.source] = _Slot(self._task(**self.stage.params), now)
                slot.seen = now
                process = slot.process
            before = len(given)
            try:
                given.extend(process(record))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a task is anybody's code: it fails for one record
                del given[before:]
                if problem := self._problem(error, process, record, given):
                    rejects.append(Reject(self.stage.id, record.id, problem))
                    rejected += 1
                    continue
            passed += len(given) > before
        if flushing:
            given.extend(self._flushed())
        filtered = len(records) - passed - rejected
        return given, Tally(len(records), passed, filtered, rejected, len(given), perf_counter() - begun)

    def evict(self, now: float) -> int:
        """Drop what is idle or too many; how many were dropped."""
        slots, plan = self._slots, self._plan
        gone: list[str] = []
        if len(slots) > plan.max_keys:
            oldest = sorted(slots, key=lambda source: slots[source].seen)
            gone = oldest[: len(slots) - plan.max_keys + plan.max_keys // _EVICT_SHARE]
        elif plan.idle and now - self._swept > plan.idle / 4:
            self._swept = now
            gone = [source for source, slot in slots.items() if now - slot.seen > plan.idle]
        for source in gone:
            del slots[source]
        return len(gone)

    def snapshot(self) -> dict[str, list[Any]]:
        """Source to [last seen, the task's state]."""
        return {source: [slot.seen, slot.task.snapshot()] for source, slot in self._slots.items()}

    def restore(self, state: dict[str, list[Any]]) -> None:
        """Replace all instances by those of a snapshot."""
        self._slots.clear()
        for source, (seen, data) in state.items():
            task = self._task(**self.stage.params)
            task.restore(data)
            self._slots[source] = _Slot(task, seen)

    def _flushed(self) -> Iterator[Record]:
        for slot in self._slots.values() if self._task.stateful else [self._shared]:
            flush = slot.task.flush
            yield from self._patience.ask(lambda: list(flush()))  # noqa: B023 - called at once

    def _asked(self, records: list[Record]) -> _Process:
        """How the instance for all keys is asked; one that takes many records has been given these by then."""
        task = self._shared.task
        if not isinstance(task, BulkTask) or not records:
            return task.process
        try:
            return self._patience.ask(lambda: _answers(task, records))
        except EngineError:
            raise
        except (Exception, SystemExit):  # noqa: BLE001 - a task is anybody's code: one by one finds which record it is
            return task.process

    def _problem(self, error: BaseException, process: _Process, record: Record, given: list[Record]) -> str:
        """Why the record is refused; "" if the task only had to be asked again."""
        if isinstance(error, Unavailable):
            try:
                given.extend(self._patience.ask(lambda: list(process(record)), error))
            except EngineError:
                raise
            except (Exception, SystemExit) as again:  # noqa: BLE001 - as in `run`
                error = again
            else:
                return ""
        return str(error) if isinstance(error, BadRecord) else f"the task failed: {type(error).__name__}: {error}"
