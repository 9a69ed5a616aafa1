"""Open files, a bounded number of them."""

from riotd.sources.tailing import Tail
from riotd.sources.watching import FileKey


class Holder:
    """Keeps files open, the `limit` read last, so that no rename loses them and no other file gets their inode."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[FileKey, Tail] = {}

    @property
    def has_room(self) -> bool:
        """Whether another file can be held without letting one go."""
        return len(self._held) < self._limit

    async def hold(self, tail: Tail) -> bool:
        """Have it open; false if it is not to be found.

        Raises:
            OSError: it is there but can't be opened.
        """
        if self._held.pop(tail.key, None) is None:
            if not self.has_room:
                await self.release(self._least_needed())
            if not await tail.open():
                return False
        self._held[tail.key] = tail
        return True

    async def release(self, tail: Tail) -> None:
        """Close it."""
        self._held.pop(tail.key, None)
        await tail.close()

    async def close(self) -> None:
        """Close all."""
        for tail in list(self._held.values()):
            await self.release(tail)

    def _least_needed(self) -> Tail:
        """The one read longest ago; one that no path leads to only if there is no other: it is hard to find again."""
        return next((tail for tail in self._held.values() if not tail.gone), next(iter(self._held.values())))
