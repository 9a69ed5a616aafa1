import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks.algorithms.bloom import BloomFilter

OF_GUAVA = bytes.fromhex(  # Guava 25.1: 20 expected, 1 %; dev0 to dev19 and café put in; written by writeTo
    "010700000003dd8fa962e0d585de760ef7a75d37f70e29ba2f40d1da275e"
)
STRANGERS_OF_GUAVA = [  # of dev100 to dev999, those that filter of Guava's takes for members
    *(136, 146, 170, 214, 226, 250, 298, 314, 362, 384, 443, 490, 547, 574, 626, 639, 650, 763, 769, 876, 887),
    *(911, 959, 996),
]
MEMBERS = [*(f"dev{number}" for number in range(20)), "café"]
texts = st.lists(st.text(max_size=8), max_size=30)


def _of(members: list[str], expected: int = 20) -> BloomFilter:
    made = BloomFilter.sized(expected, 0.01)
    for member in members:
        made.add(member)
    return made


def test_it_writes_guavas_file() -> None:
    """Sized and filled alike, the filter's file is Guava's, byte for byte."""
    assert _of(MEMBERS).to_bytes() == OF_GUAVA


def test_it_reads_guavas_file() -> None:
    """A filter read from Guava's file has its members, and mistakes the same strangers for members."""
    read = BloomFilter.from_bytes(OF_GUAVA)
    assert all(member in read for member in MEMBERS)
    assert [number for number in range(100, 1000) if f"dev{number}" in read] == STRANGERS_OF_GUAVA


def test_riotbenchs_size_is_guavas() -> None:
    """20 million items at 1 % take the 2,995,331 words and 7 hashes of RIoTBench's files."""
    made = BloomFilter.sized(20_000_000, 0.01)
    assert (len(made.bits), made.hashes) == (8 * 2_995_331, 7)


@given(texts)
def test_members_are_never_missed(members: list[str]) -> None:
    """Whatever text was added is found, empty and non-ASCII too."""
    made = _of(members)
    assert all(member in made for member in members)


def test_strangers_pass_as_seldom_as_asked() -> None:
    """Of 20,000 strangers about 1 % pass, when as many items are in as it was sized for."""
    made = _of([f"dev{number}" for number in range(5000)], expected=5000)
    passed = sum(f"stranger{number}" in made for number in range(20_000))
    assert 100 < passed < 300


@given(texts)
def test_a_file_brings_back_the_filter(members: list[str]) -> None:
    """Reading what was written gives the same bits and hashes."""
    made = _of(members)
    read = BloomFilter.from_bytes(made.to_bytes())
    assert (read.bits, read.hashes) == (made.bits, made.hashes)


@given(texts, texts)
def test_merging_is_adding_to_one(first: list[str], second: list[str]) -> None:
    """The merge of two filters is the filter of both lists."""
    merged = _of(first)
    merged.merge(_of(second))
    assert merged.bits == _of(first + second).bits


def test_a_copy_goes_its_own_way() -> None:
    """What is added to a copy is not in the filter it was made of."""
    made = _of(["dev1"])
    copied = made.copy()
    copied.add("dev2")
    assert ("dev1" in copied, "dev2" in copied, "dev2" in made) == (True, True, False)


def test_the_bits_tell_how_many_are_in() -> None:
    """The estimated count is within 2 % of the truth up to three times the expected number, double ones left out."""
    made = _of([], expected=5000)
    for number in range(15_000):
        made.add(f"dev{number}")
        made.add("dev0")
        if number % 1000 == 999:
            assert abs(made.count() / (number + 1) - 1) < 0.02


def test_a_full_filter_still_has_a_count() -> None:
    """An empty filter holds nothing and lets nobody in; a full one lets everybody in, and its count is finite."""
    empty, full = BloomFilter(bytearray(8), 7), BloomFilter(bytearray(b"\xff" * 8), 7)
    assert (empty.count(), empty.false_positives()) == (0.0, 0.0)
    assert (round(full.count()), full.false_positives()) == (38, 1.0)


@pytest.mark.parametrize("count", [0, 1, 2500, 5000, 10_000])
def test_the_bits_tell_how_many_strangers_pass(count: int) -> None:
    """The share of 20,000 strangers that pass is the one worked out from the bits."""
    made = _of([f"dev{number}" for number in range(count)], expected=5000)
    passed = sum(f"stranger{number}" in made for number in range(20_000)) / 20_000
    assert abs(passed - made.false_positives()) < 0.005


def test_merging_filters_of_different_size_is_refused() -> None:
    """Filters made with different numbers have no merge."""
    with pytest.raises(ValueError, match="different size"):
        _of([], 20).merge(_of([], 2000))


@pytest.mark.parametrize("length", range(len(OF_GUAVA)))
def test_a_cut_file_is_refused(length: int) -> None:
    """A file that ends early, anywhere, is refused."""
    with pytest.raises(ValueError, match="is no Guava filter"):
        BloomFilter.from_bytes(OF_GUAVA[:length])


def test_another_strategy_is_refused() -> None:
    """A file with hashes made another way is refused, and the message says which way is needed."""
    with pytest.raises(ValueError, match="strategy 0 and 7 hashes; write it with MURMUR128_MITZ_64"):
        BloomFilter.from_bytes(b"\0" + OF_GUAVA[1:])


@pytest.mark.parametrize(("expected", "false_positive"), [(0, 0.01), (10, 0.0), (10, 1.0), (10**12, 0.01)])
def test_impossible_sizes_are_refused(expected: int, false_positive: float) -> None:
    """No filter is made for no items, for a certain or an impossible mistake, or past what a file can say."""
    with pytest.raises(ValueError, match=f"expected {expected}"):
        BloomFilter.sized(expected, false_positive)
