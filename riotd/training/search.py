"""Trying settings: each is a trial of Ray Tune, which learns and is judged fold by fold; the best is chosen.

Trials run side by side, as many as there are workers, in actors that are used again: starting one takes seconds, of
which a trial of a small history is a hundredth. Every trial is seen through. Stopping early those that fall behind
(ASHA, median stopping) depends on which of them is ahead by chance, and the same seed would not give the same model.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import ray
from ray import tune

from riotd.errors import EngineError
from riotd.training.folds import Fold
from riotd.training.history import History, Question
from riotd.training.learning import learn, least, said, tally
from riotd.training.space import Settings
from riotd.training.trials import Trial, Watch


class _Work(msgspec.Struct, frozen=True):
    """What all trials have in common."""

    question: Question
    history: History
    folds: Sequence[Fold]
    settings: Sequence[Settings]


class _Trial(tune.Trainable):
    """One trial in its actor: a step for each fold."""

    def setup(self, config: Mapping[str, Any], work: _Work | None = None) -> None:
        assert work is not None  # noqa: S101 - `with_parameters` gives it
        self._work = work
        self._begin(config)

    def reset_config(self, new_config: Mapping[str, Any]) -> bool:
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        work, settings = self._work, self._settings
        fold = work.folds[self._done]
        start = settings.window.start(work.history.times, fold.start)
        rows, needed = fold.start - start, least(work.question, settings)
        if rows < needed:
            problem = f"a model needs {needed:,} rows; the window before fold {self._done + 1} has {rows:,}"
            return {"done": True, "problem": problem}
        model = learn(work.question, work.history.part(start, fold.start), settings=settings)
        test = work.history.part(*fold)
        self._tally.add(test.rows[:, -1], said(model, test))
        self._done += 1
        return {"done": self._done == len(work.folds), "folds": self._done, "figures": self._tally.figures()}

    def _begin(self, config: Mapping[str, Any]) -> None:
        self._settings = self._work.settings[config["number"]]
        self._tally = tally(self._work.question)
        self._done = 0


class _Here:
    """Of this process: Tune writes down what an experiment could be resumed with, and nobody resumes these."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _Heard(_Here, tune.Callback):
    """Hears of the trials."""

    def __init__(self, trials: Sequence[Trial], watch: Watch) -> None:
        self._trials, self._watch = list(trials), watch

    def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Mapping[str, Any], **info: Any) -> None:  # noqa: ANN401, ARG002 - Ray's signature
        self._trials[trial.config["number"]].hear(result)
        self._watch(self._trials)

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:  # noqa: ANN401, ARG002 - as above
        self._trials[trial.config["number"]].fail(_reason(trial))
        self._watch(self._trials)


class _Stopped(_Here, tune.Stopper):
    """Ends the trials when somebody says so."""

    def __init__(self, stop: Callable[[], bool]) -> None:
        self._stop = stop

    def __call__(self, trial_id: str, result: Mapping[str, Any]) -> bool:
        del trial_id, result
        return self._stop()

    def stop_all(self) -> bool:
        return self._stop()


def search(  # noqa: PLR0913 - as few as there can be
    question: Question,
    history: History,
    folds: Sequence[Fold],
    settings: Sequence[Settings],
    *,
    workers: int | None,
    watch: Watch,
    stop: Callable[[], bool],
) -> list[Trial]:
    """A trial of each of these settings, as far as it came before `stop` said so.

    Args:
        question: what is learnt.
        history: from what.
        folds: by what it is judged.
        settings: those to try.
        workers: trials side by side; None is as many as Ray has processors.
        watch: called with all trials when one has got further.
        stop: asked again and again, ten times a second.

    Raises:
        EngineError: Ray gave up.
    """
    trials = [Trial(number, each) for number, each in enumerate(settings)]
    watch(trials)
    with TemporaryDirectory(prefix="riotd-train-") as folder:
        tuner = tune.Tuner(
            tune.with_parameters(_Trial, work=_Work(question, history, folds, settings)),
            param_space={"number": tune.grid_search(list(range(len(settings))))},
            tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=workers),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=str(Path(folder)),
                verbose=0,
                stop=_Stopped(stop),
                callbacks=[_Heard(trials, watch)],
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )
        try:
            tuner.fit()
        except ray.exceptions.RayError as error:
            raise EngineError(f"the trials failed: {error}") from error
    return trials


def _reason(trial: Any) -> str:  # noqa: ANN401 - Ray's own
    """The last line of what a trial raised."""
    try:
        lines = Path(trial.error_file or "").read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return "its worker is gone"
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "its worker is gone")
