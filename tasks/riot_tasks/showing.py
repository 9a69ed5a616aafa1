"""Values as messages show them: any value, in a line of bounded length."""

from reprlib import Repr

_LONGEST = 300
"""Characters of a value in a message."""
_BITS = 512
"""Integers of more are shown by their size; Python refuses to write those of more than 4,300 digits."""


class _Showing(Repr):
    """reprlib's cutting, with room for a path, that no integer breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 200
        self.maxlist = self.maxtuple = self.maxdict = 10

    def repr_int(self, x: int, level: int) -> str:
        if x.bit_length() > _BITS:
            return f"an integer of {x.bit_length()} bits"
        return super().repr_int(x, level)


_SHOWING = _Showing()


def shown(value: object) -> str:
    """A value in Python's notation, cut in its middle where it is long, deep or can't be written."""
    text = _SHOWING.repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
