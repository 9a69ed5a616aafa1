"""One stage at work in a shard: a task instance for each key, what it is asked, and what it says."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from operator import attrgetter, length_hint
from threading import Event
from time import perf_counter
from typing import Any, NamedTuple

import msgspec

from riot_tasks import Aside, BadRecord, BulkTask, Record, Task, Unavailable
from riotd import catalog
from riotd.crossing import placing
from riotd.dataflow import Plan
from riotd.errors import EngineError
from riotd.instances import Instances, Row, Slot, State, restored
from riotd.messages import Portion, Reject, Tally
from riotd.partitioning import key_group
from riotd.patience import Patience
from riotd.placement import EVERYWHERE
from riotd.segments import Step

_EVICT_SHARE = 16
"""Past `max_keys` one in so many instances is dropped at once, so that the sort is paid rarely."""
_SOURCE = attrgetter("source")
_Process = Callable[[Record], Iterable[Record]]
"""How a task is asked about a record."""


class Given(NamedTuple):
    """Records with the keys of those who take them.

    Attributes:
        records: in order.
        keys: of each, or None where it is the record's `source`.
    """

    records: list[Record]
    keys: list[str] | None = None

    def spelt(self) -> list[str]:
        """The keys, also where they are the sources."""
        return [record.source for record in self.records] if self.keys is None else self.keys


class RunningStage:
    """One stage at work: a task instance per key, or one for all if the task keeps no state of a key's own.

    Args:
        step: the stage with its place in the plan.
        plan: for the bounds on instances.
        cancelled: set when a task that waits for the outside must give up.
    """

    def __init__(self, step: Step, plan: Plan, cancelled: Event) -> None:
        self.step, self.stage = step, step.stage
        self._plan = plan
        self._patience = Patience(self.stage.id, cancelled)
        self._task = catalog.find(self.stage.task)
        self._counts: Counter[str] = Counter()
        self._instances = Instances(self._made)
        self._shared = Slot(self._made(), 0.0)  # also finds wrong parameters now, not at a message
        self._swept = 0.0
        self._timeout = self._shared.task.idle_timeout
        self._todo: Iterator[Record] = iter(())
        self._per_key = self._task.stateful and not self._task.shared
        self._placed = placing(step)
        self.waits = self._task.waits
        self.beside: Sequence[RunningStage] = ()
        """Those before it in the plan whose records are placed as its own are."""

    @property
    def keys(self) -> int:
        """Task instances alive."""
        return len(self._instances)

    @property
    def timed(self) -> int:
        """Task instances that wait for time to pass."""
        return len(self._instances.armed)

    @property
    def pausing(self) -> bool:
        """Whether it waits for something outside at this moment; from any thread."""
        return self._patience.pausing

    @property
    def left(self) -> int:
        """Records of the present portion that it has not begun; from any thread, at no cost to the one that works."""
        return length_hint(self._todo)

    def same(self, other: "RunningStage") -> bool:
        """Whether the other's instances can be this stage's: task, parameters and key are the same."""
        return self.fingerprint == other.fingerprint

    def adopt(self, old: "RunningStage") -> None:
        """Take over the instances of the same stage under an earlier plan."""
        self._instances, self._shared = old._instances, old._shared  # noqa: SLF001 - its own class
        self._swept, self._counts = old._swept, old._counts  # noqa: SLF001

    def run(self, given: Given, portion: Portion, rejects: list[Reject]) -> tuple[dict[str, Given], Tally]:
        """What the stage gives for these records, by output; refusals go to `rejects`."""
        begun = perf_counter()
        records, keys = given.records, given.keys
        out: list[Record] = []
        out_keys: list[str] | None = None if keys is None else []
        passed = rejected = 0
        per_key, latest, process = self._per_key, None, self._asked(records)
        self._todo = iter(records)
        for record, key in zip(self._todo, self._keys(given), strict=False):  # the keys may be without end
            if per_key and key is not latest:  # a message's observations come one after the other
                latest, process = key, self._process_of(key, record, portion)
            before = len(out)
            try:
                out += process(record)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a task is anybody's code: it fails for one record
                del out[before:]
                if problem := self._problem(error, process, record, out):
                    rejects.append(Reject(self.stage.id, record.id, problem))
                    rejected += 1
                    continue
            passed += len(out) > before
            if out_keys is not None:
                out_keys += [key] * (len(out) - before)
        for key, more in self._flushed() if portion.flushes else self._overdue(portion.now) if portion.tick else ():
            out += more
            if out_keys is not None:
                out_keys += [key] * len(more)
        filtered = len(records) - passed - rejected
        busy = perf_counter() - begun
        tally = Tally(len(records), passed, filtered, rejected, len(out), busy, dict(self._counts))
        self._counts.clear()  # the instances go on with the same one
        return self._by_output(out, out_keys), tally

    def evict(self, now: float) -> int:
        """Drop what is idle or too many; how many were dropped."""
        kept, plan = self._instances, self._plan
        gone: list[str] = []
        if len(kept) > plan.max_keys:
            oldest = sorted(kept.slots, key=kept.seen)
            gone = oldest[: len(kept) - plan.max_keys + plan.max_keys // _EVICT_SHARE]
        elif plan.idle and now - self._swept > plan.idle / 4:
            self._swept = now
            gone = [key for key in kept.slots if now - kept.seen(key) > plan.idle]
        kept.drop(gone)
        return len(gone)

    def snapshot(self) -> dict[str, Any]:
        """As `riotd.instances.State`, to be packed."""
        rows = msgspec.Raw(self._instances.packed()) if self._per_key else self._common()
        return {"of": self.fingerprint, "keys": rows}

    def give(self, group: int) -> dict[str, Any]:
        """As `snapshot`, of one key-group, whose instances are here no more; of `EVERYWHERE` what every shard has."""
        if self._per_key == (group == EVERYWHERE):
            return {"of": self.fingerprint, "keys": {}}
        rows = msgspec.Raw(self._instances.give(group)) if self._per_key else self._common()
        return {"of": self.fingerprint, "keys": rows}

    def take(self, state: State) -> None:
        """Have what `give` gave in another shard, beside the instances there are."""
        if state.of == self.fingerprint:
            self._add(state.keys)

    def _common(self) -> dict[str, Any]:
        """The row of the instance of all keys, if it has state."""
        state = self._shared.task.snapshot() if self._task.stateful else {}
        return {"": [0.0, state, False, 0]} if state else {}

    def restore(self, states: Iterable[State], *, place: int = 0, shards: int = 1) -> None:
        """Replace all instances by those of snapshots, as far as their key-groups are this shard's.

        Args:
            states: as `snapshot` gave them, on however many shards; those of another task are passed over.
            place: which shard this is.
            shards: how many there are now.

        Raises:
            EngineError: the task can't take a state.
        """
        self._instances = Instances(self._made)
        for state in states:
            if state.of != self.fingerprint:
                continue
            if shards == 1 or not self._per_key:
                self._add(state.keys)
            else:
                self._add({key: row for key, row in state.keys.items() if row.group % shards == place})

    def _add(self, rows: Mapping[str, Row]) -> None:
        """Have instances of a snapshot beside those there are; the one of all keys in the place of the present one."""
        if self._per_key:
            self._instances.restore(rows)
        else:
            self._shared = next((restored(self._made(), row) for row in rows.values()), self._shared)

    @property
    def fingerprint(self) -> list[Any]:
        """What must be the same for instances to go on under another plan."""
        return [self.stage.task, self.stage.params, list(self.step.key)]

    def _keys(self, given: Given) -> Iterable[str]:
        """The key of each record; anything, without end, where nobody asks for it."""
        if given.keys is not None:
            return given.keys
        return map(_SOURCE, given.records) if self._per_key else repeat("")

    def _process_of(self, key: str, record: Record, portion: Portion) -> _Process:
        """How the instance of a key is asked, which has been used now."""
        slot = self._instances.slots.get(key) or self._begun(key, record, portion)
        slot.seen, slot.entry = portion.now, b""
        if self._timeout is not None:
            self._instances.armed.pop(key, None)
            self._instances.armed[key] = portion.now
        return slot.process

    def _begun(self, key: str, record: Record, portion: Portion) -> Slot:
        if slot := self._instances.woken(key):
            return slot
        return self._instances.begun(key, self._group(key, record, portion))

    def _group(self, key: str, record: Record, portion: Portion) -> int:
        """The key-group of a new instance: that of the message, which brought the record to this shard.

        Where the message was in an earlier portion, as with windows that end later, that of who gave the record.
        """
        place = self._placed(key)
        if self.step.level:
            return key_group(place)
        if (of_message := portion.key_of(record.id)) is not None:
            return key_group(of_message)
        groups = (each._instances.group(name) for each in self.beside for name in (place, key))  # noqa: SLF001 - its own class
        return next((group for group in groups if group is not None), key_group(place))

    def _made(self) -> Task:
        task = self._task(**self.stage.params)
        task.counts = self._counts
        return task

    def _flushed(self) -> Iterator[tuple[str, list[Record]]]:
        for key, slot in self._instances.all() if self._per_key else (("", self._shared),):
            flush = slot.task.flush
            yield key, self._patience.ask(lambda: list(flush()))  # noqa: B023 - called at once
        self._instances.armed.clear()

    def _overdue(self, now: float) -> Iterator[tuple[str, list[Record]]]:
        """What instances give that have had no record for their time."""
        kept = self._instances
        while kept.armed and self._timeout is not None:
            key, seen = next(iter(kept.armed.items()))
            if now - seen < self._timeout:
                return
            del kept.armed[key]
            if (slot := kept.slots[key] or kept.woken(key)) is not None:
                slot.entry = b""
                on_idle = slot.task.on_idle
                yield key, self._patience.ask(lambda: list(on_idle()))  # noqa: B023 - called at once

    def _by_output(self, out: list[Record], keys: list[str] | None) -> dict[str, Given]:
        """The records for the main output, and for each other one of the task's."""
        name = self.stage.id
        if not self._task.asides:
            return {name: Given(out, keys)}
        outputs = {name: Given([], None if keys is None else [])}
        for output in self._task.asides:
            outputs[f"{name}/{output}"] = Given([], None if keys is None else [])
        for index, record in enumerate(out):
            if isinstance(record, Aside):
                to, plain = outputs.get(f"{name}/{record.output}"), _plain(record)
            else:
                to, plain = outputs[name], record
            if to is not None:
                to.records.append(plain)
                if to.keys is not None and keys is not None:
                    to.keys.append(keys[index])
        return outputs

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

    def _problem(self, error: BaseException, process: _Process, record: Record, out: list[Record]) -> str:
        """Why the record is refused; "" if the task only had to be asked again."""
        if isinstance(error, Unavailable):
            try:
                out.extend(self._patience.ask(lambda: list(process(record)), error))
            except EngineError:
                raise
            except (Exception, SystemExit) as again:  # noqa: BLE001 - as in `run`
                error = again
            else:
                return ""
        return str(error) if isinstance(error, BadRecord) else f"the task failed: {type(error).__name__}: {error}"


def _plain(record: Aside) -> Record:
    return Record(record.id, record.source, record.time, record.values, record.units, record.meta)


def _answers(task: BulkTask, records: list[Record]) -> _Process:
    """The task is given the records, and what it says to each is kept, to be asked for in their order."""
    pairs = zip(records, task.process_many(records), strict=True)
    answers = iter([answer if isinstance(answer, BadRecord) else list(answer) for _, answer in pairs])

    def process(record: Record) -> Iterable[Record]:  # noqa: ARG001 - in the place of a task's `process`
        if isinstance(answer := next(answers), BadRecord):
            raise answer
        return answer

    return process
