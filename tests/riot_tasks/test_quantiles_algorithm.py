from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks.algorithms.quantiles import EXACT, Quantiles

SHARES = [0.0, 0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1.0]
NUMBER = 20_000
numbers = st.floats(-1e300, 1e300)


def _of(readings: list[float]) -> Quantiles:
    quantiles = Quantiles()
    for reading in readings:
        quantiles.add(reading)
    return quantiles


def _made_up(kind: str) -> list[float]:
    dice = np.random.default_rng(7)
    bell = dice.normal(size=NUMBER)
    found: dict[str, np.ndarray] = {
        "temperature": 20 + 5 * bell,
        "kelvin": 293.15 + 0.2 * bell,
        "waits": dice.exponential(size=NUMBER),
        "heavy tail": dice.pareto(1.1, size=NUMBER),
        "rising": np.sort(bell),
        "falling": np.sort(bell)[::-1],
        "two humps": np.where(dice.random(NUMBER) < 0.5, bell, 100 + bell),
        "zigzag": np.arange(NUMBER) * np.where(np.arange(NUMBER) % 2, 1.0, -1.0),
    }
    return [float(number) for number in found[kind]]


KINDS = ["temperature", "kelvin", "waits", "heavy tail", "rising", "falling", "two humps", "zigzag"]


def _worst(quantiles: Quantiles, readings: list[float]) -> float:
    """The largest error in rank, as a share of the readings."""
    ordered = np.sort(readings)
    errors = []
    for share in SHARES:
        number = quantiles.quantile(share)
        below, upto = (np.searchsorted(ordered, number, side) / len(readings) for side in ("left", "right"))
        errors.append(max(share - upto, below - share, 0.0))
    return max(errors)


@given(st.lists(numbers, min_size=1, max_size=EXACT), st.sampled_from(SHARES))
def test_few_numbers_have_numpys_quantiles(readings: list[float], share: float) -> None:
    """Up to the bound quantiles are exact, and interpolated as NumPy does, whatever the numbers are."""
    assert _of(readings).quantile(share) == pytest.approx(np.quantile(readings, share), rel=1e-12, abs=1e-300)


def test_a_full_series_is_exact_on_every_prefix(series: list[float]) -> None:
    """Number by number, the median and p95 of a real series are NumPy's."""
    quantiles = Quantiles()
    for end, reading in enumerate(series[:EXACT], start=1):
        quantiles.add(reading)
        if end % 7 == 1:
            expected = np.quantile(series[:end], [0.5, 0.95])
            assert [quantiles.quantile(0.5), quantiles.quantile(0.95)] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_many_numbers_have_quantiles_of_nearly_the_right_rank(kind: str) -> None:
    """Past the bound no quantile's rank is off by more than 0.2 % of the numbers, in whatever order they came."""
    readings = _made_up(kind)
    assert _worst(_of(readings), readings) < 0.002


def test_coarse_numbers_are_off_by_less_than_a_step() -> None:
    """Where thousands of numbers are equal a quantile may lie between two of them, but beyond none."""
    readings = [float(round(reading)) for reading in _made_up("temperature")]
    quantiles = _of(readings)
    for share, exact in zip(SHARES, np.quantile(readings, SHARES), strict=True):
        assert abs(quantiles.quantile(share) - exact) < 1.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parts", [2, 20])
def test_merged_parts_are_as_good(kind: str, parts: int) -> None:
    """Parts of a stream, one after the other or in turns, merged have ranks off by less than 0.5 %."""
    readings = _made_up(kind)
    cuts = [readings[at::parts] for at in range(parts)]
    size = len(readings) // parts
    cuts += [readings[at : at + size] for at in range(0, len(readings), size)]
    for some in (cuts[:parts], cuts[parts:]):
        whole = Quantiles()
        for part in some:
            whole.merge(_of(part))
        assert _worst(whole, readings) < 0.005


@given(st.lists(numbers, max_size=40), st.lists(numbers, min_size=1, max_size=40), st.sampled_from(SHARES))
def test_few_numbers_merged_are_exact(one: list[float], other: list[float], share: float) -> None:
    """Two exact ones merged are exact."""
    merged = _of(one)
    merged.merge(_of(other))
    assert merged.quantile(share) == _of(one + other).quantile(share)


@given(st.integers(0, 2), st.lists(numbers, min_size=1, max_size=30))
def test_quantiles_are_within_their_numbers_and_in_order(rounds: int, readings: list[float]) -> None:
    """Whatever the numbers are, and whether exact or not, quantiles rise with the share, from the least to the most."""
    many = readings * (1 + rounds * EXACT // len(readings))
    found = [_of(many).quantile(share) for share in SHARES]
    assert (found[0], found[-1]) == (min(readings), max(readings))
    for below, above in pairwise(found):
        assert below <= above or below == pytest.approx(above, rel=1e-12)


@pytest.mark.parametrize("cut", [1, EXACT, EXACT + 1, 3 * EXACT + 100])
def test_a_loaded_one_goes_on_bit_for_bit(cut: int) -> None:
    """One loaded from another's state, after a journey, gives exactly what the other gives, also merged."""
    readings = _made_up("heavy tail")[: 4 * EXACT]
    whole, loaded, third = _of(readings[:cut]), Quantiles(), _of(readings[:600])
    loaded.load(msgspec.msgpack.decode(msgspec.msgpack.encode(whole.state())))
    for reading in readings[cut:]:
        whole.add(reading)
        loaded.add(reading)
    for each in (whole, loaded):
        each.merge(third)
    assert loaded.state() == whole.state()
    assert [loaded.quantile(share) for share in SHARES] == [whole.quantile(share) for share in SHARES]


def test_asking_changes_nothing() -> None:
    """A quantile may be asked for at any time, and the state is as it was."""
    quantiles = _of(_made_up("waits")[: 2 * EXACT])
    before = quantiles.state()
    quantiles.quantile(0.5)
    assert quantiles.state() == before


def test_the_state_is_bounded() -> None:
    """However many numbers came, the state has less than 10 kB."""
    for kind in ("temperature", "rising"):
        assert len(msgspec.msgpack.encode(_of(_made_up(kind)).state())) < 10_000
