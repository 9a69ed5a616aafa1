"""When packs come: evenly, or at rates that are distributed as in RIoTBench's figure 4."""

from collections import Counter
from itertools import islice, pairwise

import pytest
from scipy.stats import chisquare

from riotd.feeds import HISTOGRAMS, Dataset, city, fit, grid, rate_of_peak, taxi
from riotd.feeds.arrivals import rates, spans

_SETS: tuple[Dataset, ...] = ("city", "taxi", "fit", "grid")


@pytest.mark.parametrize("dataset", _SETS)
def test_drawn_rates_have_the_histograms_shape(dataset: Dataset) -> None:
    """By a chi-square test, 20,000 rates fit the counts of figure 4; by the same test, evenly drawn ones would not."""
    histogram = HISTOGRAMS[dataset]
    drawn = list(islice(rates(dataset, histogram.mean, seed=1), 20_000))
    found = [sum(low <= rate < high for rate in drawn) for low, high in pairwise(histogram.edges)]
    share = len(drawn) / sum(histogram.counts)
    assert sum(found) == len(drawn)
    assert chisquare(found, [count * share for count in histogram.counts]).pvalue > 0.01
    assert chisquare(found).pvalue < 1e-9


@pytest.mark.parametrize(
    ("dataset", "samples", "lowest", "highest"),
    [("city", 720, 4784, 5123), ("taxi", 593, 0, 5183), ("fit", 1799, 350, 500), ("grid", 720, 2, 10_430)],
)
def test_histograms_are_the_papers(dataset: Dataset, samples: int, lowest: float, highest: float) -> None:
    """Each has the number of samples and the range of rates that are drawn in figure 4."""
    histogram = HISTOGRAMS[dataset]
    assert (sum(histogram.counts), histogram.edges[0], histogram.edges[-1]) == (samples, lowest, highest)
    assert len(histogram.edges) == len(histogram.counts) + 1


@pytest.mark.parametrize("dataset", _SETS)
def test_the_rate_is_the_mean_of_the_histogram(dataset: Dataset) -> None:
    """However the histogram looks, over 10,000 seconds the wanted rate comes out within 3 percent."""
    total = sum(islice(rates(dataset, 50.0, seed=2), 10_000))
    assert total / 10_000 == pytest.approx(50.0, rel=0.03)


@pytest.mark.parametrize("dataset", _SETS)
def test_the_peak_is_the_highest_rate(dataset: Dataset) -> None:
    """A rate made from a peak gives rates that come near it and never pass it."""
    drawn = list(islice(rates(dataset, rate_of_peak(dataset, "paper", 1000.0), seed=3), 5000))
    assert 950 < max(drawn) <= 1000.0
    assert rate_of_peak(dataset, "constant", 1000.0) == 1000.0


def test_packs_of_a_second_come_at_its_rate() -> None:
    """Counted by the second, packs are the drawn rates, but for parts of a pack carried into the next second."""
    feed = grid(rate=200, seconds=100, arrivals="paper", gaps=0, seed=5)
    counted = Counter(int(due - 1247529600) for due, _ in feed)
    for second, rate in enumerate(islice(rates("grid", 200, seed=5), 100)):
        assert abs(counted[second] - rate) <= 1


def test_rates_below_one_a_second_are_drawn_less_often() -> None:
    """A slow feed does not wait through empty seconds: every span but the emptiest has a pack."""
    found = list(islice(spans("grid", "paper", start=0.0, rate=0.001, seed=0, seconds=None), 100))
    assert found[-1][0] < 400 * 1000
    assert sum(len(list(numbers)) for _, _, numbers in found) >= 100


@pytest.mark.parametrize("make", [city, taxi, fit, grid])
@pytest.mark.parametrize("arrivals", ["constant", "paper"])
def test_due_times_ascend(make, arrivals) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - four signatures
    """In neither way does a pack come before the one that it follows."""
    feed = [due for due, _ in make(rate=37.0, messages=3000, arrivals=arrivals)]
    assert all(earlier <= later for earlier, later in pairwise(feed))


@pytest.mark.parametrize("make", [city, taxi, fit, grid])
def test_seconds_are_the_time_covered(make) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - four signatures
    """Evenly spaced there are rate times seconds packs; drawn ones end in the last second, whole or not."""
    assert len(list(make(rate=40.0, seconds=12.5, gaps=0))) == 500
    dues = [due for due, _ in make(rate=40.0, seconds=12.5, arrivals="paper")]
    assert 0 <= dues[0] - int(dues[0]) + 11 <= dues[-1] - int(dues[0]) <= 12.51


def test_arrivals_change_neither_sensors_nor_their_order() -> None:
    """Sensors take turns in either way."""
    even, drawn = (
        [pack.split(b":")[3] for _, pack in city(sensors=7, messages=70, arrivals=arrivals)]
        for arrivals in ("constant", "paper")
    )
    assert even == drawn
