"""How uneven a stream is, in little memory: its second frequency moment, or surprise number.

Alon, Matias and Szegedy, "The Space Complexity of Approximating the Frequency Moments", STOC 1996, with its sample
of positions kept as a reservoir (Vitter, "Random Sampling with a Reservoir", ACM TOMS 11, 1985), since how long
the stream will be is not known: Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 4.5.5.
RIoTBench's SOM (SecondOrderMoment), arXiv 1701.08530.
"""

from collections.abc import Sequence

from riot_tasks.algorithms.float32 import float32
from riot_tasks.algorithms.splitmix import draw


class Surprise:
    """Sum over all different items of the square of how often each came: exact while all positions are tracked.

    Of the n positions of the stream so far, `tracked` are a uniform sample. A tracked position knows its item and
    how often that came from there on, c, itself included; n * (2c - 1) then is an unbiased estimate, and the
    result is the mean of them. An update takes constant time.

    Args:
        tracked: positions tracked; the standard error falls with its square root.
        seed: chooses the sample.
    """

    __slots__ = ("_items", "_seed", "_seen", "_since", "_sum", "_tallies", "_tracked")

    def __init__(self, tracked: int, seed: int = 0) -> None:
        self._tracked = tracked
        self._seed = seed
        self._seen = 0
        self._items: list[float] = []  # of each tracked position
        self._since: list[int] = []  # what its item's tally had before it
        self._tallies: dict[float, list[int]] = {}  # item to [how often it came while tracked, positions that hold it]
        self._sum = 0  # of c over the tracked positions

    def update(self, item: float) -> float:
        """Take an item, give the estimate."""
        self._seen += 1
        if tally := self._tallies.get(item):
            tally[0] += 1
            self._sum += tally[1]
        seen, size = self._seen, len(self._items)
        place = size if size < self._tracked else draw(self._seed, seen, seen)
        if place < self._tracked:
            self._track(place, item)
        return self.estimate()

    def _track(self, place: int, item: float) -> None:
        """From now on the position just seen is the one tracked at `place`."""
        if place == len(self._items):
            self._items.append(item)
            self._since.append(0)
        else:
            self._forget(place)
        tally = self._tallies.setdefault(item, [1, 0])
        tally[1] += 1
        self._items[place], self._since[place] = item, tally[0] - 1
        self._sum += 1

    def _forget(self, place: int) -> None:
        item = self._items[place]
        tally = self._tallies[item]
        self._sum -= tally[0] - self._since[place]
        tally[1] -= 1
        if not tally[1]:
            del self._tallies[item]

    def estimate(self) -> float:
        """The second moment so far; 0 if nothing came."""
        size = len(self._items)
        return self._seen * (2 * self._sum - size) / size if size else 0.0

    def state(self) -> list[float]:
        """Items seen; then for each tracked position its item, and how often that came from there on."""
        pairs = zip(self._items, self._since, strict=True)
        return [self._seen, *(part for item, since in pairs for part in (item, self._tallies[item][0] - since))]

    def load(self, state: Sequence[float]) -> None:
        """Go on from what `state` gave."""
        self._seen, self._items = int(state[0]), list(state[1::2])
        counts = [int(count) for count in state[2::2]]
        self._sum, self._tallies = sum(counts), {}
        for item, count in zip(self._items, counts, strict=True):
            tally = self._tallies.setdefault(item, [0, 0])
            tally[0] = max(tally[0], count)
            tally[1] += 1
        self._since = [self._tallies[item][0] - count for item, count in zip(self._items, counts, strict=True)]


class Surprise32:
    """RIoTBench's number, which is no estimate of the second moment: n * (2c - 1) over slots, by items tracked.

    It tracks items instead of positions, up to `tracked` different ones, each from when it first came; one more
    takes the slot of a random other. Every slot still empty counts as c = 0, so -n. All in single precision.
    Bit for bit the original's as long as that runs and draws nothing, which is until more than `tracked` different
    items came. There it draws unseeded: here by `seed`. It passes over a slot at each repeated item until it has
    `tracked` items, and dies when that takes it past its last slot: here the item then gets the first empty slot.
    Java's floats tell -0.0 from 0.0, which are one item here.

    Args:
        tracked: slots; each update takes time in proportion.
        seed: chooses who makes room.
    """

    __slots__ = ("_counts", "_items", "_next", "_seed", "_seen", "_slots")

    def __init__(self, tracked: int, seed: int = 0) -> None:
        self._seed = seed
        self._seen = 0
        self._next = 0  # slot for the next new item while there is room
        self._items = [0.0] * tracked
        self._counts = [0] * tracked
        self._slots: dict[float, int] = {}  # item to its slot

    def update(self, item: float) -> float:
        """Take an item, give the number."""
        item = float32(item)
        self._seen += 1
        slot = self._slots.get(item)
        if slot is None:
            self._settle(self._room(), item)
        else:
            self._counts[slot] += 1
        self._next += len(self._slots) < len(self._counts)
        return self._number()

    def _room(self) -> int:
        """The slot that a new item gets."""
        size = len(self._counts)
        if len(self._slots) == size:
            return draw(self._seed, self._seen, size)
        return self._next if self._next < size else self._counts.index(0)

    def _settle(self, slot: int, item: float) -> None:
        if self._counts[slot]:
            del self._slots[self._items[slot]]
        self._items[slot], self._counts[slot], self._slots[item] = item, 1, slot

    def _number(self) -> float:
        total, seen = 0.0, self._seen
        for count in self._counts:  # in the order of the slots: past 2 ** 24 the order decides how it is rounded
            total = float32(total + float32(seen * (2 * count - 1)))
        return float32(total / len(self._slots))

    def state(self) -> list[float]:
        """Items seen; the next slot; then the item of each slot, and how often it came, 0 if the slot is empty."""
        slots = zip(self._items, self._counts, strict=True)
        return [self._seen, self._next, *(part for slot in slots for part in slot)]

    def load(self, state: Sequence[float]) -> None:
        """Go on from what `state` gave."""
        self._seen, self._next = int(state[0]), int(state[1])
        self._items, self._counts = list(state[2::2]), [int(count) for count in state[3::2]]
        self._slots = {item: slot for slot, item in enumerate(self._items) if self._counts[slot]}
