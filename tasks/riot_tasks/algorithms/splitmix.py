"""Numbers that look random and depend on nothing but a seed and a turn.

Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. Its generator is a counter
and a mixing function, so that the turn is all the state there is: what draws by it is replayed, and snapshotted,
for the price of one integer.
"""

_GAMMA = 0x9E3779B97F4A7C15  # 2 ** 64 over the golden ratio, made odd
_WORD = 2**64 - 1


def draw(seed: int, turn: int, sides: int) -> int:
    """A whole number from 0 to `sides` - 1, each as likely; the same for the same seed and turn.

    Args:
        seed: chooses the sequence.
        turn: which one of the sequence, from 1 on.
        sides: far below 2 ** 64.
    """
    return mixed(seed + turn * _GAMMA) * sides >> 64


def mixed(word: int) -> int:
    """The 64-bit finalizer of SplitMix64: each bit of the result depends on each bit of `word`."""
    word &= _WORD
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & _WORD
    return word ^ word >> 31
