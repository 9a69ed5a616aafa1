"""Kills spread over a feed of known length: each strikes after its share of what is left of it."""

from random import Random
from typing import Final

_RESERVE: Final = 4
"""One in so many of a kill's share is kept for it, however far the feed gets while an earlier one is recovered from."""


class Spread:
    """Decides by counts alone, so that all kills fit in, however long the daemon takes each time.

    Args:
        kills: how many.
        messages: how many are fed.
        seed: of the gaps; they vary by half.
    """

    def __init__(self, kills: int, messages: int, *, seed: int) -> None:
        self._kills, self._messages = kills, messages
        self._random = Random(seed)  # noqa: S311 - to be had again, not to be secret

    def strikes_at(self, done: int, sent: int) -> int:
        """How many messages are sent when the next kill strikes, if so many kills are done and messages sent."""
        left, share = self._messages - sent, self._kills - done + 1
        return min(sent + int(left / share * self._random.uniform(0.5, 1.5)), self.limit(done))

    def limit(self, done: int) -> int:
        """How many messages may be sent before the next kill, so that something is left for those after it."""
        return self._messages - (self._kills - done) * (self._messages // (_RESERVE * self._kills))
