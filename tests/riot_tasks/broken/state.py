# ruff: noqa: D102 - each class says by its name what its methods get wrong
"""Tasks with state that does not survive."""

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from riot_tasks import Record, Task
from tests.riot_tasks.broken.sound import Sum, replaced


class HoldsLambda(Sum):
    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self._step: Callable[[float], float] = lambda x: x


class PicklesHalf(Sum):
    def __getstate__(self) -> dict[str, Any]:
        return {"start": self.start, "_sum": self.start}


class SnapshotsTuple(Sum):
    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum, "pair": (1, 2)}


class SnapshotsIntKeys(Sum):
    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum, "by": {1: 2}}


class SnapshotsTooLate(Sum):
    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": {1, 2} if self._sum > 10 else self._sum}


class ForgetsToRestore(Sum):
    def restore(self, state: Mapping[str, Any]) -> None:
        pass


class RestoresRounded(Sum):
    def restore(self, state: Mapping[str, Any]) -> None:
        self._sum = round(state["sum"])


class LosesFlush(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        self._history = list(super().process(record))
        return ()

    def flush(self) -> Iterable[Record]:
        last, self._history = self._history, []
        return last


class LendsItsState(Sum):
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
    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum, "history": list(self._history)}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self._history = state["history"]


class SharesState(Sum):
    total = 0.0

    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        SharesState.total += 1
        return replaced(record, SharesState.total)


class Draws(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        return replaced(record, random.random())


class SaysItIsStateless(Sum):
    stateful = False

    def snapshot(self) -> Mapping[str, Any]:
        return {}


class SnapshotsThoughStateless(Sum):
    stateful = False

    def process(self, record: Record) -> Iterable[Record]:
        super().process(record)
        return replaced(record, 1.0)


class PicklesLate(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        self._history = [lambda: None] if self._sum > 10 else []
        return results


class SnapshotsWhatIsNew(Sum):
    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self._known = 0.0

    def snapshot(self) -> Mapping[str, Any]:
        return {"sum": self._sum - self._known}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._sum = self._known = state["sum"]


class BelongsToItsThread(Sum):
    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self._own = threading.get_ident()

    def process(self, record: Record) -> Iterable[Record]:
        if threading.get_ident() != self._own:
            raise RuntimeError("made in another thread")
        return super().process(record)


class FlushesThoughStateless(SnapshotsThoughStateless):
    def snapshot(self) -> Mapping[str, Any]:
        return {}

    def process(self, record: Record) -> Iterable[Record]:
        self._history = [record]
        return super().process(record)

    def flush(self) -> Iterable[Record]:
        last, self._history = self._history, []
        return last


BROKEN: list[tuple[type[Task], str]] = [
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
    (SharesState, "Two instances share no state"),
    (Draws, "A replay gives the same results"),
    (SaysItIsStateless, "results do not depend on what came before"),
    (SnapshotsThoughStateless, "it has a snapshot"),
    (PicklesLate, "It pickles"),
    (SnapshotsWhatIsNew, "Cut between all records"),
    (BelongsToItsThread, "not always by the same, and says what it says in one: raised RuntimeError"),
    (FlushesThoughStateless, "its flush gives [Record"),
]
