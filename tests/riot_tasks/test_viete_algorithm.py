from math import isclose, pi

import pytest

from riot_tasks.algorithms.viete import pi_product, pi_product_from_scratch


@pytest.mark.parametrize(
    ("factors", "expected"),
    [(1, 2.8284271247461903), (2, 3.0614674589207183), (3, 3.1214451522580524), (4, 3.1365484905459393)],
)
def test_the_first_products_are_half_the_perimeters_of_polygons(factors: int, expected: float) -> None:
    """The product of n factors is half the perimeter of the regular polygon of 2 ** (n + 1) corners in a circle."""
    assert isclose(pi_product(factors), expected, rel_tol=1e-15)


@pytest.mark.parametrize("factors", range(3, 20))
def test_each_factor_takes_three_quarters_of_the_error(factors: int) -> None:
    """The error is pi ** 3 / (6 * 4 ** (factors + 1)), to a percent."""
    assert isclose(pi - pi_product(factors), pi**3 / (6 * 4 ** (factors + 1)), rel_tol=0.01)


@pytest.mark.parametrize("factors", [26, 100, 1600])
def test_many_factors_are_pi(factors: int) -> None:
    """Past 26 factors only rounding is left: two units in the last place."""
    assert abs(pi - pi_product(factors)) <= 1e-15


@pytest.mark.parametrize("factors", [1, 2, 3, 10, 200])
def test_both_ways_agree_to_the_bit(factors: int) -> None:
    """Taking each factor's roots anew gives the very same double."""
    assert pi_product_from_scratch(factors) == pi_product(factors)
