"""Asking a task again until what it reaches for is there."""

import logging
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from riot_tasks import Unavailable
from riotd.errors import EngineError

_PAUSES = (0.1, 5.0)
"""First and longest pause, seconds, before a task that said `Unavailable` is asked again."""
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Patience:
    """One stage's way to wait for the world outside; says in the log when it begins and ends to.

    Args:
        stage: the stage's id.
        cancelled: set from another thread when there is no more time to wait.
    """

    def __init__(self, stage: str, cancelled: Event) -> None:
        self._stage, self._cancelled = stage, cancelled
        self.pausing = False
        """Whether it waits at this moment; read from other threads."""

    def ask(self, question: Callable[[], _T], refusal: Unavailable | None = None) -> _T:
        """What the question gives once it no longer raises `Unavailable`; any other error of its as it is.

        Blocks, with growing pauses, so that the order of records is kept and nothing piles up behind them.

        Args:
            question: asks the task; may be called many times.
            refusal: what it raised already, if it was called.

        Raises:
            EngineError: the wait was cancelled.
        """
        if refusal is None:
            try:
                return question()
            except Unavailable as error:
                refusal = error
        _log.warning("stage %r waits: %s", self._stage, refusal)
        pause, longest = _PAUSES
        while not self._waited(pause):
            pause = min(2 * pause, longest)
            try:
                answer = question()
            except Unavailable as error:
                refusal = error
            else:
                _log.info("stage %r goes on", self._stage)
                return answer
        raise EngineError(f"stage {self._stage!r} was still waiting: {refusal}") from refusal

    def _waited(self, pause: float) -> bool:
        """Wait; whether the wait was cancelled."""
        self.pausing = True
        try:
            return self._cancelled.wait(pause)
        finally:
            self.pausing = False
