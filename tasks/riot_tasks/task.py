"""The contract every task keeps."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from typing import Any, ClassVar

from riot_tasks.errors import BadRecord
from riot_tasks.record import Record


class Task(ABC):
    """One step of a dataflow over the records of one key.

    Public attributes are the constructor's parameters, under the same names; underscored ones are state.
    Whoever runs tasks makes one instance per key if `stateful`, else one for all keys; calls it from one thread at
    a time, not always the same, in the order of the records; and may drop it at any time between two calls, keeping
    `snapshot()`.

    A task knows records and nothing else: no topics, batches, shards, threads, no clock, no randomness that
    is not seeded. Output depends on the constructor's parameters and on the records so far, so that a replay
    gives the same results.
    """

    stateful: ClassVar[bool] = True
    """False if the output for a record depends on that record only."""
    code: ClassVar[str] = ""
    """RIoTBench's code (KAL, SLR, ...), where it has one."""
    pattern: ClassVar[str] = "1:1"
    """Records in : records out, as RIoTBench writes it: 1:1, 1:0/1, 1:N, N:1, N:M."""

    shared: ClassVar[bool] = False
    """True if one instance serves all keys of a shard although it keeps state, which then is nobody's own: a model.

    Its state must follow from records that all shards get, so that it is the same in each.
    """
    asides: ClassVar[tuple[str, ...]] = ()
    """Names of the outputs it has beside the main one; what it gives for one of them is an `Aside`."""
    idle_timeout: float | None = None
    """Seconds without a record of its key after which `on_idle` is called, once; None is never.

    They are seconds of whoever runs the task, not of the records: for what has to end although no record comes.
    """
    counts: Counter[str] | None = None
    """Where `note` counts; whoever runs the task may give one for all instances of a stage."""

    writes: ClassVar[bool] = False
    """True if it leaves something outside, so that it is worth running although nobody takes its records."""
    waits: ClassVar[bool] = False
    """True if it may raise `Unavailable`, or block: it is never run where others would have to wait too, on a loop."""

    @abstractmethod
    def process(self, record: Record) -> Iterable[Record]:
        """Take one record, give the records that follow from it, with its `id`.

        Says nothing by giving nothing. Does not change `record`. Must not block for long.

        Raises:
            BadRecord: this record can't be processed, ever; state is as if it had not come.
            Unavailable: something outside is out of reach; state is as if it had not come.
        """

    def flush(self) -> Iterable[Record]:
        """Give what is still held back at the end of a bounded stream; default nothing.

        Raises:
            Unavailable: something outside is out of reach; what is held back still is.
        """
        return ()

    def on_idle(self) -> Iterable[Record]:
        """Give what is overdue because no record of the key has come for `idle_timeout` seconds; default nothing.

        What it gives has the id of the last record it follows from. Raises as `flush`.
        """
        return ()

    def note(self, what: str, number: int = 1) -> None:
        """Count something for the stage's statistics that is no record's fate: joins that expired, late data."""
        if self.counts is not None:
            self.counts[what] += number

    def snapshot(self) -> Mapping[str, Any]:
        """State as plain data: None, bool, int, float, str, bytes, lists, and dicts with string keys.

        With `restore` on a new instance with the same parameters, continuing equals never having stopped.
        """
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:  # noqa: B027 - a task without state has nothing to take
        """Take the state that `snapshot` gave, of this version or an earlier one; called on a fresh instance."""

    def __repr__(self) -> str:
        names = signature(type(self)).parameters
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


class BulkTask(Task):
    """A task that takes many records in one go: one transaction, one commit, requests side by side.

    For tasks that reach outside, where each call costs a journey. Whoever runs it hands it all the records it has
    at the moment, of any keys, and passes nothing on before `process_many` has returned: so what the outside was
    given is with it before anybody hears of the results, and nothing waits in the task between two calls. Hence it
    keeps no state.
    """

    stateful: ClassVar[bool] = False
    waits: ClassVar[bool] = True

    @abstractmethod
    def process_many(self, records: Sequence[Record]) -> Sequence[Iterable[Record] | BadRecord]:
        """Take records in order; give for each, in the same order, what follows from it, or why it is refused.

        The outcome, here and outside, is as if `process` had taken them one by one. May be called again with the
        same records after any failure: what was done already must not show twice.

        Raises:
            Unavailable: something outside is out of reach; some of the records may have been done.
        """

    def process(self, record: Record) -> Iterable[Record]:
        """One record on its own."""
        (answer,) = self.process_many([record])
        if isinstance(answer, BadRecord):
            raise answer
        return answer
