# ruff: noqa: D102, D414 - each class says by its name what its methods get wrong
"""Tasks documented or configured wrongly."""

from collections.abc import Iterable, Mapping
from typing import Any

from riot_tasks import Record, Task
from tests.riot_tasks.broken.sound import Sum, replaced


class HidesParameter(Sum):
    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self.start = -start - 1


class OwnRepr(Sum):
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


class ShowsNothing(Sum):
    """The sum of x so far.

    Example:
        >>> task = ShowsNothing()

    References:
        Primary school.
    """


class ShowsAnother(Sum):
    """The sum of x so far.

    Example:
        >>> 1 + 1
        2

    References:
        Primary school.
    """


class EmptyReferences(Sum):
    """The sum of x so far.

    Example:
        >>> [result.values for result in EmptyReferences().process(Record(1, "dev7", 0.0, {"x": 2}))]
        [{'x': 2.0}]

    References:
    """


class FillsItsParameter(Sum):
    """The sum of x so far.

    Example:
        >>> [result.values for result in FillsItsParameter([]).process(Record(1, "dev7", 0.0, {"x": 2}))]
        [{'x': 2.0}]

    References:
        Primary school.
    """

    def __init__(self, seen: list[float]) -> None:
        super().__init__()
        self.seen = seen

    def process(self, record: Record) -> Iterable[Record]:
        results = super().process(record)
        self.seen[:] = [self._sum]
        return results


class MovesItsParameter(Sum):
    def process(self, record: Record) -> Iterable[Record]:
        self.start += self._number(record)
        return replaced(record, self.start)

    def snapshot(self) -> Mapping[str, Any]:
        return {"start": self.start}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.start = state["start"]


BROKEN: list[tuple[type[Task], str]] = [
    (HidesParameter, "public attributes"),
    (OwnRepr, "repr shows them"),
    (NoExample, "docstring has an example"),
    (WrongExample, "docstring has an example that runs"),
    (NoReferences, "and its references"),
    (ShowsNothing, "its example shows no result"),
    (ShowsAnother, "no line that begins with >>> and makes a ShowsAnother"),
    (EmptyReferences, "there is no section References"),
    (MovesItsParameter, "nor its attributes: MovesItsParameter(start=0.0) became"),
]
