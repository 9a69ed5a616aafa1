"""Requests side by side, so that many records share the waiting for a store far away."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from riot_tasks.errors import BadRecord

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(ask: Callable[[T], R], items: Sequence[T], lanes: int) -> list[R | BadRecord]:
    """What `ask` gives for each item, in their order, or the BadRecord it raises.

    Args:
        ask: may run in several threads at once.
        items: what to ask about.
        lanes: requests under way at the same time; 1 asks in this thread.

    Raises:
        Unavailable: as `ask` raises it for any of them; the others were asked too, or will not be.
    """

    def answer(item: T) -> R | BadRecord:
        try:
            return ask(item)
        except BadRecord as refusal:
            return refusal

    if lanes == 1 or len(items) < 2:
        return [answer(item) for item in items]
    with ThreadPoolExecutor(min(lanes, len(items))) as pool:
        return list(pool.map(answer, items))
