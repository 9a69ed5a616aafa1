from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from riot_tasks.algorithms.splitmix import draw
from riot_tasks.algorithms.surprise import Surprise, Surprise32

OF_JAVA = [  # items in order, what came after each with 5 slots: RIoTBench's arithmetic under OpenJDK 17
    ([8.0, 7.5, -3.25, 1e3, 21.87], [-3.0, -1.0, 1.0, 3.0, 5.0]),
    ([8.0, 7.5, 8.0, 21.87, 21.87, 8.0], [-3.0, -1.0, 1.5, 4.0, 8.333333015441895, 14.0]),
    ([0.1] * 4, [-3.0, -2.0, 3.0, 12.0]),
    (
        [8.0, 7.5, -3.25, 1e3, 21.87, 8.0, 8.0, 21.87, 1e3, 8.0],
        [
            -3.0,
            -1.0,
            1.0,
            3.0,
            5.0,
            8.399999618530273,
            12.600000381469727,
            17.600000381469727,
            23.399999618530273,
            30.0,
        ],
    ),
]
items = st.lists(st.sampled_from([0.0, 1.0, 2.5, -4.0, 1e300]), max_size=60)


def _moment(series: list[float]) -> int:
    """The second moment by numpy."""
    _, counts = np.unique(series, return_counts=True)
    return int((counts.astype(np.int64) ** 2).sum())


def _last(surprise: Surprise | Surprise32, series: list[float]) -> float:
    number = 0.0
    for item in series:
        number = surprise.update(item)
    return number


def test_the_moment_is_exact_on_every_prefix_while_all_is_tracked(series: list[float]) -> None:
    """With as many positions as items the estimate is the sum of numpy's counts, squared."""
    surprise = Surprise(len(series))
    for end, item in enumerate(series, start=1):
        assert surprise.update(item) == _moment(series[:end])


@pytest.mark.parametrize("tracked", [10, 100])
def test_estimates_from_a_sample_are_unbiased(series: list[float], tracked: int) -> None:
    """Over 100 seeds the mean estimate is within 4 standard errors of the exact moment."""
    estimates = [_last(Surprise(tracked, seed), series) for seed in range(100)]
    assert np.mean(estimates) == pytest.approx(_moment(series), abs=4 * np.std(estimates) / 10)


def test_more_positions_err_less(series: list[float]) -> None:
    """With ten times the positions the standard error is not much above the third that independence would give."""
    few, many = ([_last(Surprise(tracked, seed), series) for seed in range(100)] for tracked in (10, 100))
    assert np.std(many) < 0.6 * np.std(few)


@given(items, st.integers(1, 6), st.integers(0, 3))
def test_the_estimate_is_the_papers_mean_over_a_reservoir(series: list[float], tracked: int, seed: int) -> None:
    """The incremental sums are what counting anew from each sampled position gives."""
    surprise, places = Surprise(tracked, seed), list[int]()
    for position, item in enumerate(series):
        seen = position + 1
        place = position if position < tracked else draw(seed, seen, seen)
        places[place : place + 1] = [position] if place < tracked else places[place : place + 1]
        counts = [series[start:seen].count(series[start]) for start in places]
        assert surprise.update(item) == seen * sum(2 * count - 1 for count in counts) / len(places)


def test_every_position_is_sampled_as_often() -> None:
    """Over 2,000 seeds the positions tracked after 40 items pass a chi-square test."""
    counts: Counter[float] = Counter()
    for seed in range(2_000):
        surprise = Surprise(5, seed)
        _last(surprise, list(map(float, range(40))))
        counts.update(surprise.state()[1::2])
    assert len(counts) == 40
    assert chisquare(list(counts.values())).pvalue > 0.001


def test_nothing_has_no_moment() -> None:
    """Before the first item the moment is 0."""
    assert Surprise(5).estimate() == 0.0


@given(items, st.integers(1, 6), st.sampled_from([Surprise, Surprise32]), st.data())
def test_a_loaded_one_goes_on_bit_for_bit(
    series: list[float], tracked: int, kind: type[Surprise | Surprise32], data: st.DataObject
) -> None:
    """One loaded from another's state at any cut gives exactly what the other gives, and has its state."""
    cut = data.draw(st.integers(0, len(series)))
    surprise, loaded = kind(tracked, 3), kind(tracked, 3)
    _last(surprise, series[:cut])
    loaded.load(surprise.state())
    for item in series[cut:]:
        assert loaded.update(item) == surprise.update(item)
    assert loaded.state() == surprise.state()


def test_the_state_does_not_grow() -> None:
    """However many items there were, the state has two numbers for each tracked position."""
    surprise = Surprise(7)
    _last(surprise, list(map(float, range(1000))))
    assert len(surprise.state()) == 1 + 2 * 7
    assert len(surprise._tallies) == 7


@pytest.mark.parametrize(("series", "expected"), OF_JAVA)
def test_the_originals_number_is_javas_bit_for_bit(series: list[float], expected: list[float]) -> None:
    """The parity number is what the original's arithmetic gives, empty slots, skipped slots and rounding included."""
    surprise = Surprise32(5)
    assert [surprise.update(item) for item in series] == expected


def test_the_originals_number_rounds_like_java_when_it_is_large() -> None:
    """Past 2 ** 24, where each step of the sum is rounded, the number still is Java's."""
    assert _last(Surprise32(4), [at if at < 4 else at * at % 4 for at in range(20_011)]) == 200200064.0


def test_where_the_original_dies_the_first_empty_slot_is_taken() -> None:
    """Three equal items pass over all three slots; the fourth, a new one, gets the second."""
    surprise = Surprise32(3)
    assert [surprise.update(item) for item in (1.0, 1.0, 1.0, 2.0)] == [-1.0, 2.0, 9.0, 10.0]


def test_an_item_too_many_takes_a_random_ones_slot() -> None:
    """When the slots are full a new item replaces another, which one being the seed's choice."""
    left = set()
    for seed in range(20):
        surprise = Surprise32(3, seed)
        assert _last(surprise, [1.0, 2.0, 3.0, 4.0]) == 4.0
        kept = surprise.state()[2::2]
        assert len(kept) == len({*kept}) == 3
        left |= {1.0, 2.0, 3.0, 4.0} - {*kept}
    assert left == {1.0, 2.0, 3.0}
