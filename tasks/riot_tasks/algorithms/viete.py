"""Pi by Viète's product: 2 / pi = sqrt(2) / 2 * sqrt(2 + sqrt(2)) / 2 * ...

Viète, "Variorum de rebus mathematicis responsorum liber VIII" (1593), chapter XVIII. After n factors the error is
about pi ** 3 / (6 * 4 ** (n + 1)); past 26 factors nothing of it is left in a double.
"""

from math import sqrt


def pi_product(factors: int) -> float:
    """Pi from so many factors, at least 1; a square root for each of them.

    The smallest corrections are multiplied first: the result differs from pi by a unit in the last place or two.
    """
    radicand = 2.0
    roots = [sqrt(radicand)]
    for _ in range(factors - 1):
        radicand = 2.0 + roots[-1]
        roots.append(sqrt(radicand))
    return _pi(roots)


def pi_product_from_scratch(factors: int) -> float:
    """The same number, bit for bit, as RIoTBench finds it: each factor's roots anew, n * n / 2 square roots."""
    return _pi([_nested(depth) for depth in range(1, factors + 1)])


def _nested(depth: int) -> float:
    """sqrt(2 + sqrt(2 + ...)) with so many roots."""
    radicand = 2.0
    for _ in range(depth - 1):
        radicand = 2.0 + sqrt(radicand)
    return sqrt(radicand)


def _pi(roots: list[float]) -> float:
    product = 1.0
    for root in reversed(roots):
        product = product * root / 2.0
    return 2.0 / product
