from collections import Counter

import pytest
from scipy.stats import chisquare

from riot_tasks.algorithms.splitmix import draw, mixed

OF_THE_PAPER = [  # the first outputs of SplitMix64 from the state 1234567, as its reference implementation gives them
    *(6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821),
]


def test_the_mixing_is_the_papers() -> None:
    """The words behind the draws are those of the published generator."""
    assert [mixed(1234567 + turn * 0x9E3779B97F4A7C15) for turn in range(1, 6)] == OF_THE_PAPER


def test_a_draw_is_of_its_word() -> None:
    """A draw is the word's place among all words, scaled to the sides."""
    assert [draw(1234567, turn, 100) for turn in range(1, 6)] == [word * 100 // 2**64 for word in OF_THE_PAPER]


@pytest.mark.parametrize("sides", [2, 7, 100])
@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_all_sides_are_as_likely(sides: int, seed: int) -> None:
    """20,000 turns pass a chi-square test for a fair die."""
    counts = Counter(draw(seed, turn, sides) for turn in range(1, 20_001))
    assert sorted(counts) == list(range(sides))
    assert chisquare(list(counts.values())).pvalue > 0.001


def test_neighbouring_seeds_are_strangers() -> None:
    """The same turns under seeds side by side agree as often as two fair dice."""
    alike = sum(draw(5, turn, 10) == draw(6, turn, 10) for turn in range(1, 10_001))
    assert 900 < alike < 1100
