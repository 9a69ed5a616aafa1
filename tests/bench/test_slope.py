import random

import pytest

from bench.slope import fitted


@pytest.mark.parametrize(("slope", "flat"), [(0.0, True), (0.001, True), (5.0, False), (-5.0, False)])
def test_a_slope_within_the_noise_is_flat(slope: float, flat: bool) -> None:  # noqa: FBT001 - a parameter
    """Samples that scatter by 30 kB tell 5 bytes a message from none, but not a thousandth of a byte."""
    noise = random.Random(5)
    samples = [(x, 5e7 + slope * x + noise.gauss(0, 3e4)) for x in range(0, 2_000_000, 1000)]
    found = fitted(samples)
    assert found is not None
    assert found.flat == flat
    assert abs(found.slope - slope * 1e6) < 3 * found.noise


def test_the_warm_up_does_not_count() -> None:
    """Memory that grows to its plateau and stays there is flat."""
    found = fitted([(x, min(x, 350_000) * 100.0) for x in range(0, 2_000_000, 1000)])
    assert found is not None
    assert (found.slope, found.flat) == (pytest.approx(0, abs=1e-6), True)


def test_too_few_samples_have_no_slope() -> None:
    """A run shorter than the warm-up says nothing."""
    assert fitted([]) is None
    assert fitted([(x, 1.0) for x in range(0, 400_000, 1000)]) is None
