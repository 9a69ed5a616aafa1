"""Which rate is the peak: the highest at which neither latency nor backlog grows."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from statistics import median

import msgspec

_SLACK = 0.05
"""Seconds: latencies below it are jitter, and a backlog of as many seconds' messages is a wave, not growth."""
_GROWTH = 2.0
"""A latency that has grown by less is the machine's unrest."""
_KEPT_UP = 0.97
"""Share of the offered messages that must have been settled when the last was offered."""


class Trial(msgspec.Struct, frozen=True):
    """What happened at one offered rate.

    Attributes:
        rate: messages offered a second.
        offered: messages offered in all.
        settled: of them settled when the last was offered.
        latencies: seconds from due to settled, in the order of settling.
    """

    rate: float
    offered: int
    settled: int
    latencies: Sequence[float]

    @property
    def stable(self) -> bool:
        """Whether latency and backlog did not grow: the paper's condition for a rate to be sustained."""
        third = len(self.latencies) // 3
        if not third:
            return False
        behind = self.offered - self.settled
        before, after = median(self.latencies[third : 2 * third]), median(self.latencies[-third:])
        kept_up = behind <= max(1, self.rate * _SLACK, self.offered * (1 - _KEPT_UP))  # one may be on its way
        return kept_up and after <= max(_GROWTH * before, _SLACK)


async def peak(
    attempt: Callable[[float], Awaitable[Trial]], *, start: float, precision: float = 0.05, ceiling: float = 1e7
) -> AsyncIterator[Trial]:
    """Every trial on the way to the peak, which is the last stable one: doubling from `start`, then bisecting.

    Args:
        attempt: offers a rate for a while.
        start: first rate; if even that is not stable, rates are halved until one is.
        precision: ends when the lowest unstable rate is at most that much above the highest stable one.
        ceiling: no rate beyond it is tried.

    Raises:
        ValueError: not even a millionth of `start` is stable.
    """
    low, high, rate = 0.0, 0.0, start
    while not high or high > low * (1 + precision):
        trial = await attempt(rate)
        yield trial
        if trial.stable:
            low = rate
        else:
            high = rate
        if high and high < start * 1e-6:
            raise ValueError(f"no rate is stable, not even {high:g}/s")
        if low >= ceiling:
            return
        rate = _following(low, high, ceiling)


def _following(low: float, high: float, ceiling: float) -> float:
    if not high:
        return min(2 * low, ceiling)
    return (low + high) / 2 if low else high / 2
