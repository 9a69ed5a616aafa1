"""The task instances of a stage, by key: those at work, and those whose state waits until their key comes again.

A restored state stays packed until a record of its key comes, or its time does: a million keys are there again in
about a second, and instances are made one by one with the records, where making all of them at once took 20 s.

Instances are packed one by one: what is made for one is gone before Python's collector looks at it, which for a million
keys at once was two thirds of a pause of 1.4 s. What was packed is good until the instance is used again, so a snapshot
of many devices costs what those cost that have spoken since the last one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from riot_tasks import Task
from riotd.errors import EngineError

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An instance in a snapshot.

    Attributes:
        seen: Unix seconds at which it was last used.
        state: MessagePack of what `Task.snapshot` gave.
        armed: whether it waits for time to pass.
        group: the key-group it goes with.
    """

    seen: float
    state: msgspec.Raw
    armed: bool
    group: int


class State(msgspec.Struct, frozen=True):
    """A stage in a snapshot.

    Attributes:
        of: which task with which parameters by which key.
        keys: its instances; the one of all keys has the key "".
    """

    of: list[Any]
    keys: dict[str, Row]


class Slot:
    """One task instance, when it was last used, the key-group it goes with, and what it was packed as since then.

    Whoever uses the instance sets `entry` to b"".
    """

    __slots__ = ("entry", "group", "process", "seen", "task")

    def __init__(self, task: Task, seen: float, group: int = 0) -> None:
        self.task, self.seen, self.group = task, seen, group
        self.process = task.process
        self.entry = b""


class Instances:
    """Those of a stage whose task has one for each key.

    Args:
        make: gives a fresh instance.

    Attributes:
        slots: by key, in the order of their beginnings; None where the state waits.
        armed: keys whose instances wait for time to pass, the longest unused first.
    """

    def __init__(self, make: Callable[[], Task]) -> None:
        self.slots: dict[str, Slot | None] = {}
        self.armed: dict[str, float] = {}
        self._make = make
        self._rows: dict[str, Row] = {}

    def __len__(self) -> int:
        return len(self.slots)

    def woken(self, key: str) -> Slot | None:
        """The instance of a key whose state waits; None if there is none.

        Raises:
            EngineError: the task can't take the state.
        """
        row = self._rows.pop(key, None)
        if row is None:
            return None
        slot = self.slots[key] = restored(self._make(), row)
        return slot

    def begun(self, key: str, group: int) -> Slot:
        """A fresh instance for a key."""
        slot = self.slots[key] = Slot(self._make(), 0.0, group)
        return slot

    def all(self) -> Iterator[tuple[str, Slot]]:
        """Every instance, to be used, in the order of their beginnings; those that wait are woken."""
        for key in list(self.slots):
            if (slot := self.slots[key] or self.woken(key)) is not None:
                slot.entry = b""
                yield key, slot

    def seen(self, key: str) -> float:
        """When a key's instance was last used."""
        slot = self.slots[key]
        return self._rows[key].seen if slot is None else slot.seen

    def drop(self, keys: Iterable[str]) -> None:
        """Be rid of these."""
        for key in keys:
            if self.slots.pop(key) is None:
                del self._rows[key]
            self.armed.pop(key, None)

    def restore(self, rows: Mapping[str, Row]) -> None:
        """Add instances of a snapshot.

        Raises:
            EngineError: the task can't take the state of one of them; others are found when they are needed.
        """
        for row in islice(rows.values(), 1):
            restored(self._make(), row)
        self._rows.update(rows)
        self.slots.update(dict.fromkeys(rows))
        armed = self.armed | {key: row.seen for key, row in rows.items() if row.armed}
        self.armed = dict(sorted(armed.items(), key=lambda item: item[1]))

    def group(self, key: str) -> int | None:
        """The key-group of a key's instance; None if there is none."""
        if key not in self.slots:
            return None
        slot = self.slots[key]
        return self._rows[key].group if slot is None else slot.group

    def give(self, group: int) -> bytes:
        """As `packed`, of the instances of one key-group, which are here no more."""
        waiting = [key for key, row in self._rows.items() if row.group == group]  # 0.1 µs a key that there is
        leaving: dict[str, Slot | None] = {
            key: slot for key, slot in self.slots.items() if slot is not None and slot.group == group
        }
        leaving |= dict.fromkeys(waiting)
        packed = self._packed(leaving)
        self.drop(leaving)
        return packed

    def packed(self) -> bytes:
        """MessagePack of key to `Row`, as `State.keys` has it."""
        return self._packed(self.slots)

    def _packed(self, slots: Mapping[str, Slot | None]) -> bytes:
        rows, armed = self._rows, self.armed
        parts = [b"\xdf" + len(slots).to_bytes(4, "big")]
        for key, slot in slots.items():
            if slot is None:
                parts += (_pack(key), _pack(rows[key]))
            else:
                if not slot.entry:
                    row = (slot.seen, slot.task.snapshot(), key in armed, slot.group)
                    slot.entry = _pack(key) + _pack(row)
                parts.append(slot.entry)
        return b"".join(parts)


def restored(task: Task, row: Row) -> Slot:
    """An instance of a snapshot, in the place of a fresh one.

    Raises:
        EngineError: the task can't take the state.
    """
    try:
        task.restore(_unpack(row.state))
    except Exception as error:
        name = type(task).__name__
        raise EngineError(f"{name} can't go on from its snapshot: {type(error).__name__}: {error}") from error
    return Slot(task, row.seen, row.group)
