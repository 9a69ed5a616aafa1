# ruff: noqa: D102 - each class says by its name what its methods get wrong
"""Tasks that each break one promise of the contract, and `Sum`, which keeps them all."""

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from riot_tasks import BadRecord, Record, Task


def _result(record: Record, x: float) -> list[Record]:
    return [msgspec.structs.replace(record, values={"x": x})]


class Sum(Task):
    """The sum of x so far: a task that keeps every promise.

    Example:
        >>> [result.values for result in Sum().process(Record(1, "dev7", 0.0, {"x": 2}))]
        [{'x': 2.0}]

    References:
        Primary school.
    """

    def __init__(self, start: float = 0.0) -> None:
        self.start = start
        self._sum = start
        self._history: list[Any] = []

    def process(self, record: Record) -> Iterable[Record]:
        """The sum."""
        x = record.values.get("x")
        if isinstance(x, bool) or not isinstance(x, int | float) or not abs(x) < 1e300:
            raise BadRecord("x: is no number")
        self._sum += x
        return _result(record, self._sum)

    def snapshot(self) -> Mapping[str, Any]:
        """The sum."""
        return {"version": 1, "sum": self._sum}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The sum."""
        self._sum = state["sum"]


class HidesParameter(Sum):
    __doc__ = Sum.__doc__

    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self.start = -start - 1


class OwnRepr(Sum):
    __doc__ = Sum.__doc__

    def __repr__(self) -> str:
        return "<a sum>"


class NoExample(Sum):
    """The sum of x so far.

    References:
        Primary school.
    """


class WrongExample(Sum):
    """The sum of x so far.

    Example:
        >>> [result.values for result in Sum().process(Record(1, "dev7", 0.0, {"x": 2}))]
        [{'x': 3.0}]

    References:
        Primary school.
    """


class NoReferences(Sum):
    """The sum of x so far.

    >>> 1 + 1
    2
    """


class HoldsLambda(Sum):
    __doc__ = Sum.__doc__

    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self._step: Callable[[float], float] = lambda x: x


class PicklesHalf(Sum):
    __doc__ = Sum.__doc__

    def __getstate__(self) -> dict[str, Any]:
        return {"start": self.start, "_sum": self.start}


class SnapshotsTuple(Sum):
    __doc__ = Sum.__doc__

    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum, "pair": (1, 2)}


class SnapshotsIntKeys(Sum):
    __doc__ = Sum.__doc__

    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum, "by": {1: 2}}


class SnapshotsTooLate(Sum):
    __doc__ = Sum.__doc__

    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": {1, 2} if self._sum > 10 else self._sum}


class ForgetsToRestore(Sum):
    __doc__ = Sum.__doc__

    def restore(self, state: Mapping[str, Any]) -> None:
        pass


class RestoresRounded(Sum):
    __doc__ = Sum.__doc__

    def restore(self, state: Mapping[str, Any]) -> None:
        self._sum = round(state["sum"])


class LosesFlush(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        self._history = list(super().process(record))
        return ()

    def flush(self) -> Iterable[Record]:
        last, self._history = self._history, []
        return last


class LendsItsState(Sum):
    __doc__ = Sum.__doc__

    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self._history = [start]

    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        self._history[0] = self._sum
        return results

    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum, "history": self._history}


class KeepsTheLoan(LendsItsState):
    __doc__ = Sum.__doc__

    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum, "history": list(self._history)}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self._history = state["history"]


class ChangesItsInput(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        record.meta["seen"] = "yes"
        return results


class SharesState(Sum):
    __doc__ = Sum.__doc__
    total = 0.0

    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        SharesState.total += 1
        return _result(record, SharesState.total)


class Draws(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        return _result(record, random.random())


class TrustsItsInput(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        self._sum += float(record.values["x"])  # type: ignore[arg-type]
        return _result(record, self._sum)


class FailsLazily(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        yield from _result(record, self._sum + len(record.values["y"]))  # type: ignore[arg-type]


class CountsRefused(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        self._sum += 1
        return super().process(record)


class OwnIds(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        return [msgspec.structs.replace(result, id=result.id + 1) for result in super().process(record)]


class FlushesUnknownId(Sum):
    __doc__ = Sum.__doc__

    def flush(self) -> Iterable[Record]:
        return [Record(0, "nobody", 0.0, {"x": self._sum})]


class GivesNumbers(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        return [self._sum]  # type: ignore[list-item]


class GivesTextIds(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        return [msgspec.structs.replace(result, id=str(result.id)) for result in super().process(record)]


class GivesNumericMeta(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        return [msgspec.structs.replace(result, meta={"step": 1}) for result in super().process(record)]


class GivesLists(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        return _result(record, [self._sum])  # type: ignore[arg-type]


class GivesTwo(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        return [*super().process(record)] * 2


class UnknownPattern(Sum):
    __doc__ = Sum.__doc__
    pattern = "1:2"


class SaysItIsStateless(Sum):
    __doc__ = Sum.__doc__
    stateful = False

    def snapshot(self) -> Mapping[str, Any]:
        return {}


class SnapshotsThoughStateless(Sum):
    __doc__ = Sum.__doc__
    stateful = False

    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        return _result(record, 1.0)


class FlushesTwice(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        self._history = list(super().process(record))
        return ()

    def flush(self) -> Iterable[Record]:
        return self._history


class RemembersValues(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        self._history.append(record.values["x"])
        return results

    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum, "history": list(self._history)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._sum, self._history = state["sum"], list(state["history"])


class RemembersInSecret(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        self._history.append(record.source)
        return results


class RemembersFields(Sum):
    __doc__ = Sum.__doc__

    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        self._history += [name for name in record.values if name not in self._history]
        return results


BROKEN = [
    (HidesParameter, "public attributes"),
    (OwnRepr, "repr shows them"),
    (NoExample, "docstring has an example"),
    (WrongExample, "docstring has an example that runs"),
    (NoReferences, "and its references"),
    (HoldsLambda, "It pickles"),
    (PicklesHalf, "the copy goes on like the original"),
    (SnapshotsTuple, "snapshot['pair'] is a tuple"),
    (SnapshotsIntKeys, "with string keys"),
    (SnapshotsTooLate, "snapshot['sum'] is a set"),
    (ForgetsToRestore, "goes on as if it had never stopped"),
    (RestoresRounded, "goes on as if it had never stopped"),
    (LosesFlush, "cut before record 24"),
    (LendsItsState, "A snapshot stays as it was taken"),
    (KeepsTheLoan, "A snapshot stays as it was taken"),
    (ChangesItsInput, "does not change the records it is given"),
    (SharesState, "Two instances share no state"),
    (Draws, "A replay gives the same results"),
    (TrustsItsInput, "never another exception: raised KeyError"),
    (FailsLazily, "never another exception: raised"),
    (CountsRefused, "leaves no trace"),
    (OwnIds, "with the id of the record they follow from"),
    (FlushesUnknownId, "flush gave"),
    (GivesNumbers, "is a float, no Record"),
    (GivesTextIds, "id, source and time must be int, str and float"),
    (GivesNumericMeta, "units and meta hold texts only"),
    (GivesLists, "x holds no plain value"),
    (GivesTwo, "2 records for one, with pattern 1:1"),
    (UnknownPattern, "pattern is '1:2'"),
    (SaysItIsStateless, "results do not depend on what came before"),
    (SnapshotsThoughStateless, "it has a snapshot"),
    (FlushesTwice, "A second flush gives nothing"),
    (RemembersValues, "the snapshot has"),
    (RemembersInSecret, "the pickle has"),
    (RemembersFields, "the pickle has"),
]
