"""Which model is in force: a new one takes over at once or after a trial, an old one may come back.

Trials are counted in message numbers, which are the same everywhere: whoever has been offered the same models at the
same messages has the same one in force at every later message, whatever records it sees itself.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from riot_tasks import models

M = TypeVar("M", bound=models.LinearModel | models.TreeModel)

REMEMBERED = 64
"""Names of versions that were in force before, at most; the oldest are forgotten."""


class Change(NamedTuple):
    """What became of a model.

    Attributes:
        event: `taken`, `rolled_back` (it was in force before), `shadowing` (it is on trial), `promoted` (taken after a
            trial), or `dropped` (its trial ended before it took over).
        version: of the model.
        previous: of the one in force before, or still; "" if there was none.
        reason: why, where that is not plain.
        until: number of the last message of its trial; 0 without one.
    """

    event: str
    version: str
    previous: str = ""
    reason: str = ""
    until: int = 0


class Succession(Generic[M]):
    """The model in force, the one before it, and one on trial.

    Args:
        first: the model in force at the beginning; None if there is none yet.
        patient: whether a model on trial waits to be offered again, without a trial, instead of taking over.

    Attributes:
        current: the model in force.
        previous: the one before it, for records that `current` can make nothing of; None after a rollback.
        candidate: a model on trial, or one that has had it and waits.
        until: number of the last message of the trial.
    """

    def __init__(self, first: M | None, *, patient: bool = False) -> None:
        self._patient = patient
        self._first = first
        self.current: M | None = first
        self.previous: M | None = None
        self.candidate: M | None = None
        self.until = 0
        self._past: list[str] = []  # versions that were in force, the latest last

    def offer(self, model: M, message: int, trial: int | None, default: int) -> list[Change]:
        """A model is there.

        Args:
            model: it.
            message: number of the message that brought it.
            trial: messages that it is to be tried for; 0 is none, None is not said.
            default: messages in that case; but a model that was in force before is not tried again.

        Raises:
            ValueError: another model has its version already.
        """
        self.reach(message)
        old = self.current
        for known in (old, self.previous, self.candidate):
            if known is not None and known.version == model.version and known != model:
                raise ValueError(f"another model is called {model.version} already; give each its own version")
        if old is None:
            return self._taken("taken", model)
        if model == old:
            return self._dropped(model)
        if model == self.candidate:
            return self._taken("promoted", model) if trial == 0 else []
        before = model.version in self._past
        messages = (0 if before else default) if trial is None else trial
        changes = self._dropped(model)
        if not messages:
            return [*changes, *self._taken("rolled_back" if before else "taken", model)]
        self.candidate, self.until = model, message + messages
        return [*changes, Change("shadowing", model.version, old.version, until=self.until)]

    def reach(self, message: int) -> None:
        """The message of this number has come: a trial may be over."""
        if self.candidate is not None and message > self.until and not self._patient:
            self._taken("promoted", self.candidate)

    def on_trial(self, message: int) -> M | None:
        """The model that is tried at this message."""
        return self.candidate if message <= self.until else None

    def _taken(self, event: str, model: M) -> list[Change]:
        old = self.current
        if old is not None:
            self._past = [*(each for each in self._past if each != old.version), old.version][-REMEMBERED:]
        self.previous = None if event == "rolled_back" else old  # what was rolled back is not to be relied on
        self.current, self.candidate = model, None
        return [Change(event, model.version, "" if old is None else old.version)]

    def _dropped(self, model: M) -> list[Change]:
        """The end of the trial of another one than this model."""
        candidate = self.candidate
        if candidate is None or candidate == model:
            return []
        self.candidate = None
        kept = "" if self.current is None else self.current.version
        return [Change("dropped", candidate.version, kept, f"{model.version} was announced")]

    def state(self) -> Mapping[str, Any]:
        """All of it as plain data; a model is its text, and the first one None."""
        return {
            "version": 2,
            "model": None if self.current is self._first else _text(self.current),
            "previous": _text(self.previous),
            "candidate": _text(self.candidate),
            "until": self.until,
            "past": list(self._past),
        }

    def load(self, state: Mapping[str, Any], read: Callable[[str], M]) -> None:
        """Go on from what `state` gave; `read` makes a model of its text."""
        text = state["model"]
        self.current = self._first if text is None else read(text)
        if state["version"] == 1:  # there was only the model
            return
        self.previous, self.candidate = (None if text is None else read(text) for text in map(state.get, _OTHERS))
        self.until, self._past = state["until"], list(state["past"])


_OTHERS = ("previous", "candidate")


def _text(model: models.LinearModel | models.TreeModel | None) -> str | None:
    return None if model is None else models.write(model)
