"""Bloom filter, bit for bit Guava's.

Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors", CACM 13 (1970). Sizes, hash functions and
file format are those of Guava's `BloomFilter` with the strategy MURMUR128_MITZ_64 over UTF-8 text, which
RIoTBench's filters were written with: each reads the other's files.
"""

from array import array
from math import ceil, floor, log, log1p

from mmh3 import hash64

STRATEGY = 1
"""MURMUR128_MITZ_64: the k hashes are h1 + i * h2 of one 128-bit murmur3 (Kirsch and Mitzenmacher 2006)."""
MOST_WORDS = 2**31 - 1
"""Words a file can say it has: its count is a signed 32-bit number."""
_HEADER = 6
_POSITIVE = 2**63 - 1


class BloomFilter:
    """A set that may take a stranger for a member, but never the reverse.

    Args:
        bits: bit i of the filter is bit i % 8 of byte i // 8; a multiple of 8 bytes.
        hashes: bits each item sets.
    """

    __slots__ = ("_size", "bits", "hashes")

    def __init__(self, bits: bytearray, hashes: int) -> None:
        self.bits = bits
        self.hashes = hashes
        self._size = 8 * len(bits)

    @classmethod
    def sized(cls, expected: int, false_positive: float) -> "BloomFilter":
        """An empty filter for `expected` items: 9.6 bits an item at 1 %, 24 MB for 20 million.

        Args:
            expected: past it false positives become more frequent.
            false_positive: share of strangers taken for members when `expected` items are in, between 0 and 1.

        Raises:
            ValueError: the numbers are out of range.
        """
        if expected < 1 or not 0.0 < false_positive < 1.0:
            raise ValueError(f"expected {expected}, false_positive {false_positive}: give at least 1, and 0 < p < 1")
        size = max(1, int(-expected * log(false_positive) / log(2) ** 2))
        words = ceil(size / 64)
        if words > MOST_WORDS:
            raise ValueError(f"expected {expected}: is too many for one filter; give fewer, or a larger false_positive")
        return cls(bytearray(8 * words), max(1, floor(size / expected * log(2) + 0.5)))

    def add(self, item: str) -> None:
        """Make `item` a member."""
        bits, size = self.bits, self._size
        hashed, step = hash64(item.encode(errors="replace"), 0, True, False)  # noqa: FBT003 - positional in mmh3
        for _ in range(self.hashes):
            bit = (hashed & _POSITIVE) % size
            bits[bit >> 3] |= 1 << (bit & 7)
            hashed += step

    def __contains__(self, item: str) -> bool:
        bits, size = self.bits, self._size
        hashed, step = hash64(item.encode(errors="replace"), 0, True, False)  # noqa: FBT003 - positional in mmh3
        for _ in range(self.hashes):
            bit = (hashed & _POSITIVE) % size
            if not bits[bit >> 3] >> (bit & 7) & 1:
                return False
            hashed += step
        return True

    def copy(self) -> "BloomFilter":
        """A filter of its own with the same members."""
        return BloomFilter(bytearray(self.bits), self.hashes)

    def false_positives(self) -> float:
        """The share of strangers that it takes for members as it stands (Guava's `expectedFpp`)."""
        return float((self._ones() / self._size) ** self.hashes)

    def count(self) -> float:
        """About how many different items are in, from the share of bits set (Guava's `approximateElementCount`).

        Swamidass and Baldi, "Mathematical Correction for Fingerprint Similarity Measures to Improve Chemical
        Retrieval", J. Chem. Inf. Model. 47 (2007). With every bit set it is as if one were not.
        """
        ones = min(self._ones(), self._size - 1)
        return -log1p(-ones / self._size) * self._size / self.hashes

    def _ones(self) -> int:
        return int.from_bytes(self.bits, "little").bit_count()

    def merge(self, other: "BloomFilter") -> None:
        """Take in the members of `other`, which was made with the same numbers."""
        if (len(other.bits), other.hashes) != (len(self.bits), self.hashes):
            raise ValueError("filters of different size can't be merged; make both with the same numbers")
        joined = int.from_bytes(self.bits, "little") | int.from_bytes(other.bits, "little")
        self.bits[:] = joined.to_bytes(len(self.bits), "little")

    def to_bytes(self) -> bytes:
        """The file's content: strategy and number of hashes, a byte each; number of words; the words, big-endian."""
        words = array("Q", bytes(self.bits))
        words.byteswap()
        header = bytes((STRATEGY, self.hashes)) + len(words).to_bytes(4, "big")
        return header + words.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "BloomFilter":
        """The filter in a file's content.

        Raises:
            ValueError: it is not a filter's file, is cut, or has another strategy.
        """
        count = int.from_bytes(data[2:_HEADER], "big")
        if len(data) <= _HEADER or len(data) != _HEADER + 8 * count:
            raise ValueError(f"is no Guava filter: {len(data)} bytes where its head says {_HEADER + 8 * count}")
        if data[0] != STRATEGY or not data[1]:
            raise ValueError(f"has strategy {data[0]} and {data[1]} hashes; write it with MURMUR128_MITZ_64")
        words = array("Q")
        words.frombytes(memoryview(data)[_HEADER:])
        words.byteswap()
        return cls(bytearray(words), data[1])
