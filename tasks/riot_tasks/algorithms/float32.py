"""Single precision: the arithmetic of RIoTBench's Java floats, for the tasks' parity modes."""

from math import copysign
from struct import Struct

LARGEST = 3.4028234663852886e38
"""The largest finite single-precision number."""
_SINGLE = Struct("f")


def float32(value: float) -> float:
    """The nearest single-precision number; past the largest one, that.

    Rounding after each double-precision `+ - * /` of single-precision operands gives what single-precision
    hardware gives (53 bits are at least 2 * 24 + 2), so a sequence of steps matches Java's bit for bit. Java
    goes on with Infinity where this saturates: an infinity would stay in a filter's state for ever.
    """
    if not -LARGEST <= value <= LARGEST:
        return copysign(LARGEST, value)
    rounded: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    return rounded
