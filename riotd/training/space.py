"""Which settings are tried.

All of them are drawn before the first is tried. A search that learns from what it has tried would depend on which of
two trials side by side ends first, and the same seed would not give the same model. They are drawn evenly: each
range is cut into as many strata as there are trials, and each stratum is drawn from once (McKay, Beckman and Conover,
"A Comparison of Three Methods for Selecting Values of Input Variables", Technometrics 21 (1979)).
"""

import math
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import msgspec

from riotd.training.window import Unit, Window

DEPTH, LEAF = 20, 2
"""What `decision_tree_train` has by default."""
_ROUNDS = 20
"""How often more is drawn where settings come twice; then there are hardly any others."""


class Span(NamedTuple):
    """From where to where, both included."""

    low: float
    high: float


class Settings(msgspec.Struct, frozen=True):
    """What one trial learns with.

    Attributes:
        window: how much history.
        depth: comparisons for a row, at most; None for a regression.
        leaf: rows in a leaf, at least; None for a regression.
    """

    window: Window = Window()
    depth: int | None = None
    leaf: int | None = None

    def __str__(self) -> str:
        tree = f", depth {self.depth}, leaf {self.leaf:,}" if self.depth and self.leaf else ""
        return f"window {self.window}{tree}"

    def plain(self) -> dict[str, Any]:
        """For programs."""
        return {"window": self.window.plain(), "depth": self.depth, "leaf": self.leaf}


class Space(NamedTuple):
    """What may be tried.

    Attributes:
        window: amounts; one that is `whole` or more is all the history.
        unit: of these.
        whole: all the history, in that unit.
        rows: in all the history.
        depth: of a tree; None for a regression.
        leaf: as `depth`.
    """

    window: Span
    unit: Unit
    whole: float
    rows: int
    depth: Span | None = None
    leaf: Span | None = None


def candidates(space: Space, *, trials: int, seed: int) -> list[Settings]:
    """What is tried, each once: first TRAIN's own settings (as near as the ranges let), then what is drawn.

    They are fewer than `trials` if there are no more.
    """
    found = {_usual(space): None}
    random = Random(seed)  # noqa: S311 - no secret
    for _ in range(_ROUNDS):
        for settings in _drawn(space, trials - 1, random):
            if len(found) >= trials:
                return list(found)
            found.setdefault(settings)
    return list(found)


def _usual(space: Space) -> Settings:
    """All the history, into trees as `decision_tree_train` grows them by default."""
    return Settings(
        _window(space, space.window.high),
        space.depth and round(_within(space.depth, DEPTH)),
        space.leaf and round(_within(space.leaf, LEAF)),
    )


def _drawn(space: Space, count: int, random: Random) -> Iterator[Settings]:
    windows, depths, leaves = (_strata(count, random) for _ in range(3))
    for at_window, at_depth, at_leaf in zip(windows, depths, leaves, strict=True):
        amount = round(_log(space.window, at_window)) if space.unit == "rows" else _log(space.window, at_window)
        yield Settings(
            _window(space, amount),
            space.depth and round(_even(space.depth, at_depth)),
            space.leaf and round(_log(_fitting(space.leaf, space.rows * amount / space.whole), at_leaf)),
        )


def _fitting(leaf: Span, rows: float) -> Span:
    """Leaves that a window of so many rows has room for: a tenth of it at most, unless all are to be larger."""
    return Span(leaf.low, max(leaf.low, min(leaf.high, rows // 10)))


def _strata(count: int, random: Random) -> list[float]:
    """So many shares from 0 to 1, one of each stratum, in any order."""
    shares = [(number + random.random()) / count for number in range(count)]
    random.shuffle(shares)
    return shares


def _window(space: Space, amount: float) -> Window:
    if amount >= space.whole:
        return Window(None, space.unit)
    return Window(float(round(amount)) if space.unit == "rows" else float(f"{amount:.3g}"), space.unit)


def _log(span: Span, share: float) -> float:
    """Ten times as much is one step, wherever it begins."""
    return _within(span, math.exp(math.log(span.low) + share * (math.log(span.high) - math.log(span.low))))


def _even(span: Span, share: float) -> float:
    """Each whole number has the same share."""
    return min(span.high, math.floor(span.low + share * (span.high - span.low + 1)))


def _within(span: Span, value: float) -> float:
    return min(max(value, span.low), span.high)
