"""A decision tree at work."""

from collections.abc import Sequence
from typing import TypeAlias

Growth: TypeAlias = "int | tuple[int, float, Growth, Growth]"
"""A leaf: its class; or a split: position of the number to look at, where to split, what follows up to there, what
follows above."""


class DecisionTree:
    """Finds the class of a row of numbers: nested tuples, which take 0.1 µs a split.

    Args:
        root: the tree; no deeper than Python's recursion limit lets it be pickled.
    """

    __slots__ = ("_root",)

    def __init__(self, root: Growth) -> None:
        self._root = root

    def __call__(self, numbers: Sequence[float]) -> int:
        """The class of these numbers."""
        node = self._root
        while type(node) is tuple:  # isinstance takes 0.02 µs longer a step
            place, split, upto, above = node
            node = upto if numbers[place] <= split else above
        return node  # type: ignore[return-value]  # what is no split is a leaf
