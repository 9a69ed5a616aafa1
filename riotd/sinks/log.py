"""Dead letters into the log: a few lines a second, the rest summed up in one."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from riotd import config as cfg
from riotd.messages import DeadLetter

SHOWN = 5
"""Dead letters told one by one in each period."""
PERIOD = 1.0
"""Seconds of a period; it begins with a dead letter."""
LONGEST = 200
"""Bytes of a payload that are shown."""

log = logging.getLogger(__name__)


class LogRejects:
    """A warning for each dead letter; where there are many, for the first few, and one with the count of the rest."""

    def __init__(self, config: cfg.LogRejects | None = None, *, shown: int = SHOWN, period: float = PERIOD) -> None:
        """The block has no settings; it is taken for the sake of the others."""
        self._config = config
        self._limit = shown
        self._period = period
        self._shown = 0
        self._hidden: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        """Nothing to acquire."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell what was not told yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._sum_up()

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """As `Sink.send`; never waits."""
        if letters and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._period, self._sum_up)
        for letter in letters:
            if self._shown < self._limit:
                self._shown += 1
                _tell(letter)
            else:
                self._hidden[letter.stage] += 1

    def _sum_up(self) -> None:
        self._timer = None
        self._shown = 0
        hidden, self._hidden = self._hidden, Counter()
        if hidden:
            stages = ", ".join(f"{count} at {stage}" for stage, count in hidden.most_common())
            log.warning("%d more dead letters within %g s: %s", hidden.total(), self._period, stages)


def _tell(letter: DeadLetter) -> None:
    payload = letter.payload[:LONGEST]
    more = f" and {len(letter.payload) - LONGEST} bytes more" if len(letter.payload) > LONGEST else ""
    log.warning(
        "dead letter at %s: %s; message %d of %s: %r%s",
        letter.stage,
        letter.reason,
        letter.id,
        letter.topic,
        payload,
        more,
    )
