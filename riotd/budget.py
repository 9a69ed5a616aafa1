"""How much memory what the daemon holds may take, in one number; what it takes now, part by part.

Counted is what comes with messages and grows with them: their bytes, and an allowance for the objects around them. Not
counted is what is there without any message, the interpreter and its libraries, and the state of tasks that run in the
daemon itself, whose number `max_keys` bounds.
"""

import resource
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from riotd.messages import Outcome

BESIDE = 512
"""Bytes a result takes beside its payload until it is with the sinks: the object, its texts, its topic, its place in
the client's books. Measured: 430."""
_PAGE = resource.getpagesize()


class Part(msgspec.Struct, frozen=True):
    """One of those who hold something.

    Attributes:
        name: for people.
        limit: bytes it should keep to.
        used: gives the bytes it has now.
        waits: whether no batch is begun while it is at its limit.
    """

    name: str
    limit: int
    used: Callable[[], int]
    waits: bool = False


class Budget:
    """The parts and their sum. Knows nobody: whoever holds something is asked by a function.

    When the sum is spent batches go one at a time, for what must be held anyhow, such as large snapshots, would else
    stop the daemon for good.

    Args:
        total: bytes; 0 for any number.
        results: bytes of results that may wait for their sinks before no further batch is begun; 0 for any number.

    Attributes:
        results: bytes of results on their way to the sinks.
        spent: times that the sum was found spent, after it had not been.
    """

    def __init__(self, total: int = 0, *, results: int = 0) -> None:
        self.total, self.results, self.spent = total, 0, 0
        self._parts: list[Part] = []
        self._was_spent = False
        if results:
            self.add("results", results, lambda: self.results, waits=True)

    def add(self, name: str, limit: int, used: Callable[[], int], *, waits: bool = False) -> None:
        """Count this, too."""
        self._parts.append(Part(name, limit, used, waits))

    def adjust(self, limits: Mapping[str, int]) -> None:
        """Other limits, by the names of the parts; that of the sum is called `all`."""
        self.total = limits.get("all", self.total)
        self._parts = [msgspec.structs.replace(part, limit=limits.get(part.name, part.limit)) for part in self._parts]

    def room(self) -> bool:
        """Whether there is room for another batch while others are under way; asked for each."""
        if not self.total:
            return True
        used, full = 0, False
        for part in self._parts:
            size = part.used()
            used += size
            full = full or (part.waits and size >= part.limit)
        spent = used >= self.total
        self.spent += spent and not self._was_spent
        self._was_spent = spent
        return not (full or spent)

    def report(self) -> dict[str, Any]:
        """Bytes as plain data: the budget, what of it is used by whom, and what the whole process has in memory."""
        parts = {part.name: {"limit": part.limit, "used": part.used()} for part in self._parts}
        used = sum(each["used"] for each in parts.values())
        return {"budget": self.total, "used": used, "spent": self.spent, "resident": resident(), "parts": parts}


def weight(outcomes: Sequence[Outcome]) -> int:
    """Bytes that results take until their sinks have them."""
    return sum([len(result.payload) + BESIDE for outcome in outcomes for result in outcome.results])


def resident() -> int:
    """Bytes this process has in memory, the interpreter and what it shares included; 0 where that is not said."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE
    except OSError:
        return 0
