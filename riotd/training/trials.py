"""What became of each trial, and which is the best."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from riotd.training.scores import better
from riotd.training.space import Settings


class Trial:
    """One trial.

    Attributes:
        number: 0 is that of the usual settings.
        settings: what it learns with.
        folds: how many it has been judged by.
        figures: over these folds.
        done: whether these are all.
        problem: why it came to no end, or "".
    """

    def __init__(self, number: int, settings: Settings) -> None:
        self.number, self.settings = number, settings
        self.folds, self.figures, self.done, self.problem = 0, dict[str, float](), False, ""

    def hear(self, result: Mapping[str, Any]) -> None:
        """Take what the trial says after a fold."""
        self.problem = result.get("problem", "")
        self.folds, self.figures = result.get("folds", self.folds), result.get("figures", self.figures)
        self.done = bool(result["done"]) and not self.problem

    def fail(self, reason: str) -> None:
        """It ended with an error."""
        self.done, self.problem = False, reason

    @property
    def over(self) -> bool:
        """Whether nothing more is to be heard of it."""
        return self.done or bool(self.problem)

    def plain(self) -> dict[str, Any]:
        """For programs."""
        figures = {name: round(value, 6) for name, value in self.figures.items()}
        problem = {"problem": self.problem} if self.problem else {}
        return {"number": self.number, **self.settings.plain(), "folds": self.folds, **figures, **problem}


Watch = Callable[[Sequence[Trial]], None]


def best(trials: Sequence[Trial], figure: str) -> Trial | None:
    """The best of those that are done; of equals the first, so that nothing is preferred to the usual for nothing."""
    winner: Trial | None = None
    for trial in trials:
        if trial.done and (winner is None or better(figure, trial.figures, winner.figures)):
            winner = trial
    return winner
