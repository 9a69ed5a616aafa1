"""Points in time as texts."""

import pytest

from riot_tasks.parse.instants import unix_seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1422748800", 1422748800.0),
        (" 1422748800.5 ", 1422748800.5),
        ("1422748800000", 1422748800.0),
        ("1422748800000000", 1422748800.0),
        ("1422748800000000000", 1422748800.0),
        ("2015-02-01T00:00:00Z", 1422748800.0),
        ("2015-02-01 01:00:00+01:00", 1422748800.0),
        ("2015-02-01 00:00:00.25", 1422748800.25),
    ],
)
def test_a_text_says_when(text: str, expected: float) -> None:
    """Numbers by their size, dates and times with an offset or in UTC."""
    assert unix_seconds(text) == expected


@pytest.mark.parametrize("text", ["", "now", "nan", "1e400", "12:30", "2015-02-30", "1" * 23, "1" * 400])
def test_what_says_nothing_is_refused(text: str) -> None:
    """Neither a time nor a number of a usable size."""
    with pytest.raises(ValueError, match=r"."):
        unix_seconds(text)
