"""The world outside a task, as far as a check needs to handle it."""

from collections.abc import Callable

import msgspec


def _nothing() -> None:
    """A world that is never touched, and looks the same at any time."""


class Outside(msgspec.Struct, frozen=True):
    """A store, a folder, a broker: what a task that does I/O works on while it is checked.

    Attributes:
        reset: puts the world as the examples expect it, however it was; called before each check.
        look: what the world holds now; two looks are equal if it holds the same.
    """

    reset: Callable[[], object] = _nothing
    look: Callable[[], object] = _nothing
