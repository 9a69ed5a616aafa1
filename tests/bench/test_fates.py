import pytest

from bench.fates import Fates


def seen(numbers: list[int], messages: int, devices: int) -> Fates:
    fates = Fates(messages, devices)
    for number in numbers:
        fates(b'out/dev[{"n":"seq","v":%d}]' % number)
    return fates


@pytest.mark.parametrize(
    ("numbers", "fate"),
    [
        ([0, 1, 2, 3, 4, 5], (0, 0, 0)),
        ([1, 0, 3, 2, 5, 4], (0, 0, 0)),  # of two devices: each in its own order
        ([0, 1, 2, 3, 4], (1, 0, 0)),
        ([0, 1, 2, 3, 2, 3, 4, 5], (0, 2, 0)),  # sent again after a reconnect
        ([0, 1, 4, 3, 2, 5], (0, 0, 1)),
        ([], (6, 0, 0)),
    ],
)
def test_fates(numbers: list[int], fate: tuple[int, int, int]) -> None:
    """Lost is what never came, doubled what came before, out of order what is older than its device's newest."""
    fates = seen(numbers, 6, 2)
    assert (fates.lost, fates.doubled, fates.disordered) == fate


def test_unreadable() -> None:
    """A result without a number, or with one that was never sent, is neither lost nor found but counted."""
    fates = seen([6], 6, 2)
    fates(b"out/dev[]")
    assert (fates.unreadable, fates.lost) == (2, 6)
