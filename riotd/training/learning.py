"""The step that TRAIN does, over rows that are all there: the tasks' own learning, and the scoring of PRED.

What a trial is judged by is therefore what the flow would do with these settings, not a likeness of it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from riot_tasks import models
from riot_tasks.predict.decision_tree_train import DecisionTreeTrain
from riot_tasks.predict.linear_regression_train import LinearRegressionTrain
from riotd.training.history import History, Question
from riotd.training.scores import Classes, Numbers
from riotd.training.space import DEPTH, LEAF, Settings

Model = models.LinearModel | models.TreeModel

_INFIX = {"tree": "DTC", "regression": "MLR"}
"""RIoTBench's codes for the tasks that apply the models, as they stand in the versions of TRAIN's."""


def least(question: Question, settings: Settings) -> int:
    """Rows that a model needs, as the tasks have it."""
    return 2 * settings.leaf if settings.leaf else len(question.features) + 2


def learn(question: Question, history: History, *, settings: Settings, name: str = "trial") -> Model:
    """The model of all rows of a history.

    Args:
        question: what is to be learnt.
        history: `least` rows or more.
        settings: the window has been cut out already.
        name: what its version begins with.
    """
    until = float(history.times[-1])
    head = {
        "format": models.FORMAT,
        "version": f"{name}-{_INFIX[question.kind]}-{round(until * 1000)}",
        "features": list(question.features),
        "target": question.target,
        "training": models.Training(len(history), float(history.times[0]), until, name),
    }
    rows: Any = history.rows  # an array of rows is as good as a list of them
    if question.kind == "regression":
        return LinearRegressionTrain(question.features, question.target, window=len(history)).learn(rows, head)
    step = DecisionTreeTrain(
        question.features,
        question.target,
        classes=question.classes,
        window=len(history),
        min_leaf=settings.leaf or LEAF,
        max_depth=settings.depth or DEPTH,
    )
    return step.learn(rows, head)


def said(model: Model, history: History) -> Sequence[float]:
    """What the model makes of each row: a number, or the position of a class."""
    places = [model.features.index(name) for name in model.inputs]
    scorer = model.scorer
    return [scorer(found) for found in history.rows[:, places].tolist()]


def tally(question: Question) -> Classes | Numbers:
    """What counts how well rows are foretold."""
    return Classes(len(question.classes)) if question.classes else Numbers()


def judged(question: Question, model: Model, history: History) -> dict[str, float]:
    """The figures of a model over rows that it has not seen."""
    counted = tally(question)
    counted.add(history.rows[:, -1], said(model, history))
    return counted.figures()


def guessed(question: Question, learnt: History, history: History) -> dict[str, float]:
    """The figures of what needs no model: always the commonest class of the rows learnt from, or their mean."""
    target = learnt.rows[:, -1]
    guess = float(np.bincount(target.astype(np.intp)).argmax()) if question.classes else float(target.mean())
    counted = tally(question)
    counted.add(history.rows[:, -1], [guess] * len(history))
    return counted.figures()
