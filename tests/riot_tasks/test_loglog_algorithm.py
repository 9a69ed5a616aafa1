from hashlib import sha1
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks.algorithms.loglog import LogLog

OF_JAVA = [  # bits, how many of dev0, dev1, ... came, RIoTBench's estimate: its arithmetic and Guava's SHA-1
    *((5, 0, 25), (5, 1, 25), (5, 10, 29), (5, 100, 85), (5, 1000, 966), (5, 20000, 17617)),
    *((10, 0, 813), (10, 1, 813), (10, 10, 820), (10, 100, 857), (10, 1000, 1435), (10, 20000, 21008)),
]
items = st.lists(st.binary(max_size=6), max_size=60)


def _of(devices: range, bits: int = 10) -> LogLog:
    count = LogLog(bits)
    for number in devices:
        count.add(f"dev{number}".encode())
    return count


@pytest.mark.parametrize(("bits", "devices", "estimate"), OF_JAVA)
def test_riotbenchs_estimate_is_javas(bits: int, devices: int, estimate: int) -> None:
    """The parity estimate is the original's, bit for bit, from the empty count on."""
    assert _of(range(devices), bits).estimate_as_riotbench() == estimate


def test_an_empty_count_reads_zero() -> None:
    """Nothing seen is nothing counted."""
    assert LogLog(10).estimate() == 0.0


@pytest.mark.parametrize("devices", [1, 10, 100, 1000, 1800, 2200, 2500, 5000, 20_000, 50_000])
def test_estimates_keep_the_published_error(devices: int) -> None:
    """From one item to fifty registers' worth, the mean of 8 estimates is within 3 standard errors."""
    estimates = [_of(range(start, start + devices)).estimate() for start in range(0, 8 * 10**6, 10**6)]
    assert sum(estimates) / 8 == pytest.approx(devices, rel=3 * 1.30 / sqrt(1024) / sqrt(8))


@given(items)
def test_the_registers_are_the_papers(seen: list[bytes]) -> None:
    """A register is one more than the most trailing zeros among its items' hashes, said in text."""
    count, expected = LogLog(3), [0] * 8
    for item in seen:
        count.add(item)
        bits = f"{int.from_bytes(sha1(item).digest()[:4], 'little'):032b}"
        rest = bits[:-3]
        rank = len(rest) - len(rest.rstrip("0")) + 1
        register = int(bits[-3:], 2)
        expected[register] = max(expected[register], rank)
    assert list(count.state()) == expected


def test_a_hash_of_only_zeros_counts_31() -> None:
    """Where no bit is left to count, the rank is 31 trailing zeros, as in the original."""
    item = next(item for item in map(str.encode, map(str, range(10**6))) if _signed(item) >> 20 == 0)
    count = LogLog(20)
    count.add(item)
    assert max(count.state()) == 32


def _signed(item: bytes) -> int:
    return int.from_bytes(sha1(item).digest()[:4], "little", signed=True)


@given(items, items)
def test_merging_counts_the_union(first: list[bytes], second: list[bytes]) -> None:
    """The merge of two counts is the count of both inputs together, in either order and with repeats."""
    left, right, both = LogLog(4), LogLog(4), LogLog(4)
    for part, seen in ((left, first), (right, second)):
        for item in seen:
            part.add(item)
            both.add(item)
    left.merge(right)
    assert (left.state(), left.estimate()) == (both.state(), both.estimate())
    assert left.estimate_as_riotbench() == both.estimate_as_riotbench()


def test_merging_counts_of_different_size_is_refused() -> None:
    """Counts with different numbers of registers have no merge."""
    with pytest.raises(ValueError, match="16 registers can't be merged into 32"):
        LogLog(5).merge(LogLog(4))


@given(items)
def test_a_loaded_count_estimates_the_same(seen: list[bytes]) -> None:
    """A count loaded from another's registers has its estimates."""
    count, loaded = LogLog(4), LogLog(4)
    for item in seen:
        count.add(item)
    loaded.load(count.state())
    assert loaded.estimate() == count.estimate()
    assert loaded.estimate_as_riotbench() == count.estimate_as_riotbench()


def test_registers_of_another_size_are_refused() -> None:
    """Loading the registers of a count with other bits says how many there should be."""
    with pytest.raises(ValueError, match="has 16 registers where 5 bits need 32"):
        LogLog(5).load(LogLog(4).state())
