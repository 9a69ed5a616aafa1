"""Single precision: the arithmetic of RIoTBench's Java floats, for the tasks' parity modes."""

from array import array

LARGEST = 3.4028234663852886e38
"""The largest finite single-precision number."""


def float32(value: float) -> float:
    """The nearest single-precision number; past the largest one, that.

    Rounding after each double-precision `+ - * /` of single-precision operands gives what single-precision
    hardware gives (53 bits are at least 2 * 24 + 2), so a sequence of steps matches Java's bit for bit. Java
    goes on with Infinity where this saturates: an infinity would stay in a filter's state for ever.
    """
    return array("f", (min(max(value, -LARGEST), LARGEST),))[0]
