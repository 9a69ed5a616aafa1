import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks.parameters import duration

UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from(sorted(UNITS))), min_size=1, max_size=4))
def test_a_text_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    """Numbers with units, one after the other, are added, with or without blanks between."""
    expected = sum(number * UNITS[unit] for number, unit in parts)
    for blank in ("", " "):
        assert duration("size", blank.join(f"{number}{blank}{unit}" for number, unit in parts)) == pytest.approx(
            expected
        )


def test_numbers_are_seconds() -> None:
    """A bare number is taken as it is, as a float; 0 unless there is a least."""
    assert [duration("size", value) for value in (0, 90, 0.5, "1.5h")] == [0.0, 90.0, 0.5, 5400.0]
    assert isinstance(duration("size", 90), float)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, [5], -1, float("nan"), float("inf"), 1e12, 10**400, pytest.param(16**5000, id="huge")),
        *("", "5", "s", "5 parsecs", "5s!", "s5", "-5s", "5s 3", "1e3s", "\u0665s", "9" * 400 + "s"),
    ],
)
def test_anything_else_is_refused(value: object) -> None:
    """What is no duration, or none of a length that can be, is refused by the parameter's name, with an example."""
    with pytest.raises(ValueError, match=r"^size: must be a duration from 0 to 1e\+11 seconds, like 90, 5s or 1h30m"):
        duration("size", value)


def test_a_least_is_said() -> None:
    """Below what it has to have at least, a duration is refused, also as a text."""
    for value in (0, "999us"):
        with pytest.raises(ValueError, match=r"^gap: must be a duration from 0\.001 to"):
            duration("gap", value, least=1e-3)
