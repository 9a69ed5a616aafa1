"""Counting distinct items in little memory: LogLog.

Durand and Flajolet, "Loglog Counting of Large Cardinalities", ESA 2003; RIoTBench's DAC, arXiv 1701.08530. For
few items, linear counting: Whang, Vander-Zanden and Taylor, "A Linear-Time Probabilistic Counting Algorithm for
Database Applications", ACM TODS 15 (1990).
"""

from hashlib import sha1
from math import exp2, floor, gamma, log

EMPTY_RANK = 32
"""Rank of a hash whose remaining bits are all zero: 31 trailing zeros, as RIoTBench counts them."""

SPARSE = 0.1
"""Share of empty registers above which linear counting errs less: at 2 items a register the two are even [M]."""


class LogLog:
    """How many different items there were, to about 1.3 / sqrt(2 ** bits): 4 % with 10 bits.

    A register holds one more than the largest number of trailing zeros its items' hashes had, 0 if it had no
    item. Hash: SHA-1 of the item, its first 4 bytes as a signed little-endian integer; the lowest `bits` of it
    choose the register, the rest gives the zeros. Good to about a hundred million items.

    Args:
        bits: registers are 2 ** bits, a byte each.
    """

    __slots__ = ("_alpha", "_bits", "_empty", "_registers", "_sum")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._alpha = _alpha(1 << bits)
        self._registers = bytearray(1 << bits)
        self._empty = 1 << bits
        self._sum = 0

    def add(self, item: bytes) -> None:
        """Take note of an item; one seen before changes nothing."""
        hashed = int.from_bytes(sha1(item, usedforsecurity=False).digest()[:4], "little", signed=True)
        rest = hashed >> self._bits
        rank = (rest & -rest).bit_length() or EMPTY_RANK
        register = hashed & ((1 << self._bits) - 1)
        self._raise(register, rank)

    def _raise(self, register: int, rank: int) -> None:
        last = self._registers[register]
        if rank > last:
            self._registers[register] = rank
            self._sum += rank - last
            self._empty -= not last

    def merge(self, other: "LogLog") -> None:
        """Take in the items of `other`, which has as many bits."""
        registers = other.state()
        if len(registers) != len(self._registers):
            raise ValueError(f"{len(registers)} registers can't be merged into {len(self._registers)}; use equal bits")
        for register, rank in enumerate(registers):
            self._raise(register, rank)

    def estimate(self) -> float:
        """Distinct items so far; 0 if there were none."""
        size = len(self._registers)
        if self._empty > size * SPARSE:
            return size * log(size / self._empty)
        return self._alpha * size * exp2(self._sum / size)

    def estimate_as_riotbench(self) -> int:
        """Distinct items so far by RIoTBench's rule: a register without items counts as one with rank 1.

        Never below 0.79402 * 2 ** bits: an empty count of 10 bits reads 813.
        """
        size = len(self._registers)
        zeros = self._sum - (size - self._empty)  # the sum of the trailing zeros, rank - 1 each
        return floor(0.79402 * size * exp2(zeros / size))

    def state(self) -> bytes:
        """The registers, a byte each."""
        return bytes(self._registers)

    def load(self, state: bytes) -> None:
        """Go on from what `state` gave."""
        if len(state) != 1 << self._bits:
            raise ValueError(f"state: has {len(state)} registers where {self._bits} bits need {1 << self._bits}")
        self._registers = bytearray(state)
        self._sum = sum(state)
        self._empty = state.count(0)


def _alpha(size: int) -> float:
    """The constant that makes the estimate unbiased for `size` registers; 0.39701 for many (Theorem 1)."""
    return float((gamma(-1 / size) * (1 - 2 ** (1 / size)) / log(2)) ** -size)
