"""What is tried and what it is judged by: windows, folds, settings, figures; all of it pure."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from riotd.training import ranges
from riotd.training.folds import LEAST, folds, needed
from riotd.training.scores import Classes, Numbers, better
from riotd.training.space import Settings, Space, Span, candidates
from riotd.training.trials import Trial, best
from riotd.training.window import Window

TREES = Space(Span(100, 5000), "rows", 5000, 5000, Span(1, 20), Span(1, 100))
TIMES = st.integers(1, 8).flatmap(
    lambda count: st.tuples(
        st.just(count), st.lists(st.integers(0, 60), min_size=needed(count), max_size=3 * needed(count)).map(sorted)
    )
)


@given(TIMES)
def test_a_fold_is_foretold_by_what_was_before_it(drawn: tuple[int, list[int]]) -> None:
    """The blocks follow one another from the middle of the history to its end, and the last is held out."""
    count, times = drawn
    found, held_out = folds(np.array(times, dtype=float), count)
    blocks = [*found, held_out]
    assert len(found) == count
    assert blocks[-1].end == len(times)
    assert all(one.end == other.start for one, other in pairwise(blocks))
    assert all(fold.end - fold.start >= LEAST for fold in blocks)
    assert LEAST <= blocks[0].start <= len(times) // 2


@given(TIMES)
def test_an_instant_is_on_one_side_of_a_cut(drawn: tuple[int, list[int]]) -> None:
    """What is learnt from is older than what is foretold, unless an instant is so crowded that a block would vanish."""
    count, times = drawn
    found, held_out = folds(np.array(times, dtype=float), count)
    crowded = max(map(times.count, set(times))) >= len(times) // 2 // (count + 1) - LEAST
    assert crowded or all(times[fold.start - 1] < times[fold.start] for fold in [*found, held_out])


def test_rows_without_times_are_cut_by_their_order() -> None:
    """Where all have one time, as lines of a file that say none."""
    found, held_out = folds(np.zeros(120), 5)
    assert [fold.start for fold in found] == [60, 70, 80, 90, 100]
    assert held_out == (110, 120)


@pytest.mark.parametrize(
    ("window", "start"),
    [(Window(), 0), (Window(3.0), 4), (Window(50.0), 0), (Window(20.0, "seconds"), 4), (Window(19.0, "seconds"), 5)],
)
def test_a_window_ends_where_something_is_to_be_foretold(window: Window, start: int) -> None:
    """It goes back so many rows, or so many seconds from the row before."""
    assert window.start(np.arange(0.0, 100.0, 10.0), 7) == start


def test_the_usual_settings_are_tried_first() -> None:
    """As `decision_tree_train` has them, or as near as the ranges let them be."""
    assert candidates(TREES, trials=5, seed=0)[0] == Settings(Window(), 20, 2)
    narrow = TREES._replace(window=Span(200, 1000), depth=Span(3, 8), leaf=Span(5, 50))
    assert candidates(narrow, trials=5, seed=0)[0] == Settings(Window(1000.0), 8, 5)


@given(st.integers(1, 60), st.integers(0, 2**40))
def test_settings_are_within_their_ranges_and_each_is_there_once(trials: int, seed: int) -> None:
    """As many as were asked for, where there are so many."""
    found = candidates(TREES, trials=trials, seed=seed)
    assert len(set(found)) == len(found) == trials
    for settings in found:
        assert settings.depth in range(1, 21)
        assert settings.leaf in range(1, 101)
        assert settings.window.amount is None or 100 <= settings.window.amount <= 5000
        assert settings.window.amount is None or (settings.leaf or 0) <= max(1, settings.window.amount // 10)


def test_a_seed_decides_what_is_tried() -> None:
    """The same draws the same, another draws others."""
    assert candidates(TREES, trials=9, seed=4) == candidates(TREES, trials=9, seed=4)
    assert candidates(TREES, trials=9, seed=4) != candidates(TREES, trials=9, seed=5)


def test_ranges_are_drawn_from_evenly() -> None:
    """Of 40 windows from 100 to 10,000 rows, half are below 1,000, whatever the seed; of depths one or two of each."""
    space = Space(Span(100, 10_000), "rows", 20_000, 20_000, Span(1, 20), Span(1, 1))
    drawn = candidates(space, trials=41, seed=3)[1:]
    assert 19 <= sum((settings.window.amount or 0) < 1000 for settings in drawn) <= 21
    assert all(sum(settings.depth == depth for settings in drawn) == 2 for depth in range(1, 21))


def test_what_is_fixed_is_tried_once() -> None:
    """There are no other settings then."""
    space = Space(Span(300, 300), "rows", 5000, 5000)
    assert candidates(space, trials=20, seed=0) == [Settings(Window(300.0))]


@pytest.mark.parametrize(
    ("text", "span", "unit"),
    [
        ("all", (1000, 1000), "rows"),
        ("200", (200, 200), "rows"),
        (200, (200, 200), "rows"),
        ("1,00..all", (100, 1000), "rows"),
        ("200..50_000", (200, 1000), "rows"),
        ("1m..1h", (60, 3600), "seconds"),
        ("30m..all", (1800, 7200), "seconds"),
        ("1.5h", (5400, 5400), "seconds"),
    ],
)
def test_ranges_of_windows(text: str | int, span: tuple[float, float], unit: str) -> None:
    """In rows or in time, and not beyond what there is."""
    found, said, _ = ranges.windows(text, whole=1000, seconds=7200.0)
    assert (tuple(found), said) == (span, unit)


@pytest.mark.parametrize("text", ["", "..", "abc", "5..2", "0", "1h..200", "200..1h", "-5", "1..2..3", "5 rows"])
def test_what_is_no_range_of_windows(text: str) -> None:
    """Is refused, with the text and an example."""
    with pytest.raises(ValueError, match=r"write|rise"):
        ranges.windows(text, whole=1000, seconds=7200.0)


@pytest.mark.parametrize("text", ["0..5", "7..60", "9..3", "a", "", "1.5"])
def test_what_is_no_range_of_numbers(text: str) -> None:
    """Is refused with the text."""
    with pytest.raises(ValueError, match=repr(text)):
        ranges.numbers(text, least=1, most=50)


def test_the_figures_of_classes_are_scikit_learns() -> None:
    """Added up over parts, accuracy and F1 are what it says of the whole."""
    random = np.random.default_rng(0)
    truth, said = random.integers(0, 3, 500).astype(float), random.integers(0, 4, 500).tolist()
    counted = Classes(5)
    for start in range(0, 500, 100):
        counted.add(truth[start : start + 100], said[start : start + 100])
    figures = counted.figures()
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(truth, said))
    assert figures["f1"] == pytest.approx(metrics.f1_score(truth, said, average="macro"))


def test_the_figures_of_numbers_are_scikit_learns() -> None:
    """RMSE, mean error and R² over all parts."""
    random = np.random.default_rng(1)
    truth = random.normal(size=300)
    said = truth + random.normal(size=300) / 3
    counted = Numbers()
    counted.add(truth[:120], said[:120].tolist())
    counted.add(truth[120:], said[120:].tolist())
    figures = counted.figures()
    assert figures["rmse"] == pytest.approx(metrics.root_mean_squared_error(truth, said))
    assert figures["mae"] == pytest.approx(metrics.mean_absolute_error(truth, said))
    assert figures["r2"] == pytest.approx(metrics.r2_score(truth, said))


def test_a_constant_has_no_share_of_variance() -> None:
    """Nothing is to be accounted for."""
    counted = Numbers()
    counted.add(np.full(5, 2.0), [2.0] * 5)
    assert counted.figures() == {"rmse": 0.0, "mae": 0.0}


def test_less_error_and_more_accuracy_are_better() -> None:
    """And what is equal is not better."""
    assert better("rmse", {"rmse": 1.0}, {"rmse": 2.0})
    assert better("f1", {"f1": 0.9}, {"f1": 0.8})
    assert not better("accuracy", {"accuracy": 0.5}, {"accuracy": 0.5})


def test_the_best_is_done_and_of_equals_the_first() -> None:
    """A trial that was stopped or failed is not chosen, however good it was until then."""
    trials = [Trial(number, Settings()) for number in range(4)]
    for trial, accuracy, done in zip(trials, (0.99, 0.7, 0.8, 0.8), (False, True, True, True), strict=True):
        trial.hear({"done": done, "folds": 1, "figures": {"accuracy": accuracy}})
    assert best(trials, "accuracy") is trials[2]
    trials[2].fail("its worker is gone")
    assert best(trials, "accuracy") is trials[3]
    assert best(trials[:1], "accuracy") is None
