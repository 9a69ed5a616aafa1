"""What was noted along the way, as functions of time: messages sent, messages settled, CPU used."""

from bisect import bisect_right
from collections.abc import Sequence


class Course:
    """A quantity at some instants, in order; between two of them in proportion, beyond them as at the end.

    Args:
        times: seconds, ascending.
        values: as many.
    """

    def __init__(self, times: Sequence[float], values: Sequence[float]) -> None:
        self._times, self._values = times, values

    def __bool__(self) -> bool:
        return len(self._times) > 0

    def at(self, time: float) -> float:
        """Its value then; 0 if nothing is known at all."""
        times, values = self._times, self._values
        if not times:
            return 0.0
        after = bisect_right(times, time)
        if after in (0, len(times)):
            return values[min(after, len(times) - 1)]
        share = (time - times[after - 1]) / (times[after] - times[after - 1])
        return values[after - 1] + (values[after] - values[after - 1]) * share

    def rates(self, edges: Sequence[float]) -> list[float]:
        """How much it grows a second, from each of these instants to the next."""
        found = [self.at(edge) for edge in edges]
        return [
            (later - earlier) / (until - since)
            for earlier, later, since, until in zip(found, found[1:], edges, edges[1:], strict=False)
        ]


def counts(times: Sequence[float], edges: Sequence[float]) -> list[int]:
    """How many of the instants lie between each of these, which are ascending, and the next."""
    found = [0] * (len(edges) - 1)
    for time in times:
        place = bisect_right(edges, time) - 1
        if 0 <= place < len(found):
            found[place] += 1
    return found
