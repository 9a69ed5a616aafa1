"""Is a rotated file finished, and may the one that took its path be read?"""

LINGER = 5.0
"""Seconds without news after which a rotated file is taken to be finished: writers notice a rotation late."""


class Rotation:
    """What happens to a file after its path began to lead elsewhere; before that, nothing.

    Attributes:
        under_way: the file was rotated and may still be written to.
    """

    def __init__(self) -> None:
        self.under_way = False
        self._settled = False
        self._quiet = 0
        self._rest = False
        self._ended: float | None = None
        self._still_since: float | None = None

    def begin(self) -> None:
        """Its path leads elsewhere, or no path leads to it. One that was finished before stays so."""
        if not self.under_way and not self._settled:
            self.under_way, self._quiet, self._ended, self._still_since = True, 0, None, None

    def at_end(self, now: float, *, news: bool, rest: bool) -> None:
        """A read came to the file's end, after `news` or without, and left an unfinished line (`rest`) or none."""
        if news:
            self._settled, self._quiet, self._still_since = False, 0, now
        else:
            self._quiet += 1
        self._rest = rest
        self._ended = now if self._ended is None else self._ended
        self._still_since = now if self._still_since is None else self._still_since

    def disturb(self) -> None:
        """News came when none was expected any more: wait again."""
        self._settled, self._quiet, self._still_since = False, 0, None

    def settle(self) -> None:
        """What there was to read was read."""
        self.under_way, self._settled = False, True

    def is_finished(self, now: float) -> bool:
        """Whether it has had no news for a while."""
        return self._settled or (self._still_since is not None and now - self._still_since >= LINGER)

    def gives_way(self, now: float) -> bool:
        """Whether the file that took its path may be read: this one is at its end, and was quiet for one look.

        An unfinished line is waited for until this file is settled; but a writer that keeps writing under the old
        name holds the new file up no longer than `LINGER`.
        """
        if self._settled or (self._quiet >= 2 and not self._rest):
            return True
        return self._quiet == 0 and self._ended is not None and now - self._ended >= LINGER
