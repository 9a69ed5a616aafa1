"""What does not add up in the books: an alarm, and when to say it again."""

from collections.abc import Iterable

import msgspec


class Alarm(msgspec.Struct, frozen=True):
    """Books that are not closed: messages or records of which nobody knows what became. It is always a bug.

    Attributes:
        where: which book.
        residue: how many are too many on its left side; negative: too few.
        what: the sum that is wrong, with its numbers.
    """

    where: str
    residue: int
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} (residue {self.residue})"


class Alarms:
    """Remembers what was said, so that each is said when it comes, when it has doubled, and when it goes."""

    def __init__(self) -> None:
        self._said: dict[str, Alarm] = {}

    def news(self, present: Iterable[Alarm]) -> list[Alarm]:
        """Of the alarms there are, those to say now; one that has gone is among them with residue 0."""
        found = {alarm.where: alarm for alarm in present}
        gone = [Alarm(where, 0, "it adds up again") for where in self._said if where not in found]
        said = {where: alarm for where, alarm in self._said.items() if where in found}
        fresh = [alarm for where, alarm in found.items() if _worse(alarm, said.get(where))]
        self._said = said | {alarm.where: alarm for alarm in fresh}
        return fresh + gone


def residue(where: str, left: int, sign: str, **right: int) -> list[Alarm]:
    """An alarm if a sum is wrong, else none.

    Args:
        where: which book.
        left: what the others should add up to.
        sign: what it is called.
        right: the others, by name.
    """
    rest = left - sum(right.values())
    words = " + ".join(f"{name.replace('_', ' ')} {count}" for name, count in right.items())
    return [Alarm(where, rest, f"{sign} {left} ≠ {words}")] if rest else []


def _worse(alarm: Alarm, said: Alarm | None) -> bool:
    return said is None or abs(alarm.residue) >= 2 * abs(said.residue) or alarm.residue * said.residue < 0
