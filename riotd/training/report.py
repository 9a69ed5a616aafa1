"""What became of a job, for people's summaries and for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from riot_tasks import models
from riot_tasks.models.registry import Entry
from riotd.training.framing import Facts
from riotd.training.history import Question
from riotd.training.trials import Trial

Figures = Mapping[str, float]


class HeldOut(msgspec.Struct, frozen=True, kw_only=True):
    """How models do on the rows that had no say in choosing.

    Attributes:
        rows: how many these are.
        chosen: figures of the settings that were chosen.
        usual: of those that `decision_tree_train` and `linear_regression_train` have by default, on all the history.
        guess: of always the commonest class, or the mean.
    """

    rows: int
    chosen: Figures
    usual: Figures
    guess: Figures


class Report(msgspec.Struct, kw_only=True):
    """What became of a job.

    Attributes:
        question: what was learnt.
        facts: from what.
        figure: what was chosen by.
        trials: all that were tried, the usual settings first.
        best: the best of them; None if none came to its end.
        stopped: whether somebody ended it before all were tried; then nothing is kept.
        held_out: how good the model is; None without one.
        model: the document.
        entry: where it is kept; None if in no store.
        url: of the blob.
        output: path of the file it is in.
        announced: topic to which it was announced.
        trouble: what failed after the model was there.
        seconds: that it took.
    """

    question: Question
    facts: Facts
    figure: str
    trials: Sequence[Trial]
    best: Trial | None
    stopped: bool = False
    held_out: HeldOut | None = None
    model: models.LinearModel | models.TreeModel | None = None
    entry: Entry | None = None
    url: str | None = None
    output: str | None = None
    announced: str | None = None
    trouble: str = ""
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """For programs; what there is not is null."""
        model = self.model
        return {
            "schema": 1,
            "model": self.question.kind,
            "features": list(self.question.features),
            "target": self.question.target,
            "classes": list(self.question.classes),
            "history": msgspec.to_builtins(self.facts),
            "score": self.figure,
            "trials": [trial.plain() for trial in self.trials],
            "best": self.best and self.best.plain(),
            "stopped": self.stopped,
            "held_out": self.held_out and msgspec.to_builtins(self.held_out),
            "version": model and model.version,
            "trained_on": model and model.training and model.training.rows,
            "metrics": model and dict(model.metrics),
            "name": self.entry and self.entry.name,
            "url": self.url,
            "sha256": self.entry and self.entry.sha256,
            "output": self.output,
            "announced": self.announced,
            "trouble": self.trouble or None,
            "seconds": round(self.seconds, 3),
        }
