"""Axes of charts: whatever the numbers, the ticks lie on the axis and the labels tell them apart."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("matplotlib")

from riot_tasks.visualize.scales import Axis, _of_a_day, _of_any_time, clock_axis, elapsed_axis, number_axis

numbers = st.floats(-1e300, 1e300)
times = st.floats(-1e10, 1e10)
spans = st.one_of(st.floats(0, 1), st.floats(0, 1e5), st.floats(0, 1e10))


def check(axis: Axis, low: float, high: float, *, most: int = 12) -> None:
    assert axis.low <= low <= high <= axis.high
    assert axis.low < axis.high
    assert 1 <= len(axis.ticks) == len(axis.labels) <= most
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    assert list(axis.ticks) == sorted(set(axis.ticks))


@given(numbers, numbers, st.floats(0, 0.6))
@example(0.0, 0.0, 0.0)
@example(1.6e-288, 1.6e-288, 0.0)
@example(-5e-324, 5e-324, 0.1)
@example(-1e300, 1e300, 0.6)
@example(1e300, 1e300, 0.0)
def test_numbers(one: float, other: float, above: float) -> None:
    """Any two numbers are on their axis, with the room asked for above, and no two labels are the same or too long."""
    low, high = sorted((one, other))
    axis = number_axis(low, high, most=9, room=(0.02, above))
    check(axis, low, high)
    assert (axis.high - high) / 2 >= (axis.high / 2 - axis.low / 2) * (above - 1e-9)
    assert len(set(axis.labels)) == len(axis.labels)
    assert max(map(len, axis.labels)) <= 22


@given(st.floats(-1e6, 1e6), st.floats(1e-9, 1e3))
@example(999_999.0, 1e-9)
def test_numbers_that_hardly_change(low: float, span: float) -> None:
    """However little a number changes beside its size, its labels tell the ticks apart, and say them."""
    axis = number_axis(low, low + span, most=9)
    check(axis, low, low + span)
    assert len(set(axis.labels)) == len(axis.labels)
    scale = float(axis.title.lstrip("\N{MULTIPLICATION SIGN}") or "1")
    step = (axis.high - axis.low) / 9
    assert all(
        abs(float(label) * scale - tick) < step / 10 for label, tick in zip(axis.labels, axis.ticks, strict=True)
    )


@given(times, spans)
@example(1_700_000_000.0, 0.0)
@example(0.0, 241.0)
@example(2_500_000_000.0, 0.03)
@example(9_999_999_999.9, 0.0)
@example(-1e10, 2e10)
def test_the_clock(low: float, span: float) -> None:
    """Any time and any span have an axis whose title has the dates of both ends."""
    high = min(low + span, 1e10)
    axis = clock_axis(low, high, most=9)
    check(axis, low, high)
    dates = [datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d") for time in (axis.low, axis.high)]
    assert axis.title == f"{' to '.join(dict.fromkeys(dates))} UTC"


@pytest.mark.parametrize(
    ("span", "first", "second"),
    [
        (0.5, "22:13:20.0", "22:13:20.1"),
        (30.0, "22:13:20", "22:13:25"),
        (600.0, "22:15", "22:20"),
        (3 * 3600.0, "22:30", "23:00"),
        (4 * 3600.0, "23:00", "11-15"),
        (5 * 86400.0, "11-15", "11-16"),
        (100 * 86400.0, "11-15", "2023-12"),
        (900 * 86400.0, "2024", "2024-05"),
        (1e9, "2024", "2028"),
    ],
)
def test_ticks_of_the_clock(span: float, first: str, second: str) -> None:
    """Ticks are at round times, written as far as they differ, the beginning of a longer unit by that unit."""
    assert list(clock_axis(1_700_000_000.0, 1_700_000_000.0 + span, most=9).labels[:2]) == [first, second]


@given(st.one_of(spans, st.floats(0, 2e10)), st.booleans())
def test_elapsed_time(span: float, bare: bool) -> None:  # noqa: FBT001 - drawn
    """Elapsed time begins at 0 and has a label for every tick; bare it says no unit."""
    axis = elapsed_axis(span, most=9, milliseconds=bare)
    check(axis, 0.0, span)
    assert len(set(axis.labels)) == len(axis.labels)
    assert bare != axis.title.startswith(("seconds", "minutes", "hours", "days"))


@pytest.mark.parametrize(
    ("span", "unit", "last"),
    [
        (0.0, "seconds", 1.0),
        (90.0, "seconds", 90.0),
        (7000.0, "minutes", 100.0),
        (7200.0, "hours", 2.0),
        (9e5, "days", 10.0),
    ],
)
def test_units_of_elapsed_time(span: float, unit: str, last: float) -> None:
    """The unit is the largest of which there are two, or the second."""
    axis = elapsed_axis(span, most=9)
    assert (axis.title, float(axis.labels[-1])) == (unit, last)


@given(st.integers(0, 2_000_000_000), st.floats(4.5, 4 * 86_400.0))
@example(1_699_999_000, 3600.0)
@example(1_699_900_000, 200_000.0)
def test_hours_minutes_and_seconds_are_matplotlib_s(low: int, span: float) -> None:
    """Times of day have the ticks and labels that matplotlib's locator and formatter give them, found sooner."""
    begin = low + 0.37  # on a whole second matplotlib's days, which are doubles, may lose the first
    quick, slow = _of_a_day(begin, begin + span, 9), _of_any_time(begin, begin + span, 9)
    if quick is None:
        assert span > 4 * 86_400 - 1 or len(slow[0]) < 3
        return
    assert quick[1] == slow[1]
    assert quick[0] == pytest.approx(slow[0], abs=1e-3)
